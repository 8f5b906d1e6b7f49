"""Where the market's volatility stands among its own last hundred values."""

import numpy as np

from trading.core.jit import kernel

BARS = 100
SMOOTH = 1.0 / 14.0
STATE = np.dtype(
    [
        ("seen", "i8"),
        ("slot", "i8"),
        ("previous", "f8"),
        ("value", "f8"),
        ("ring", "f8", (BARS,)),
    ]
)


@kernel
def update(s, high, low, close):
    """Share of the last hundred volatilities below this one, 0 … 1; NaN until there are so many.

    Volatility is the smoothed true range over the close, so that price levels do not matter.
    """
    s.seen += 1
    previous = close if s.seen == 1 else s.previous
    s.previous = close
    moved = max(high - low, abs(high - previous), abs(low - previous)) / close
    s.value += SMOOTH * (moved - s.value)
    below = 0
    for k in range(BARS):
        below += 1 if s.ring[k] < s.value else 0
    s.ring[s.slot] = s.value
    s.slot = s.slot + 1 if s.slot + 1 < BARS else 0
    return below / BARS if s.seen > BARS else np.nan
