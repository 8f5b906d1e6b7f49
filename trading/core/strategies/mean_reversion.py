"""Mean reversion: price at a Bollinger extreme, oversold, and the selling is drying up.

Long: %B below ``edge``, RSI below ``oversold``, and either a bullish divergence (close within
0.5 % of the lowest low of the last ``memory`` bars while RSI stands above its own lowest) or
falling volume (this bar and the last below the one before them) with a close above the last.
Short is the mirror.
"""

import numpy as np

from trading.core.codes import Abstain
from trading.core.indicators import bollinger, window
from trading.core.jit import kernel
from trading.core.votes import ROUNDING

NAME = "mean_reversion"
FAMILY = 1
WIDTH_BARS = 20
STATE = np.dtype(
    [
        ("bands", window.state(128)),
        ("widths", window.state(32)),
        ("lows", window.state(64)),
        ("highs", window.state(64)),
        ("rsi_lows", window.state(64)),
        ("rsi_highs", window.state(64)),
        ("low", "f8"),
        ("high", "f8"),
        ("rsi_low", "f8"),
        ("rsi_high", "f8"),
        ("volume_1", "f8"),
        ("volume_2", "f8"),
        ("close_1", "f8"),
    ]
)
WARMING_UP, NO_SETUP, VOTED = int(Abstain.WARMING_UP), int(Abstain.NO_SETUP), int(Abstain.VOTED)


@kernel
def score(s, p, bar, now, vote):
    """Update bands and extremes, then vote."""
    mid, half = bollinger.update(s.bands, bar.close, p.period, p.width)
    low, high, rsi_low, rsi_high = s.low, s.high, s.rsi_low, s.rsi_high
    declining = bar.volume < s.volume_2 and s.volume_1 < s.volume_2
    close_1 = s.close_1
    remember(s, p, bar, now)
    vote.abstain = WARMING_UP
    if np.isnan(half) or s.lows.seen <= p.memory or s.rsi_lows.seen <= p.memory:
        return
    relative = half / mid if mid > 0.0 else 0.0
    window.push_sum(s.widths, relative, WIDTH_BARS)
    vote.abstain = NO_SETUP
    if half <= 0.0:
        return
    place = (bar.close - (mid - half)) / (2.0 * half)
    side = 1 if place < 0.5 else -1
    if side < 0:
        place = 1.0 - place
    rsi = now.rsi if side > 0 else 100.0 - now.rsi
    if place >= p.edge or rsi >= p.oversold:
        return
    if side > 0:
        divergence = bar.close <= low * 1.005 and now.rsi > rsi_low + ROUNDING
        turning = declining and bar.close > close_1
    else:
        divergence = bar.close >= high * 0.995 and now.rsi < rsi_high - ROUNDING
        turning = declining and bar.close < close_1
    if not (divergence or turning):
        return
    strength = 0.4 + min((p.edge - place) * 2.0, 0.3) + (p.oversold - rsi) / 30.0 * 0.2
    confidence = 0.35
    if declining:
        strength += 0.1
        confidence += 0.1
    if divergence:
        strength += 0.15
        confidence += 0.15
    if rsi < 25.0:
        confidence += 0.15
    if place < 0.05:
        confidence += 0.15
    if relative >= 0.8 * window.mean(s.widths, WIDTH_BARS):
        confidence += 0.1
    vote.abstain = VOTED
    vote.score = side * min(strength, 1.0)
    vote.confidence = min(confidence, 1.0)
    vote.stop_distance = p.stop_atr * now.atr
    vote.target_distance = max(p.target_atr * now.atr, side * (mid - bar.close))


@kernel
def remember(s, p, bar, now):
    """Take the bar into the extremes that later bars look back on."""
    s.low = window.push_extreme(s.lows, bar.low, p.memory, -1)
    s.high = window.push_extreme(s.highs, bar.high, p.memory, 1)
    if not np.isnan(now.rsi):
        s.rsi_low = window.push_extreme(s.rsi_lows, now.rsi, p.memory, -1)
        s.rsi_high = window.push_extreme(s.rsi_highs, now.rsi, p.memory, 1)
    s.volume_2, s.volume_1 = s.volume_1, bar.volume
    s.close_1 = bar.close


@kernel
def draw(s, p, now, out):
    """The bands, and the RSI it asks for."""
    mid = window.mean(s.bands, p.period)
    half = p.width * window.deviation(s.bands, p.period)
    out[0], out[1], out[2] = mid + half, mid, mid - half
    out[3], out[4] = p.oversold, 100.0 - p.oversold
