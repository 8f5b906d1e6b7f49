"""NautilusTrader's BacktestEngine over the same bars."""

from decimal import Decimal

import harness
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import AverageTrueRange, ExponentialMovingAverage
from nautilus_trader.model import BarType, Money, TraderId, Venue
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

COLUMNS = ("open", "high", "low", "close", "volume")


class RuleConfig(StrategyConfig, frozen=True):  # type: ignore[call-arg, unused-ignore]
    """What every strategy here is told."""

    instrument_id: InstrumentId
    bar_type: BarType


class Rule(Strategy):
    """Buys for a share of the free cash and closes it."""

    def on_start(self) -> None:
        self.instrument = self.cache.instrument(self.config.instrument_id)
        self.prepare()
        self.subscribe_bars(self.config.bar_type)

    def enter(self, price: float) -> None:
        account = self.portfolio.account(self.config.instrument_id.venue)
        cash = account.balance_free(USDT).as_double()
        self.quantity = self.instrument.make_qty(harness.SHARE * cash / price)
        self.submit_order(
            self.order_factory.market(self.config.instrument_id, OrderSide.BUY, self.quantity)
        )

    def leave(self) -> None:
        self.cancel_all_orders(self.config.instrument_id)
        self.close_all_positions(self.config.instrument_id)


class EmaCross(Rule):
    """Long above, flat below."""

    def prepare(self) -> None:
        self.fast = ExponentialMovingAverage(harness.FAST)
        self.slow = ExponentialMovingAverage(harness.SLOW)
        self.register_indicator_for_bars(self.config.bar_type, self.fast)
        self.register_indicator_for_bars(self.config.bar_type, self.slow)

    def on_bar(self, bar) -> None:
        if not self.indicators_initialized():
            return
        flat = self.portfolio.is_flat(self.config.instrument_id)
        if self.fast.value > self.slow.value:
            if flat:
                self.enter(float(bar.close))
        elif not flat:
            self.leave()


class Supertrend(Rule):
    """Long when it turns up, out when it turns down or at the stop order."""

    def prepare(self) -> None:
        self.atr = AverageTrueRange(harness.PERIOD)
        self.register_indicator_for_bars(self.config.bar_type, self.atr)
        self.upper = self.lower = self.before = 0.0
        self.direction = 1

    def on_bar(self, bar) -> None:
        if not self.indicators_initialized():
            return
        turned = self.follow(float(bar.high), float(bar.low), float(bar.close))
        flat = self.portfolio.is_flat(self.config.instrument_id)
        if turned > 0 and flat:
            self.enter(float(bar.close))
            stop = self.instrument.make_price(float(bar.close) - harness.STOP * self.atr.value)
            self.submit_order(
                self.order_factory.stop_market(
                    self.config.instrument_id,
                    OrderSide.SELL,
                    self.quantity,
                    stop,
                    reduce_only=True,
                )
            )
        elif self.direction < 0 and not flat:
            self.leave()

    def follow(self, high: float, low: float, close: float) -> int:
        middle, width = (high + low) / 2, harness.MULTIPLIER * self.atr.value
        up, down = middle + width, middle - width
        fresh = self.before == 0.0
        self.upper = up if fresh or up < self.upper or self.before > self.upper else self.upper
        self.lower = down if fresh or down > self.lower or self.before < self.lower else self.lower
        self.before, former = close, self.direction
        if close > self.upper:
            self.direction = 1
        elif close < self.lower:
            self.direction = -1
        return self.direction - former


def main() -> None:
    """Run one rule."""
    args = harness.arguments()
    bars = harness.load(args.folder)
    logging = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=logging))
    engine.add_venue(
        venue=Venue("BINANCE"),
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        starting_balances=[Money(Decimal(harness.CASH), USDT), Money(Decimal(0), BTC)],
    )
    facts = CurrencyPair.to_dict(TestInstrumentProvider.btcusdt_binance())
    fees = {"maker_fee": str(harness.FEE), "taker_fee": str(harness.FEE)}
    instrument = CurrencyPair.from_dict(facts | fees)
    engine.add_instrument(instrument)
    bar_type = BarType.from_str(f"{instrument.id}-1-MINUTE-LAST-EXTERNAL")
    frame = pd.DataFrame({name: bars[name] for name in COLUMNS})
    frame.index = pd.to_datetime(bars["open_ns"] + 60_000_000_000, utc=True)
    engine.add_data(BarDataWrangler(bar_type, instrument).process(frame))
    config = RuleConfig(instrument_id=instrument.id, bar_type=bar_type)
    engine.add_strategy((EmaCross if args.rule == "ema" else Supertrend)(config))

    def run() -> int:
        engine.run()
        return engine.trader.generate_positions_report().shape[0]

    harness.tell(run)


main()
