"""Stochastic divergence: %K crosses %D out of an extreme, best where price and %K disagree.

Long: %K below ``oversold`` and crossing above %D on this bar. Divergence: of the last two strict local
lows, both within ``memory`` bars, the newer is lower in price and higher in %K. A low is known one
bar after it happened. Short is the mirror.
"""

import numpy as np

from trading.core.indicators import stochastic, window
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, ROUNDING, WARMING_UP, cast, mirrored

NAME = "stochastic_divergence"
FAMILY = 1
DEEP = 10.0
TURN = np.dtype(
    [
        ("price", "f8"),
        ("k", "f8"),
        ("at", "i8"),
        ("price_before", "f8"),
        ("k_before", "f8"),
        ("at_before", "i8"),
    ]
)
STATE = np.dtype(
    [
        ("lines", stochastic.STATE),
        ("seen", "i8"),
        ("gap_1", "f8"),
        ("k_1", "f8"),
        ("low_1", "f8"),
        ("low_2", "f8"),
        ("high_1", "f8"),
        ("high_2", "f8"),
        ("lows", TURN),
        ("highs", TURN),
    ]
)


@kernel
def note(turn, price, k, at):
    """A local extreme was confirmed."""
    turn.price_before, turn.k_before, turn.at_before = turn.price, turn.k, turn.at
    turn.price, turn.k, turn.at = price, k, at


@kernel
def diverges(turn, side, oldest):
    """Whether the newer extreme is further in price and less far in %K."""
    if turn.at_before < oldest or turn.at_before == 0:
        return False
    return side * (turn.price_before - turn.price) > 0.0 and side * (turn.k - turn.k_before) > 0.0


@kernel
def score(s, p, bar, now, vote):
    """Update the lines and the turns, then vote."""
    k, d = stochastic.update(s.lines, bar.high, bar.low, bar.close, p.period, p.smooth)
    vote.abstain = WARMING_UP
    if np.isnan(d) or np.isnan(now.adx):
        return
    s.seen += 1
    if s.seen >= 3:
        if s.low_1 < s.low_2 and s.low_1 < bar.low:
            note(s.lows, s.low_1, s.k_1, s.seen - 1)
        if s.high_1 > s.high_2 and s.high_1 > bar.high:
            note(s.highs, s.high_1, s.k_1, s.seen - 1)
    gap, gap_1 = k - d, s.gap_1
    if abs(gap) <= ROUNDING:
        gap = 0.0
    s.gap_1, s.k_1 = gap, k
    s.low_2, s.low_1 = s.low_1, bar.low
    s.high_2, s.high_1 = s.high_1, bar.high
    if s.seen < 2:
        return
    vote.abstain = NO_SETUP
    side = 1 if gap > 0.0 else -1
    place = mirrored(k, side)
    if side * gap_1 > 0.0 or gap == 0.0 or place >= p.oversold:
        return
    turn = s.lows if side > 0 else s.highs
    found = diverges(turn, side, s.seen - p.memory)
    strength = 0.45 + (0.10 if place < DEEP else 0.0) + (0.20 if found else 0.0)
    confidence = 0.40 + (0.08 if place < DEEP else 0.0) + (0.20 if found else -0.05)
    confidence += 0.05 if side * gap > 3.0 else 0.0
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The lines and their extremes."""
    out[0] = window.mean(s.lines.raw, p.smooth)
    out[1] = window.mean(s.lines.slow, p.smooth)
    out[2], out[3] = p.oversold, 100.0 - p.oversold
