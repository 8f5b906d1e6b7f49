"""Bars and files of bars made for the tests, and the real files where they are."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from trading.core.records import BAR

MINUTE_NS = 60_000_000_000
JANUARY_2024_NS = 1_704_067_200_000_000_000
NOW_NS = 1_790_000_000_000_000_000
HEADER = "ts,open,high,low,close,volume\n"
SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def make_bars(
    count: int, *, start_ns: int = JANUARY_2024_NS, seed: int = 1, step_ns: int = MINUTE_NS
) -> np.ndarray:
    """A plausible walk of bars without a hole; every float has all its digits."""
    rng = np.random.default_rng(seed)
    close = 40_000 * np.exp(np.cumsum(0.001 * rng.standard_normal(count)))
    bars = np.empty(count, BAR)
    bars["open_ns"] = start_ns + np.arange(count) * step_ns
    bars["open"] = np.r_[40_000.0, close[:-1]]
    bars["close"] = close
    bars["high"] = np.maximum(bars["open"], close) * (1 + 0.001 * rng.random(count))
    bars["low"] = np.minimum(bars["open"], close) * (1 - 0.001 * rng.random(count))
    bars["volume"] = rng.random(count) * 10
    return bars


def to_lines(bars: np.ndarray) -> list[str]:
    """Bars as CSV lines without line ends: milliseconds, floats in full."""
    return [f"{row[0] // 1_000_000}," + ",".join(map(repr, row[1:])) for row in bars.tolist()]


def write_csv(path: Path, lines: list[str], *, header: str = HEADER, ending: str = "\n") -> Path:
    """Write a file of lines; packed when its name ends in .gz."""
    data = (header + "".join(line + ending for line in lines)).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def shared_file(name: str) -> Path:
    """A real file, or the test is skipped and says so."""
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"the real market data are not beside the project: no {path.name}")
    return path
