"""Wilder's directional movement and its average index."""

import numpy as np

from trading.core.indicators import atr
from trading.core.jit import kernel

STATE = np.dtype(
    [
        ("seen", "i8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("plus", "f8"),
        ("minus", "f8"),
        ("range", "f8"),
        ("value", "f8"),
    ]
)


@kernel
def update(s, high, low, close, period):
    """Next value in 0 … 100; NaN for the first ``2 * period - 1`` bars.

    Same as TA-Lib's ADX, except that a market without any movement has no direction: its index
    falls towards 0, where TA-Lib keeps the last value.
    """
    s.seen += 1
    up, down = high - s.high, s.low - low
    tr = atr.true_range(high, low, s.close)
    s.high, s.low, s.close = high, low, close
    if s.seen == 1:
        return np.nan
    plus = up if up > down and up > 0.0 else 0.0
    minus = down if down > up and down > 0.0 else 0.0
    if s.seen <= period:
        s.plus += plus
        s.minus += minus
        s.range += tr
        return np.nan
    share = 1.0 / period
    s.plus += plus - s.plus * share
    s.minus += minus - s.minus * share
    s.range += tr - s.range * share
    total = s.plus + s.minus
    dx = 100.0 * abs(s.plus - s.minus) / total if s.range > 0.0 and total > 0.0 else 0.0
    if s.seen < 2 * period:
        s.value += dx
        return np.nan
    if s.seen == 2 * period:
        s.value = (s.value + dx) / period
    else:
        s.value += (dx - s.value) * share
    return s.value
