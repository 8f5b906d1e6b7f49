"""Trend: the fast average crossed the slow one, in a market that trends, with price beyond both.

Long: EMA fast above EMA slow, close above both, ADX at least ``min_adx``, RSI between ``rsi_low``
and ``rsi_high``, and the cross at most ``cross_bars`` old. Short is the mirror (RSI mirrored at 50).
A cross on exactly one bar, as the original asks, is seen by chance only; a few bars keep its sense.
"""

import numpy as np

from trading.core.codes import Abstain
from trading.core.indicators import ema
from trading.core.jit import kernel

NAME = "trend"
FAMILY = 0
STATE = np.dtype(
    [
        ("fast", ema.STATE),
        ("slow", ema.STATE),
        ("side", "i8"),
        ("since_cross", "i8"),
        ("gap_1", "f8"),
        ("gap_2", "f8"),
    ]
)
WARMING_UP, NO_SETUP, VOTED = int(Abstain.WARMING_UP), int(Abstain.NO_SETUP), int(Abstain.VOTED)


@kernel
def score(s, p, bar, now, vote):
    """Update the averages and vote."""
    fast = ema.update(s.fast, bar.close, p.fast)
    slow = ema.update(s.slow, bar.close, p.slow)
    vote.abstain = WARMING_UP
    if np.isnan(slow) or np.isnan(fast) or np.isnan(now.adx):
        return
    gap = (fast - slow) / slow
    side = 1 if gap > 0.0 else -1
    if side != s.side:
        s.since_cross = 0 if s.side != 0 else p.cross_bars  # the first side seen is no cross
        s.side = side
    else:
        s.since_cross += 1
    slope = side * (gap - s.gap_2) / 2.0
    s.gap_2 = s.gap_1
    s.gap_1 = gap
    rsi = now.rsi if side > 0 else 100.0 - now.rsi
    beyond = (bar.close - max(fast, slow)) if side > 0 else (min(fast, slow) - bar.close)
    vote.abstain = NO_SETUP
    if s.since_cross >= p.cross_bars or beyond <= 0.0 or now.adx < p.min_adx:
        return
    if rsi <= p.rsi_low or rsi >= p.rsi_high:
        return
    strength = 0.5 + min((now.adx - p.min_adx) / 50.0, 0.2) + max(min(10.0 * slope, 0.15), 0.0)
    confidence = 0.55 + 0.1
    if now.volume_ratio > 1.3:
        strength += 0.1
    if now.volume_ratio > 1.2:
        confidence += 0.1
    if now.adx > 35.0:
        confidence += 0.15
    if 50.0 < rsi < 70.0:
        confidence += 0.1
    vote.abstain = VOTED
    vote.score = side * min(strength, 1.0)
    vote.confidence = min(confidence, 1.0)
    vote.stop_distance = p.stop_atr * now.atr
    vote.target_distance = p.target_atr * now.atr


@kernel
def draw(s, p, now, out):
    """The averages, and the ADX it asks for."""
    out[0] = ema.value(s.fast, p.fast)
    out[1] = ema.value(s.slow, p.slow)
    out[2] = p.min_adx
