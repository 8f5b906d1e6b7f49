"""Bars for the core's tests: seeded walks, awkward shapes, and the real file where it is there."""

import gzip
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from trading.core import pipeline
from trading.core.records import BAR

MINUTE_NS = 60_000_000_000
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "bitfinex_BTCUSD_1m_2018.csv.gz"


def from_prices(open_: np.ndarray, close: np.ndarray, wick: np.ndarray, volume: np.ndarray):
    """Bars one minute apart whose range is a wick beyond open and close."""
    bars = np.zeros(len(close), BAR)
    bars["open_ns"] = (np.arange(len(close)) + 1) * MINUTE_NS
    bars["open"], bars["close"], bars["volume"] = open_, close, volume
    bars["high"] = np.maximum(open_, close) * (1.0 + wick)
    bars["low"] = np.minimum(open_, close) * (1.0 - wick)
    return bars


def walk(
    seed: int, count: int, *, price: float = 100.0, noise: float = 0.004, wave: float = 0.12
) -> np.ndarray:
    """A seeded random walk with slow swings, so that every strategy finds something to do."""
    rng = np.random.default_rng(seed)
    swing = wave * np.sin(np.arange(count) / rng.integers(40, 160)) * rng.uniform(0.3, 1.0)
    steps = rng.normal(0.0, noise, count) * rng.choice([0.3, 1.0, 2.5], count)
    close = price * np.exp(swing + np.cumsum(steps) * 0.5)
    open_ = np.concatenate([[price], close[:-1]]) * (1.0 + rng.normal(0.0, noise / 10, count))
    return from_prices(
        open_, close, np.abs(rng.normal(0.0, noise / 3, count)), rng.gamma(1.2, 10.0, count)
    )


def market(
    *, tick: float = 0.01, lot: float = 0.0001, least_lots: int = 10, least_notional: float = 5.0
) -> np.ndarray:
    """One fresh MARKET record on a minute's grid."""
    markets = pipeline.new_markets(1)
    grid = markets[0]["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = tick, lot, MINUTE_NS
    grid["min_quantity_lots"], grid["min_notional"] = least_lots, least_notional
    return markets


@cache
def real_bars(count: int = 20_000) -> np.ndarray:
    """The first bars of a year of BTC/USD; skips visibly where the file is absent."""
    if not REAL.exists():
        pytest.skip(f"no real market data: {REAL.name} is not beside the project")
    with gzip.open(REAL, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",", skiprows=1, max_rows=count)
    bars = np.zeros(len(rows), BAR)
    bars["open_ns"] = rows[:, 0].astype("i8") * 1_000_000
    for column, name in enumerate(("open", "high", "low", "close", "volume"), start=1):
        bars[name] = rows[:, column]
    return bars
