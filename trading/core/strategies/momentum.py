"""Momentum: RSI above its level and growing, with a burst of volume.

Long: RSI above ``min_rsi`` and above the bar before, volume at least ``min_volume`` times its mean.
Short is the mirror, RSI mirrored at 50.
"""

import numpy as np

from trading.core.indicators import ema
from trading.core.jit import kernel
from trading.core.votes import NO_INPUT, NO_SETUP, ROUNDING, WARMING_UP, cast, mirrored

NAME = "momentum"
FAMILY = 2
EMA_BARS = 8
STATE = np.dtype(
    [("ema", ema.STATE), ("rsi_1", "f8"), ("close_1", "f8"), ("ups", "i8"), ("downs", "i8")]
)


@kernel
def score(s, p, bar, now, vote):
    """Update the runs and vote."""
    average = ema.update(s.ema, bar.close, EMA_BARS)
    rsi_1, s.rsi_1 = s.rsi_1, now.rsi
    s.ups = s.ups + 1 if bar.close > s.close_1 else 0
    s.downs = s.downs + 1 if bar.close < s.close_1 else 0
    s.close_1 = bar.close
    vote.abstain = WARMING_UP
    if np.isnan(now.adx) or np.isnan(now.momentum):
        return
    if np.isnan(now.volume_ratio):
        vote.abstain = NO_INPUT
        return
    vote.abstain = NO_SETUP
    side = 1 if now.rsi > 50.0 else -1
    rsi, before = mirrored(now.rsi, side), mirrored(rsi_1, side)
    if rsi <= p.min_rsi or rsi <= before + ROUNDING or now.volume_ratio < p.min_volume:
        return
    run = s.ups if side > 0 else s.downs
    change = side * now.momentum
    strength = 0.30 + min((rsi - p.min_rsi) / 50.0, 0.2)
    strength += min(0.15 * (now.volume_ratio - p.min_volume), 0.2)
    strength += min(max(5.0 * change, 0.0), 0.15)
    confidence = 0.50
    if run >= 3:
        strength += 0.10
        confidence += 0.10
    if side * (bar.close - average) > 0.0:
        confidence += 0.10
    if change > 0.01:
        confidence += 0.10
    if 55.0 < rsi < 75.0:
        confidence += 0.10
    if now.volume_ratio > 2.0:
        confidence += 0.10
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The average, and the RSI it asks for."""
    out[0] = ema.value(s.ema, EMA_BARS)
    out[1], out[2] = p.min_rsi, 100.0 - p.min_rsi
