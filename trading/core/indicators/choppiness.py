"""Choppiness index: how much of the way a market went it came back.

100 log10(sum of true ranges / (highest high - lowest low)) / log10(period); E. W. Dreiss.
"""

import math

import numpy as np

from trading.core.indicators import atr, window
from trading.core.jit import kernel

RING = window.state(32)
STATE = np.dtype(
    [
        ("previous", "f8"),
        ("ranges", RING),
        ("highs", RING),
        ("lows", RING),
        ("high", "f8"),
        ("low", "f8"),
    ]
)


@kernel
def update(s, high, low, close, period):
    """Next value, 0 … 100; NaN for the first ``period`` bars and where nothing moved."""
    if s.highs.seen > 0:
        window.push_sum(s.ranges, atr.true_range(high, low, s.previous), period)
    s.previous = close
    s.high = window.push_extreme(s.highs, high, period, 1)
    s.low = window.push_extreme(s.lows, low, period, -1)
    spread = s.high - s.low
    if s.ranges.seen < period or spread <= 0.0:
        return np.nan
    total = window.mean(s.ranges, period) * period
    return math.log(max(total / spread, 1.0)) * (100.0 / math.log(period))
