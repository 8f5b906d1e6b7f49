"""Supertrend: the line turns on this bar; volume makes it surer.

Long: the side turns from below to above the line. Short is the mirror. The stop lies at the line where
that is further than ``stop_atr``.
"""

import numpy as np

from trading.core.indicators import supertrend
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, WARMING_UP, cast

NAME = "supertrend"
FAMILY = 0
NEAR = 0.02
BURST = 2.0
STATE = np.dtype([("line", supertrend.STATE)])


@kernel
def score(s, p, bar, now, vote):
    """Update the line and vote."""
    last = s.line.side
    side, line = supertrend.update(s.line, bar.high, bar.low, bar.close, p.period, p.width)
    vote.abstain = WARMING_UP
    if side == 0 or last == 0 or np.isnan(now.adx):
        return
    vote.abstain = NO_SETUP
    if side == last:
        return
    heavy, burst = now.volume_ratio >= p.min_volume, now.volume_ratio > BURST
    strength = 0.50 + (0.15 if heavy else 0.0) + (0.10 if burst else 0.0)
    confidence = 0.40 + (0.15 if heavy else -0.05) + (0.05 if burst else 0.0)
    away = side * (bar.close - line)
    confidence += 0.08 if away <= NEAR * bar.close else 0.0
    stop = max(p.stop_atr * now.atr, away)
    cast(vote, side, (strength, confidence), (stop, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The line, on the side where it stands."""
    if s.line.side > 0:
        out[0] = s.line.lower
    elif s.line.side < 0:
        out[1] = s.line.upper
