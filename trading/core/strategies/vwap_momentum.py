"""VWAP momentum: a pullback against a rolling VWAP that moves.

Long: the VWAP rose by at least ``min_slope`` over ``slope_bars`` and the close lies at least ``pullback``
volume-weighted deviations below it; more in a range and in a storm, less in a trend and in a calm.
Short is the mirror.
"""

import numpy as np

from trading.core.codes import Regime, Volatility
from trading.core.indicators import momentum, vwap
from trading.core.jit import kernel
from trading.core.votes import NO_INPUT, NO_SETUP, WARMING_UP, cast

NAME = "vwap_momentum"
FAMILY = 4
BAND, STEEP = 1.5, 0.001
LEAST_PULLBACK = 0.2
TREND, RANGE = int(Regime.TREND), int(Regime.RANGE)
STORM, CALM = int(Volatility.HIGH), int(Volatility.LOW)
STATE = np.dtype([("vwap", vwap.STATE), ("slope", momentum.STATE), ("momentum_1", "f8")])


@kernel
def pullback_needed(p, now):
    """Deviations the price must have come back, by regime."""
    needed = p.pullback
    if now.regime == TREND:
        needed -= 0.12
    elif now.regime == RANGE:
        needed += 0.12
    if now.volatility == STORM:
        needed += 0.10
    elif now.volatility == CALM:
        needed -= 0.05
    return max(needed, LEAST_PULLBACK)


@kernel
def score(s, p, bar, now, vote):
    """Update the VWAP and vote."""
    average, deviation = vwap.update(s.vwap, bar, p.period)
    before, s.momentum_1 = s.momentum_1, now.momentum
    vote.abstain = WARMING_UP if s.vwap.seen < p.period else NO_INPUT
    if np.isnan(average):
        return
    slope = momentum.update(s.slope, average, p.slope_bars)
    vote.abstain = WARMING_UP
    if np.isnan(slope) or np.isnan(now.adx):
        return
    vote.abstain = NO_SETUP
    side = 1 if slope > 0.0 else -1
    if side * slope < p.min_slope or deviation <= 0.0:
        return
    z = side * (bar.close - average) / deviation
    if z > -pullback_needed(p, now):
        return
    heavy, turning = now.volume_ratio >= 1.0, side * (now.momentum - before) > 0.0
    strength = 0.35 + min(-z / BAND, 0.3) + (0.10 if heavy else 0.0) + (0.10 if turning else 0.0)
    confidence = 0.35 + (0.10 if heavy else 0.0) + (0.10 if turning else 0.0)
    confidence += (0.10 if side * slope > STEEP else 0.0) + (0.10 if z < -1.0 else 0.0)
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The VWAP, and how far the price must come back."""
    average, deviation = vwap.value(s.vwap, p.period)
    needed = pullback_needed(p, now) * deviation
    out[0], out[1], out[2] = average, average - needed, average + needed
