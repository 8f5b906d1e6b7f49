"""Bars per second of the whole pipeline beside backtesting.py's EMA cross over the same bars.

The two do different amounts of work and ours does more: three strategies, confluence, risk, exits and
a decision record for every bar, against one cross of two averages. Repetitions alternate, so that a
busy moment of the machine meets both. Prints medians; asserts nothing about time.
"""

import argparse
import gzip
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from backtesting.lib import crossover

from trading.backtest import runner
from trading.core import pipeline
from trading.core.config.profiles import PROFILES
from trading.core.records import BAR

COLUMNS = ("open", "high", "low", "close", "volume")


def ema(values: np.ndarray, bars: int) -> np.ndarray:
    """The average the cross is made of."""
    return pd.Series(values).ewm(span=bars, adjust=False).mean().to_numpy()


class EmaCross(Strategy):
    """Long above, flat below: backtesting.py's own first example with exponential averages."""

    def init(self) -> None:
        self.fast = self.I(ema, self.data.Close, 20)
        self.slow = self.I(ema, self.data.Close, 50)

    def next(self) -> None:
        if crossover(self.fast, self.slow):
            self.buy(size=0.35)
        elif crossover(self.slow, self.fast):
            self.position.close()


def read_bars(path: Path, count: int) -> np.ndarray:
    """Bars of a CSV file with a header and columns time in ms, open, high, low, close, volume."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        rows = np.loadtxt(lines, delimiter=",", skiprows=1, max_rows=count)
    bars = np.zeros(len(rows), BAR)
    bars["open_ns"] = rows[:, 0].astype("i8") * 1_000_000
    for column, name in enumerate(COLUMNS, start=1):
        bars[name] = rows[:, column]
    return bars


def invent_bars(count: int) -> np.ndarray:
    """A seeded walk, where there is no file."""
    rng = np.random.default_rng(1)
    close = 10_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.0008, count)))
    bars = np.zeros(count, BAR)
    bars["open_ns"] = (np.arange(count) + 1) * 60_000_000_000
    bars["close"] = close
    bars["open"] = np.concatenate([[10_000.0], close[:-1]])
    wick = 1.0 + np.abs(rng.normal(0.0, 0.0004, count))
    bars["high"] = np.maximum(bars["open"], close) * wick
    bars["low"] = np.minimum(bars["open"], close) / wick
    bars["volume"] = rng.gamma(1.2, 10.0, count)
    return bars


def run_pipeline(bars: np.ndarray) -> int:
    """The whole pipeline, every decision kept; the number of fills."""
    markets = pipeline.new_markets(1)
    grid = markets[0]["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = 0.1, 1e-8, 60_000_000_000
    grid["min_quantity_lots"], grid["min_notional"] = 10_000, 5.0
    result = runner.run(series=[bars], markets=markets, params=[PROFILES["active"]], cash=1e6)
    return len(result.fills)


def run_other(frame: pd.DataFrame) -> int:
    """backtesting.py; the number of trades."""
    test = Backtest(frame, EmaCross, cash=1e6, commission=0.0026, finalize_trades=True)
    return int(test.run()["# Trades"])


def timed(run, argument: object) -> tuple[float, int]:
    """Seconds and what came of it."""
    started = time.perf_counter()
    outcome = run(argument)
    return time.perf_counter() - started, outcome


def peak_mib() -> float:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=Path, help="CSV (.gz): ms, open, high, low, close, volume")
    parser.add_argument("--count", type=int, default=100_000, help="bars to run over")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each")
    args = parser.parse_args()
    bars = read_bars(args.bars, args.count) if args.bars else invent_bars(args.count)
    frame = pd.DataFrame({name.capitalize(): bars[name] for name in COLUMNS})
    frame.index = pd.to_datetime(bars["open_ns"])
    runner.warm()
    ours, theirs, before = [], [], peak_mib()
    run_pipeline(bars)
    held = peak_mib() - before
    for _ in range(args.repeat):
        seconds, fills = timed(run_pipeline, bars)
        ours.append(len(bars) / seconds)
        seconds, trades = timed(run_other, frame)
        theirs.append(len(bars) / seconds)
    one, other = statistics.median(ours), statistics.median(theirs)
    print(f"{len(bars):,} bars, medians of {args.repeat} alternating repetitions")
    print(f"whole pipeline  {one:>14,.0f} bars/s  {fills} fills, {held:,.0f} MiB beyond the bars")
    print(f"backtesting.py  {other:>14,.0f} bars/s  {trades} trades")
    print(f"ratio           {one / other:>14,.0f} x   peak of the process {peak_mib():,.0f} MiB")


if __name__ == "__main__":
    main()
