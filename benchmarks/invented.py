"""The seeded bars every benchmark runs over, in the files the peers read."""

from pathlib import Path

import numpy as np

from trading.core.records import BAR
from trading.marketdata import exporting

START_NS = 1_704_067_200_000_000_000  # 2024-01-01
MINUTE_NS = 60_000_000_000


def invent_bars(count: int, *, seed: int = 1) -> np.ndarray:
    """A walk of minutes on a grid of 0.1."""
    rng = np.random.default_rng(seed)
    close = 10_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.0008, count)))
    bars = np.zeros(count, BAR)
    bars["open_ns"] = START_NS + np.arange(count) * MINUTE_NS
    bars["close"] = close
    bars["open"] = np.concatenate([[10_000.0], close[:-1]])
    wick = 1.0 + np.abs(rng.normal(0.0, 0.0004, count))
    bars["high"] = np.maximum(bars["open"], close) * wick
    bars["low"] = np.minimum(bars["open"], close) / wick
    for name in ("open", "high", "low", "close"):
        bars[name] = np.round(bars[name], 1)
    bars["volume"] = np.round(rng.gamma(1.2, 10.0, count), 6)
    return bars


def write_bars(folder: Path, count: int) -> Path:
    """The folder of this many bars, written now where it is not there."""
    home = folder / str(count)
    feather = home / exporting.file_name("feather", symbol="BTC/USDT", timeframe_seconds=60)
    if not (feather.exists() and (home / "bars.npy").exists()):
        home.mkdir(parents=True, exist_ok=True)
        feather.unlink(missing_ok=True)
        bars = invent_bars(count)
        np.save(home / "bars.npy", bars)
        exporting.write_file(feather, [bars], form="feather")
    return home
