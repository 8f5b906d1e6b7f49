"""MACD: fast average minus slow average, its own average (the signal) and the histogram between."""

import numpy as np

from trading.core.indicators import ema
from trading.core.jit import kernel

STATE = np.dtype([("fast", ema.STATE), ("slow", ema.STATE), ("signal", ema.STATE)])


@kernel
def update(s, close, fast, slow, signal):
    """Next histogram in quote currency; NaN for the first ``slow + signal - 2`` bars.

    Both averages are seeded with their own simple average; TA-Lib seeds the fast one later, so the
    two agree only after some hundred bars.
    """
    quick, steady = ema.update(s.fast, close, fast), ema.update(s.slow, close, slow)
    if np.isnan(steady):
        return np.nan
    line = quick - steady
    average = ema.update(s.signal, line, signal)
    return line - average
