"""Breakout: a close beyond the range of the last bars, confirmed.

Long: close above the highest high of the ``lookback`` bars before, on a rising bar, with at least
``confirmations`` of: volume at least ``min_volume`` times its mean; body at least ``min_body`` of
the range; Bollinger width expanding; RSI below 70. Short is the mirror.
"""

import numpy as np

from trading.core.codes import Abstain
from trading.core.indicators import bollinger, window
from trading.core.jit import kernel

NAME = "breakout"
FAMILY = 2
BAND_BARS = 20
NEAR = 0.003
STATE = np.dtype(
    [
        ("highs", window.state(256)),
        ("lows", window.state(256)),
        ("bands", window.state(32)),
        ("high", "f8"),
        ("low", "f8"),
        ("top", "f8"),  # of the bars before this one
        ("bottom", "f8"),
        ("width", "f8"),
    ]
)
WARMING_UP, NO_SETUP, VOTED = int(Abstain.WARMING_UP), int(Abstain.NO_SETUP), int(Abstain.VOTED)


@kernel
def touches(ring, size, level):
    """How many of the window's extremes lie within 0.3 % of the level."""
    found = 0
    for k in range(size):
        if abs(ring[k] - level) <= NEAR * level:
            found += 1
    return found


@kernel
def score(s, p, bar, now, vote):
    """Update the range and vote."""
    mid, half = bollinger.update(s.bands, bar.close, BAND_BARS, 2.0)
    high, low, seen, width_1 = s.high, s.low, s.highs.seen, s.width
    s.top, s.bottom = high, low
    s.width = half / mid if mid > 0.0 else 0.0
    side = 1 if bar.close > high else (-1 if bar.close < low else 0)
    ready = seen >= p.lookback and not np.isnan(half) and not np.isnan(now.atr)
    touched = 0
    if ready and side != 0:
        touched = touches(
            s.highs.ring if side > 0 else s.lows.ring, p.lookback, high if side > 0 else low
        )
    s.high = window.push_extreme(s.highs, bar.high, p.lookback, 1)
    s.low = window.push_extreme(s.lows, bar.low, p.lookback, -1)
    vote.abstain = NO_SETUP if ready else WARMING_UP
    if not ready or side == 0 or (bar.close - bar.open) * side <= 0.0:
        return
    spread = bar.high - bar.low
    heavy = now.volume_ratio >= p.min_volume
    full = abs(bar.close - bar.open) >= p.min_body * spread
    expanding = s.width > width_1
    rsi = now.rsi if side > 0 else 100.0 - now.rsi
    cool = rsi < 70.0
    if int(heavy) + int(full) + int(expanding) + int(cool) < p.confirmations:
        return
    level = high if side > 0 else low
    distance = side * (bar.close - level) / level
    strength = 0.35 + min(20.0 * distance, 0.25) + min(0.05 * touched, 0.15)
    confidence = 0.30
    if heavy:
        strength += 0.15
        confidence += 0.20
    if full:
        strength += 0.10
        confidence += 0.10
    if expanding:
        confidence += 0.10
    if cool:
        confidence += 0.10
    if touched >= 2:
        confidence += 0.10
    if distance > 0.002:
        confidence += 0.10
    vote.abstain = VOTED
    vote.score = side * min(strength, 1.0)
    vote.confidence = min(confidence, 1.0)
    vote.stop_distance = p.stop_atr * now.atr
    vote.target_distance = p.target_atr * now.atr


@kernel
def draw(s, p, now, out):
    """The range this bar had to leave."""
    if s.highs.seen > p.lookback:
        out[0], out[1] = s.top, s.bottom
