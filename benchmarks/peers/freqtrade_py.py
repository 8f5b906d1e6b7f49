"""freqtrade's own Backtesting class over its own feather file of the same bars; no network.

The exchange's list of markets is given instead of fetched; everything else is the program's.
"""

import json
import logging
from pathlib import Path

import harness
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting

MARKET = {
    "id": "BTCUSDT", "symbol": harness.PAIR, "base": "BTC", "quote": "USDT", "active": True,
    "spot": True, "type": "spot", "margin": False, "swap": False, "future": False,
    "contract": False, "linear": None, "inverse": None, "contractSize": None, "settle": None,
    "taker": harness.FEE, "maker": harness.FEE, "info": {},
    "precision": {"price": 0.1, "amount": 1e-8, "base": 1e-8, "quote": 1e-8},
    "limits": {
        "amount": {"min": 1e-8, "max": None}, "price": {"min": None, "max": None},
        "cost": {"min": 1.0, "max": None}, "leverage": {"min": None, "max": None},
    },
}  # fmt: skip


def give_markets(exchange: Exchange, *_: object, **__: object) -> None:
    """Stands in for the call to the venue."""
    exchange._markets = {harness.PAIR: MARKET}
    for api in (exchange._api, exchange._api_async):
        api.set_markets({harness.PAIR: MARKET})


def configuration(folder: Path, rule: str) -> dict:
    """What a config file and the command line would say."""
    return Configuration(
        {
            "config": [str(write_config(folder))],
            "strategy": "EmaCross" if rule == "ema" else "Supertrend",
            "strategy_path": str(Path(__file__).with_name("freqtrade_strategies")),
            "datadir": folder,
            "user_data_dir": str(folder / "user_data"),
            "timeframe": harness.TIMEFRAME,
            "export": "none",
            "backtest_cache": "none",
            "dataformat_ohlcv": "feather",
        },
        RunMode.BACKTEST,
    ).get_config()


def write_config(folder: Path) -> Path:
    """The config file."""
    path = folder / "freqtrade.json"
    (folder / "user_data").mkdir(exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "exchange": {"name": "binance", "pair_whitelist": [harness.PAIR]},
                "stake_currency": "USDT", "stake_amount": "unlimited", "dry_run_wallet": harness.CASH,
                "tradable_balance_ratio": harness.SHARE, "max_open_trades": 1, "fee": harness.FEE, "timeframe": harness.TIMEFRAME,
                "entry_pricing": {"price_side": "same", "use_order_book": False},
                "exit_pricing": {"price_side": "same", "use_order_book": False},
                "pairlists": [{"method": "StaticPairList"}],
                "dry_run": True, "trading_mode": "spot", "margin_mode": "",
            }
        )
    )  # fmt: skip
    return path


def main() -> None:
    """Load, then time the strategy: indicators, signals and the simulation."""
    args = harness.arguments()
    logging.disable(logging.WARNING)
    Exchange.reload_markets = give_markets
    backtesting = Backtesting(configuration(args.folder, args.rule))
    data, timerange = backtesting.load_bt_data()

    def run() -> int:
        backtesting.backtest_one_strategy(backtesting.strategylist[0], data, timerange)
        content = next(iter(backtesting.all_bt_content.values()))
        return len(content["results"])

    harness.tell(run)


main()
