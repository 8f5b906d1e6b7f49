"""Market structure: price is back at the last swing low of a market of higher highs and higher lows.

Long: the last two confirmed swing highs rise and the last two swing lows rise; the close lies within
``tolerance`` ATR of the last swing low; RSI above ``rsi_min``. Short is the mirror. The original's fixed
0.5 % of the price holds nearly every minute and hardly any day.
"""

import numpy as np

from trading.core.indicators import swings
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, WARMING_UP, cast, mirrored

NAME = "market_structure"
FAMILY = 5
SPREAD = 0.01
STATE = np.dtype([("highs", swings.STATE), ("lows", swings.STATE), ("momentum_1", "f8")])


@kernel
def score(s, p, bar, now, vote):
    """Update the swings and vote."""
    swings.update(s.highs, bar.high, p.reach, 1)
    swings.update(s.lows, bar.low, p.reach, -1)
    before, s.momentum_1 = s.momentum_1, now.momentum
    vote.abstain = WARMING_UP
    if s.highs.count < 2 or s.lows.count < 2 or np.isnan(now.adx):
        return
    vote.abstain = NO_SETUP
    up = s.highs.last > s.highs.before and s.lows.last > s.lows.before
    down = s.highs.last < s.highs.before and s.lows.last < s.lows.before
    if not (up or down):
        return
    side = 1 if up else -1
    level = s.lows.last if up else s.highs.last
    away = abs(bar.close - level)
    rsi = mirrored(now.rsi, side)
    near = p.tolerance * now.atr
    if away > near or rsi <= p.rsi_min:
        return
    close_by, heavy = away <= 0.5 * near, now.volume_ratio > 1.0
    turning = side * (now.momentum - before) > 0.0
    strength = 0.40 + (0.10 if close_by else 0.0) + (0.10 if heavy else 0.0)
    strength += 0.10 if turning else 0.0
    confidence = 0.40 + (0.08 if close_by else 0.0) + (0.08 if heavy else 0.0)
    confidence += 0.08 if turning else 0.0
    far = s.highs if up else s.lows
    confidence += 0.10 if abs(far.last - far.before) > SPREAD * far.before else 0.0
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The last confirmed swings."""
    if s.highs.count > 0:
        out[0] = s.highs.last
    if s.lows.count > 0:
        out[1] = s.lows.last
