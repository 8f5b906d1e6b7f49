"""Ring buffer with running mean and deviation, and rolling extrema; O(1) amortised."""

import math

import numpy as np

from trading.core.jit import kernel


def state(capacity: int) -> np.dtype:
    """Layout of a window of at most so many values."""
    return np.dtype([*HEAD.descr, ("ring", "f8", (capacity,))])


HEAD = np.dtype(
    [
        ("seen", "i8"),
        ("slot", "i8"),  # where the next value goes; counted, a division a bar would cost more
        ("anchor", "f8"),  # values are summed relative to it: no cancellation at large prices
        ("total", "f8"),
        ("squares", "f8"),
        ("best", "i8"),  # slot of the extremum in the window
        ("extreme", "f8"),  # its value
    ]
)


@kernel
def push(s, x, size):
    """Put ``x`` into the ring; the slot it took."""
    slot = s.slot
    s.ring[slot] = x
    s.slot = slot + 1 if slot + 1 < size else 0
    s.seen += 1
    return slot


@kernel
def push_sum(s, x, size):
    """Take ``x`` in and let the value ``size`` steps back go; sums are renewed every ``size``."""
    old = s.ring[s.slot]
    push(s, x, size)
    if s.slot == 0 or s.seen == 1:
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

    Keeps the extremum and looks at the whole window only when it leaves; of equals the newest.
    """
    slot = push(s, x, size)
    if s.seen == 1 or (x - s.extreme) * sign >= 0.0:
        s.best = slot
        s.extreme = x
    elif s.best == slot:
        best, extreme = slot, x
        for age in range(1, min(s.seen, size)):  # from the newest back: equals keep the newest
            k = slot - age if slot >= age else slot - age + size
            if (s.ring[k] - extreme) * sign > 0.0:
                best, extreme = k, s.ring[k]
        s.best = best
        s.extreme = extreme
    return s.extreme
