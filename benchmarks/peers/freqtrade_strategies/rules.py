"""The two rules as freqtrade's users write them."""

import harness
import talib.abstract as ta
from freqtrade.strategy import IStrategy, stoploss_from_absolute
from pandas import DataFrame


class EmaCross(IStrategy):
    """Long above, flat below."""

    INTERFACE_VERSION = 3
    timeframe = harness.TIMEFRAME
    minimal_roi: dict[str, float] = {}
    stoploss = -0.99
    startup_candle_count = harness.SLOW

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["fast"] = ta.EMA(dataframe, timeperiod=harness.FAST)
        dataframe["slow"] = ta.EMA(dataframe, timeperiod=harness.SLOW)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["fast"] > dataframe["slow"], "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["fast"] < dataframe["slow"], "exit_long"] = 1
        return dataframe


class Supertrend(IStrategy):
    """Long when it turns up, out when it turns down or at a stop some ATR below the entry."""

    INTERFACE_VERSION = 3
    timeframe = harness.TIMEFRAME
    minimal_roi: dict[str, float] = {}
    stoploss = -0.99
    use_custom_stoploss = True
    opened, stop = None, 0.0
    startup_candle_count = harness.SLOW

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["atr"] = ta.ATR(dataframe, timeperiod=harness.PERIOD).bfill()
        columns = (dataframe[name].to_numpy() for name in ("high", "low", "close", "atr"))
        dataframe["direction"] = harness.supertrend(*columns)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        turned = (dataframe["direction"] > 0) & (dataframe["direction"].shift() < 0)
        dataframe.loc[turned, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["direction"] < 0, "exit_long"] = 1
        return dataframe

    def custom_stoploss(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        """The stop stays where the ATR at the entry put it."""
        if (
            self.opened != trade.open_date_utc
        ):  # its own custom data would be searched trade by trade
            dataframe, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
            self.opened = trade.open_date_utc
            self.stop = trade.open_rate - harness.STOP * float(dataframe["atr"].iat[-1])
        return stoploss_from_absolute(self.stop, current_rate, is_short=trade.is_short)
