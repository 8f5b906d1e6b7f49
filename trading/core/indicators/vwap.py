"""Rolling volume-weighted average price and the volume-weighted deviation of prices from it."""

import math

import numpy as np

from trading.core.jit import kernel

CAPACITY = 64
STATE = np.dtype(
    [
        ("seen", "i8"),
        ("slot", "i8"),
        ("anchor", "f8"),  # prices are summed relative to it
        ("volume", "f8"),
        ("weighted", "f8"),
        ("squares", "f8"),
        ("prices", "f8", (CAPACITY,)),
        ("volumes", "f8", (CAPACITY,)),
    ]
)


@kernel
def renew(s, price, size):
    """Add everything up afresh, so that rounding never gathers."""
    s.anchor = price
    s.volume = s.weighted = s.squares = 0.0
    for k in range(min(s.seen, size)):
        d = s.prices[k] - price
        s.volume += s.volumes[k]
        s.weighted += s.volumes[k] * d
        s.squares += s.volumes[k] * d * d


@kernel
def update(s, bar, size):
    """(VWAP, deviation) of the last ``size`` bars' typical prices; NaN without enough or volume."""
    price = (bar.high + bar.low + bar.close) / 3.0
    slot = s.slot
    old_price, old_volume = s.prices[slot], s.volumes[slot]
    s.prices[slot] = price
    s.volumes[slot] = bar.volume
    s.slot = slot + 1 if slot + 1 < size else 0
    s.seen += 1
    if s.slot == 0 or s.seen == 1:
        renew(s, price, size)
    else:
        d = price - s.anchor
        s.volume += bar.volume
        s.weighted += bar.volume * d
        s.squares += bar.volume * d * d
        if s.seen > size:
            d = old_price - s.anchor
            s.volume -= old_volume
            s.weighted -= old_volume * d
            s.squares -= old_volume * d * d
    return value(s, size)


@kernel
def value(s, size):
    """(VWAP, deviation) as they stand; NaN without enough bars or volume."""
    if s.seen < size or s.volume <= 0.0:
        return np.nan, np.nan
    mean = s.weighted / s.volume
    variance = s.squares / s.volume - mean * mean
    return s.anchor + mean, math.sqrt(variance) if variance > 0.0 else 0.0
