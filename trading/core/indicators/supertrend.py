"""Supertrend: a band of ATRs around the middle of the bar that only moves with the trend."""

import numpy as np

from trading.core.indicators import atr
from trading.core.jit import kernel

STATE = np.dtype(
    [
        ("atr", atr.STATE),
        ("upper", "f8"),
        ("lower", "f8"),
        ("close", "f8"),
        ("side", "i8"),  # 0: not known yet
    ]
)


@kernel
def update(s, high, low, close, period, width):
    """(side, line) with side 1 above the line, -1 below it; (0, NaN) while warming up.

    Final bands after O. Seban: the lower never falls while the last close was above it, the upper
    never rises while it was below; the side turns when the close leaves the band it stood in.
    """
    average = atr.update(s.atr, high, low, close, period)
    if np.isnan(average):
        return 0, np.nan
    middle = 0.5 * (high + low)
    upper, lower = middle + width * average, middle - width * average
    if s.side != 0:
        if s.close <= s.upper:
            upper = min(upper, s.upper)
        if s.close >= s.lower:
            lower = max(lower, s.lower)
    if s.side == 0:
        s.side = 1 if close >= middle else -1
    elif s.side < 0 and close > upper:
        s.side = 1
    elif s.side > 0 and close < lower:
        s.side = -1
    s.upper, s.lower, s.close = upper, lower, close
    return s.side, lower if s.side > 0 else upper
