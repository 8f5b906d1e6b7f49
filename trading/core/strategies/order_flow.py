"""Order flow: a deep book that leans to one side.

Long: book score at least ``min_score`` in a book of at least ``min_depth``. Short is the mirror. A
tight spread and higher lows (for a short: lower highs) add to it. Without a fresh book it abstains.
"""

import numpy as np

from trading.core.jit import kernel
from trading.core.votes import NO_INPUT, NO_SETUP, WARMING_UP, cast

NAME = "order_flow"
FAMILY = 3
WHALE, LEAN = 0.1, 0.15
STATE = np.dtype(
    [
        ("low_1", "f8"),
        ("low_2", "f8"),
        ("low_3", "f8"),
        ("high_1", "f8"),
        ("high_2", "f8"),
        ("high_3", "f8"),
    ]
)


@kernel
def score(s, p, bar, now, vote):
    """Remember the extremes and vote."""
    rising = int(bar.low > s.low_1) + int(s.low_1 > s.low_2) + int(s.low_2 > s.low_3)
    falling = int(bar.high < s.high_1) + int(s.high_1 < s.high_2) + int(s.high_2 < s.high_3)
    s.low_3, s.low_2, s.low_1 = s.low_2, s.low_1, bar.low
    s.high_3, s.high_2, s.high_1 = s.high_2, s.high_1, bar.high
    vote.abstain = WARMING_UP
    if np.isnan(now.atr):
        return
    vote.abstain = NO_INPUT
    if np.isnan(now.book_score):
        return
    vote.abstain = NO_SETUP
    side = 1 if now.book_score > 0.0 else -1
    beyond = side * now.book_score - p.min_score
    if beyond < 0.0 or now.depth < p.min_depth:
        return
    tight = now.spread < p.tight_spread
    stepping = (rising if side > 0 else falling) >= 2
    strength = 0.40 + min(0.5 * beyond, 0.25)
    strength += (0.10 if tight else 0.0) + (0.10 if stepping else 0.0)
    confidence = 0.35 + min(0.4 * beyond, 0.20) + (0.08 if tight else 0.0)
    confidence += 0.10 if stepping else 0.0
    confidence += 0.08 if side * now.whale_bias > WHALE else 0.0
    confidence += 0.05 if side * now.imbalance > LEAN else 0.0
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The book's score, and the one it asks for."""
    out[0] = now.book_score
    out[1], out[2] = p.min_score, -p.min_score
