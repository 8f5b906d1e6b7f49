"""Slow stochastic: where the close stands in the range of the last bars, smoothed twice."""

import numpy as np

from trading.core.indicators import window
from trading.core.jit import kernel

RING, SMALL = window.state(64), window.state(16)
STATE = np.dtype([("highs", RING), ("lows", RING), ("raw", SMALL), ("slow", SMALL)])


@kernel
def update(s, high, low, close, period, smooth):
    """(%K, %D), 0 … 100; NaN while warming up. TA-Lib's STOCH with simple averages.

    A range without height has its close in the middle: 50.
    """
    highest = window.push_extreme(s.highs, high, period, 1)
    lowest = window.push_extreme(s.lows, low, period, -1)
    if s.highs.seen < period:
        return np.nan, np.nan
    spread = highest - lowest
    window.push_sum(s.raw, 100.0 * (close - lowest) / spread if spread > 0.0 else 50.0, smooth)
    k = window.mean(s.raw, smooth)
    if np.isnan(k):
        return np.nan, np.nan
    window.push_sum(s.slow, k, smooth)
    return k, window.mean(s.slow, smooth)
