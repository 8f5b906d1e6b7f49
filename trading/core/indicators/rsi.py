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
    share = 1.0 / period
    if s.seen <= period + 1:
        s.gain += gain * share
        s.loss += loss * share
        if s.seen <= period:
            return np.nan
    else:
        s.gain += (gain - s.gain) * share
        s.loss += (loss - s.loss) * share
    total = s.gain + s.loss
    return 50.0 if total <= 0.0 else 100.0 * s.gain / total
