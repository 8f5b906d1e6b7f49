"""What the scripts of all peers share: the bars, the rules' numbers, the clock, one JSON line.

Only numpy is imported, so that each peer's own environment can run it.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

RULES = ("ema", "supertrend")
FAST, SLOW = 20, 50  # bars of the two averages
PERIOD, MULTIPLIER, STOP = 10, 3.0, 2.0  # Supertrend's, and the stop in ATR
CASH, SHARE = 10_000_000.0, 0.35
FEE = 0.0001  # low, so that thousands of trades leave money for the next one
PAIR, TIMEFRAME = "BTC/USDT", "1m"


def arguments() -> argparse.Namespace:
    """Which bars, which rule."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="holds bars.npy and a feather file of the same")
    parser.add_argument("rule", choices=(*RULES, "full"))
    return parser.parse_args()


def load(folder: Path) -> np.ndarray:
    """The bars: open_ns, open, high, low, close, volume."""
    return np.load(folder / "bars.npy")


def tell(run: Callable[[], int], *, calls: int = 1) -> None:
    """Time the run and print its JSON line.

    With more than one call ``seconds`` is the last one's: code compiled by then, memory used before.
    """
    times, trades = [], 0
    for _ in range(calls):
        started = time.perf_counter()
        trades = run()
        times.append(time.perf_counter() - started)
    answer = {
        "first_seconds": times[0],
        "seconds": times[-1],
        "process_seconds": age() - sum(times[1:]),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "trades": trades,
    }
    sys.stdout.write(f"\n{json.dumps(answer)}\n")
    sys.stdout.flush()
    os._exit(0)  # some peers keep threads that would not end


def age() -> float:
    """Seconds since this process was started, its imports included."""
    fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def average_range(high: np.ndarray, low: np.ndarray, close: np.ndarray) -> np.ndarray:
    """True range, then TA-Lib's smoothing is the caller's; here a simple one for who has none."""
    before = np.concatenate([close[:1], close[:-1]])
    ranges = np.maximum(high, before) - np.minimum(low, before)
    total = np.cumsum(ranges)
    total[PERIOD:] -= total[:-PERIOD].copy()
    return total / np.minimum(np.arange(1, len(close) + 1), PERIOD)


def supertrend(high: np.ndarray, low: np.ndarray, close: np.ndarray, atr: np.ndarray) -> np.ndarray:
    """Direction per bar, +1 or -1, as strategies of these programs compute it: a plain loop."""
    middle = (high + low) / 2
    uppers, lowers = (middle + MULTIPLIER * atr).tolist(), (middle - MULTIPLIER * atr).tolist()
    closes = close.tolist()
    directions, direction = [1] * len(closes), 1
    upper, lower, before = uppers[0], lowers[0], closes[0]
    for i in range(1, len(closes)):
        upper = uppers[i] if uppers[i] < upper or before > upper else upper
        lower = lowers[i] if lowers[i] > lower or before < lower else lower
        before = closes[i]
        if before > upper:
            direction = 1
        elif before < lower:
            direction = -1
        directions[i] = direction
    return np.array(directions)
