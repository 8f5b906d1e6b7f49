"""Keltner: price dips to the channel's edge and closes back inside while momentum turns.

Long: the low within 1 ‰ of the lower edge and the close above it, RSI between 15 and ``rsi_max``, the
MACD histogram rising, and a rising bar or a close above the last. Short is the mirror. The target
is the channel's middle where that is further than ``target_atr``.
"""

import numpy as np

from trading.core.indicators import ema, macd
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, WARMING_UP, cast, mirrored

NAME = "keltner"
FAMILY = 1
TOUCH = 0.001
RSI_MIN = 15.0
FAST, SLOW, SIGNAL = 12, 26, 9
STATE = np.dtype(
    [
        ("ema", ema.STATE),
        ("macd", macd.STATE),
        ("histogram_1", "f8"),
        ("seen", "i8"),
        ("ups", "i8"),  # histogram rising in a row
        ("downs", "i8"),
        ("close_1", "f8"),
    ]
)


@kernel
def score(s, p, bar, now, vote):
    """Update channel and histogram, then vote."""
    middle = ema.update(s.ema, bar.close, p.period)
    histogram = macd.update(s.macd, bar.close, FAST, SLOW, SIGNAL)
    before, close_1 = s.histogram_1, s.close_1
    s.close_1 = bar.close
    vote.abstain = WARMING_UP
    if np.isnan(histogram):
        return
    s.histogram_1 = histogram
    s.seen += 1
    if s.seen == 1 or np.isnan(middle) or np.isnan(now.adx):
        return
    s.ups = s.ups + 1 if histogram > before else 0
    s.downs = s.downs + 1 if histogram < before else 0
    vote.abstain = NO_SETUP
    half = p.width * now.atr
    side = 1 if bar.low <= (middle - half) * (1.0 + TOUCH) else -1
    edge = middle - side * half
    reached = bar.low if side > 0 else -bar.high
    run = s.ups if side > 0 else s.downs
    if reached > side * edge + TOUCH * edge or side * (bar.close - edge) <= 0.0 or run == 0:
        return
    rsi = mirrored(now.rsi, side)
    green, higher = side * (bar.close - bar.open) > 0.0, side * (bar.close - close_1) > 0.0
    if not RSI_MIN < rsi < p.rsi_max or not (green or higher) or half <= 0.0:
        return
    place = side * (bar.close - edge) / (2.0 * half)  # 0 at the edge, 1 at the other one
    turning = side * before < 0.0
    strength = 0.4 + min(max(0.5 - place, 0.0) * 2.0, 0.3)
    strength += (0.15 if turning else 0.0) + (0.10 if green and higher else 0.0)
    confidence = 0.45 + (0.10 if green else 0.0) + (0.08 if higher else 0.0)
    confidence += (0.12 if turning else 0.0) + (0.10 if rsi < 30.0 else 0.0)
    confidence += (0.10 if place < 0.1 else 0.0) + (0.05 if run >= 3 else 0.0)
    target = max(p.target_atr * now.atr, side * (middle - bar.close))
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, target))


@kernel
def draw(s, p, now, out):
    """The channel and the histogram."""
    middle = ema.value(s.ema, p.period)
    out[0], out[1], out[2] = middle + p.width * now.atr, middle, middle - p.width * now.atr
    if s.seen > 0:
        out[3] = s.histogram_1
