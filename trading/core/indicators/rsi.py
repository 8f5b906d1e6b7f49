"""Wilder's relative strength index."""

import numpy as np

from trading.core.jit import kernel

STATE = np.dtype([("seen", "i8"), ("previous", "f8"), ("gain", "f8"), ("loss", "f8")])


@kernel
def update(s, close, period):
    """Next value in 0 … 100; NaN for the first ``period`` closes. Same as TA-Lib's RSI.

    A market that never moved has no strength either way: 50, where TA-Lib says 0.
    """
    s.seen += 1
    change = close - s.previous
    s.previous = close
    if s.seen == 1:
        return np.nan
    gain = change if change > 0.0 else 0.0
    loss = -change if change < 0.0 else 0.0
    if s.seen <= period + 1:
        s.gain += gain / period
        s.loss += loss / period
        if s.seen <= period:
            return np.nan
    else:
        s.gain = (s.gain * (period - 1) + gain) / period
        s.loss = (s.loss * (period - 1) + loss) / period
    total = s.gain + s.loss
    return 50.0 if total <= 0.0 else 100.0 * s.gain / total
