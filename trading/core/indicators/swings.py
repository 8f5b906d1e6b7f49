"""Confirmed swings: a high or low that stays the extreme of some bars on both sides.

A swing is known only ``reach`` bars after it happened; nothing looks ahead.
"""

import numpy as np

from trading.core.indicators import window
from trading.core.jit import kernel

RING = window.state(32)
STATE = np.dtype(
    [
        ("window", RING),
        ("last", "f8"),  # newest confirmed swing, NaN-free only where count says so
        ("before", "f8"),
        ("count", "i8"),
        ("age", "i8"),  # bars since the newest was confirmed
        ("extreme", "f8"),
    ]
)


@kernel
def update(s, x, reach, sign):
    """Take a high (sign 1) or low (sign -1) in; True when a swing was confirmed by it.

    The value ``reach`` bars ago is a swing if it is the extreme of the ``2 reach + 1`` newest values
    and no newer value equals it.
    """
    size = 2 * reach + 1
    s.extreme = window.push_extreme(s.window, x, size, sign)
    s.age += 1
    if s.window.seen < size:
        return False
    middle = s.window.slot - reach - 1
    if middle < 0:
        middle += size
    if s.window.best != middle:  # of equals the newest is the best
        return False
    s.before = s.last
    s.last = s.window.ring[middle]
    s.count += 1
    s.age = 0
    return True
