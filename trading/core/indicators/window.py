"""Ring buffer with running mean and deviation, and rolling extrema; O(1) amortised."""

import math

import numpy as np

from trading.core.jit import kernel

CAPACITY = 256
STATE = np.dtype(
    [
        ("seen", "i8"),
        ("anchor", "f8"),  # values are summed relative to it: no cancellation at large prices
        ("total", "f8"),
        ("squares", "f8"),
        ("best", "i8"),  # running number of the extremum in the window
        ("ring", "f8", (CAPACITY,)),
    ]
)


@kernel
def push_sum(s, x, size):
    """Take ``x`` in and let the value ``size`` steps back go; sums are renewed every ``size``."""
    slot = s.seen % size
    old = s.ring[slot]
    s.ring[slot] = x
    s.seen += 1
    if s.seen % size == 0 or s.seen == 1:
        s.anchor = x
        s.total = 0.0
        s.squares = 0.0
        for k in range(min(s.seen, size)):
            d = s.ring[k] - x
            s.total += d
            s.squares += d * d
        return
    d = x - s.anchor
    s.total += d
    s.squares += d * d
    if s.seen > size:
        d = old - s.anchor
        s.total -= d
        s.squares -= d * d


@kernel
def mean(s, size):
    """Mean of the last ``size`` values; NaN until there are that many."""
    return s.anchor + s.total / size if s.seen >= size else np.nan


@kernel
def deviation(s, size):
    """Population standard deviation of the last ``size`` values; NaN until there are that many."""
    if s.seen < size:
        return np.nan
    m = s.total / size
    variance = s.squares / size - m * m
    return math.sqrt(variance) if variance > 0.0 else 0.0


@kernel
def push_extreme(s, x, size, sign):
    """Take ``x`` in and return the largest (sign 1) or smallest (sign -1) of the last ``size``.

    Keeps the number of the extremum and rescans only when it leaves the window.
    """
    s.ring[s.seen % size] = x
    s.seen += 1
    newest = s.seen - 1
    if s.best <= newest - size:
        s.best = max(newest - size + 1, 0)
        for n in range(s.best + 1, newest + 1):
            if (s.ring[n % size] - s.ring[s.best % size]) * sign >= 0.0:
                s.best = n
    elif (x - s.ring[s.best % size]) * sign >= 0.0:
        s.best = newest
    return s.ring[s.best % size]
