"""Exponential average, seeded with the simple average of its first ``period`` values."""

import numpy as np

from trading.core.jit import kernel

STATE = np.dtype([("seen", "i8"), ("value", "f8")])


@kernel
def update(s, x, period):
    """Next value; NaN during the first ``period - 1``. Same as TA-Lib's EMA."""
    s.seen += 1
    if s.seen <= period:
        s.value += x
        if s.seen < period:
            return np.nan
        s.value /= period
        return s.value
    s.value += (x - s.value) * (2.0 / (period + 1.0))
    return s.value


@kernel
def value(s, period):
    """The average as it stands; NaN until ``period`` values were seen."""
    return s.value if s.seen >= period else np.nan
