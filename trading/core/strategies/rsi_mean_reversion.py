"""RSI mean reversion: RSI at an extreme and turning.

Long: RSI at or below ``oversold`` and above the bar before. The level moves with the regime: 5 lower in
a trend, 5 higher in a range, 3 lower in a storm, 2 higher in a calm, within 5 … 45. Short is the
mirror.
"""

import numpy as np

from trading.core.codes import Regime, Volatility
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, ROUNDING, WARMING_UP, cast, mirrored

NAME = "rsi_mean_reversion"
FAMILY = 1
TREND, RANGE = int(Regime.TREND), int(Regime.RANGE)
STORM, CALM = int(Volatility.HIGH), int(Volatility.LOW)
STATE = np.dtype([("rsi_1", "f8"), ("rsi_2", "f8")])


@kernel
def level_of(p, now):
    """The level of a long in this regime."""
    level = p.oversold
    if now.regime == TREND:
        level -= 5.0
    elif now.regime == RANGE:
        level += 5.0
    if now.volatility == STORM:
        level -= 3.0
    elif now.volatility == CALM:
        level += 2.0
    return min(max(level, 5.0), 45.0)


@kernel
def score(s, p, bar, now, vote):
    """Remember the last values and vote."""
    rsi_1, rsi_2 = s.rsi_1, s.rsi_2
    s.rsi_2, s.rsi_1 = rsi_1, now.rsi
    vote.abstain = WARMING_UP
    if np.isnan(now.adx) or np.isnan(rsi_2):
        return
    vote.abstain = NO_SETUP
    side = 1 if now.rsi < 50.0 else -1
    rsi, level = mirrored(now.rsi, side), level_of(p, now)
    if rsi > level or rsi <= mirrored(rsi_1, side) + ROUNDING:
        return
    turned = mirrored(rsi_1, side) <= mirrored(rsi_2, side)
    strength = 0.35 + min((level - rsi) / 30.0, 0.3) + (0.10 if rsi < 20.0 else 0.0)
    confidence = 0.35 + (0.15 if rsi < 25.0 else 0.0) + (0.10 if turned else 0.0)
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The levels of this regime."""
    level = level_of(p, now)
    out[0], out[1] = level, 100.0 - level
