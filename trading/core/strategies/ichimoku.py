"""Ichimoku: Tenkan crosses Kijun on this bar while price stands beyond the cloud.

Long: close above the cloud's top and Tenkan crosses above Kijun. Short is the mirror. The cloud is
the one drawn ``medium`` bars ahead of its prices, as the method has it; the original compared with
today's spans and gave a bonus for Tenkan above Kijun, which a cross always is. The stop lies beyond
the cloud's far edge where that is further than ``stop_atr``.
"""

import numpy as np

from trading.core.indicators import ichimoku
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, WARMING_UP, cast

NAME = "ichimoku"
FAMILY = 0
WIDE, NEAR = 0.005, 0.01
STATE = np.dtype(
    [("lines", ichimoku.STATE), ("above", "i8"), ("top", "f8"), ("bottom", "f8")]  # of the cloud
)


@kernel
def score(s, p, bar, now, vote):
    """Update the lines and vote."""
    tenkan, kijun, top, bottom, before = ichimoku.update(s.lines, bar, p.short, p.medium, p.long)
    s.top, s.bottom = top, bottom
    vote.abstain = WARMING_UP
    if np.isnan(kijun) or np.isnan(tenkan):
        return
    last = s.above
    if tenkan != kijun:
        s.above = 1 if tenkan > kijun else -1
    if np.isnan(top) or np.isnan(bottom) or np.isnan(now.adx):
        return
    vote.abstain = NO_SETUP
    side = s.above
    if side == last or last == 0:
        return
    edge, far = (top, bottom) if side > 0 else (bottom, top)
    if side * (bar.close - edge) <= 0.0:
        return
    wide = top - bottom > WIDE * bar.close
    lagging = side * (bar.close - before) > 0.0
    strength = 0.50 + (0.10 if wide else 0.0) + (0.15 if lagging else 0.0)
    confidence = 0.45 + (0.05 if wide else 0.0) + (0.15 if lagging else 0.0)
    confidence += 0.05 if side * (bar.close - edge) < NEAR * bar.close else 0.0
    stop = max(p.stop_atr * now.atr, side * (bar.close - far))
    cast(vote, side, (strength, confidence), (stop, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The lines, and the cloud over this bar."""
    lines = s.lines
    if lines.high_1.seen >= p.short:
        out[0] = 0.5 * (lines.high_1.extreme + lines.low_1.extreme)
    if lines.high_2.seen >= p.medium:
        out[1] = 0.5 * (lines.high_2.extreme + lines.low_2.extreme)
    out[2], out[3] = s.top, s.bottom
