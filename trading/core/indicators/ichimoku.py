"""Ichimoku lines: middles of three ranges, and the cloud that was drawn ahead some bars ago."""

import numpy as np

from trading.core.indicators import window
from trading.core.jit import kernel

SHORT, LONG = window.state(32), window.state(128)
AHEAD = 64
STATE = np.dtype(
    [
        ("high_1", SHORT),
        ("low_1", SHORT),
        ("high_2", window.state(64)),
        ("low_2", window.state(64)),
        ("high_3", LONG),
        ("low_3", LONG),
        ("slot", "i8"),
        ("known", "i8"),
        ("cloud_a", "f8", (AHEAD,)),
        ("cloud_b", "f8", (AHEAD,)),
        ("closes", "f8", (AHEAD,)),
    ]
)


@kernel
def middle(highs, lows, high, low, period):
    """Middle of the range of the last ``period`` bars; NaN until there are so many."""
    top = window.push_extreme(highs, high, period, 1)
    bottom = window.push_extreme(lows, low, period, -1)
    return 0.5 * (top + bottom) if highs.seen >= period else np.nan


@kernel
def update(s, bar, short, medium, long):
    """(tenkan, kijun, top of the cloud, bottom, close ``medium`` bars ago); NaN while unknown.

    The cloud over this bar is what tenkan, kijun and the long range made ``medium`` bars ago.
    """
    tenkan = middle(s.high_1, s.low_1, bar.high, bar.low, short)
    kijun = middle(s.high_2, s.low_2, bar.high, bar.low, medium)
    far = middle(s.high_3, s.low_3, bar.high, bar.low, long)
    top, bottom, before = np.nan, np.nan, np.nan
    if s.known >= medium:
        a, b = s.cloud_a[s.slot], s.cloud_b[s.slot]
        top, bottom, before = max(a, b), min(a, b), s.closes[s.slot]
    s.cloud_a[s.slot] = 0.5 * (tenkan + kijun)
    s.cloud_b[s.slot] = far
    s.closes[s.slot] = bar.close
    s.slot = s.slot + 1 if s.slot + 1 < medium else 0
    s.known += 1
    return tenkan, kijun, top, bottom, before
