"""Volatility squeeze: the Bollinger bands leave the Keltner channel after lying inside it.

Long: squeezed for at least ``min_bars`` bars up to the last, not on this one; the rate of change above
0 and rising for three bars; and a close above both upper edges, or a rate of change that was above 0
before. Short is the mirror.
"""

import numpy as np

from trading.core.indicators import bollinger, ema, momentum, window
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, WARMING_UP, cast

NAME = "volatility_squeeze"
FAMILY = 2
LONG_SQUEEZE, FAIR_SQUEEZE = 8, 5
STATE = np.dtype(
    [
        ("bands", window.state(64)),
        ("middle", ema.STATE),
        ("change", momentum.STATE),
        ("squeezed", "i8"),  # bars in a row, up to the last
        ("change_1", "f8"),
        ("step_1", "f8"),
        ("ups", "i8"),
        ("downs", "i8"),
    ]
)


@kernel
def score(s, p, bar, now, vote):
    """Update bands, channel and rate of change, then vote."""
    mid, half = bollinger.update(s.bands, bar.close, p.period, p.band_width)
    middle = ema.update(s.middle, bar.close, p.period)
    change = momentum.update(s.change, bar.close, p.momentum)
    vote.abstain = WARMING_UP
    if np.isnan(half) or np.isnan(change) or np.isnan(now.adx):
        return
    channel = p.channel_width * now.atr
    upper, lower = middle + channel, middle - channel
    inside = mid + half < upper and mid - half > lower
    squeezed = s.squeezed
    s.squeezed = squeezed + 1 if inside else 0
    step, step_1, change_1 = change - s.change_1, s.step_1, s.change_1
    s.change_1, s.step_1 = change, step
    s.ups = s.ups + 1 if step > 0.0 else 0
    s.downs = s.downs + 1 if step < 0.0 else 0
    vote.abstain = NO_SETUP
    if inside or squeezed < p.min_bars:
        return
    side = 1 if change > 0.0 else -1
    run = s.ups if side > 0 else s.downs
    edge = max(mid + half, upper) if side > 0 else min(mid - half, lower)
    broken = side * (bar.close - edge) > 0.0
    if run < 2 or change == 0.0 or not (broken or side * change_1 > 0.0):
        return
    faster = side * (step - step_1) > 0.0
    strength = 0.50 + (0.10 if faster else 0.0)
    confidence = 0.45 + (0.08 if faster else 0.0)
    if squeezed >= LONG_SQUEEZE:
        strength += 0.15
        confidence += 0.10
    elif squeezed >= FAIR_SQUEEZE:
        strength += 0.08
        confidence += 0.05
    confidence += 0.05 if side * (bar.close - mid) > 0.0 else 0.0
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The bands, and the channel that holds them in a squeeze."""
    mid = window.mean(s.bands, p.period)
    half = p.band_width * window.deviation(s.bands, p.period)
    middle, channel = ema.value(s.middle, p.period), p.channel_width * now.atr
    out[0], out[1] = mid + half, mid - half
    out[2], out[3] = middle + channel, middle - channel
