"""Rate of change: the close over the close some bars ago, minus 1."""

import numpy as np

from trading.core.jit import kernel

CAPACITY = 32
STATE = np.dtype([("seen", "i8"), ("slot", "i8"), ("ring", "f8", (CAPACITY,))])


@kernel
def update(s, close, period):
    """Next value as a fraction; NaN for the first ``period`` bars. TA-Lib's ROCP."""
    old = s.ring[s.slot]
    s.ring[s.slot] = close
    s.slot = s.slot + 1 if s.slot + 1 < period else 0
    s.seen += 1
    return close / old - 1.0 if s.seen > period else np.nan
