"""True range and Wilder's average of it."""

import numpy as np

from trading.core.jit import kernel

STATE = np.dtype([("seen", "i8"), ("previous", "f8"), ("value", "f8")])


@kernel
def true_range(high, low, previous_close):
    """Largest of the bar's range and its distances from the previous close."""
    return max(high - low, abs(high - previous_close), abs(low - previous_close))


@kernel
def update(s, high, low, close, period):
    """Next value; NaN for the first ``period`` bars. Same as TA-Lib's ATR."""
    s.seen += 1
    if s.seen == 1:
        s.previous = close
        return np.nan
    tr = true_range(high, low, s.previous)
    s.previous = close
    if s.seen <= period + 1:
        s.value += tr
        if s.seen <= period:
            return np.nan
        s.value /= period
        return s.value
    s.value += (tr - s.value) * (1.0 / period)
    return s.value
