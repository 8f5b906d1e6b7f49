"""Reversal: RSI was extreme a moment ago and the market has turned for some bars.

Long: RSI was below ``extreme`` within the last ``confirm`` + 3 bars (this one not counted), and each
of the last ``confirm`` - 1 bars made a higher low or each made a higher close. Short is the mirror.
Hammer: a lower wick of twice the body, an upper wick under half of it, body under 0.4 of a range of
at least 1 ‰; the original asks for 1 %, which a bar of minutes never has.
"""

import numpy as np

from trading.core.indicators import ema
from trading.core.jit import kernel
from trading.core.votes import NO_SETUP, WARMING_UP, cast, mirrored

NAME = "reversal"
FAMILY = 1
EMA_BARS = 20
DEEP, DEEP_BARS = 15.0, 10
FAR = 0.02
LEAST_RANGE = 0.001
STATE = np.dtype(
    [
        ("ema", ema.STATE),
        ("seen", "i8"),
        ("since_low", "i8"),  # bars since RSI was extreme
        ("since_high", "i8"),
        ("since_deep_low", "i8"),
        ("since_deep_high", "i8"),
        ("lows", "i8"),  # higher lows in a row
        ("highs", "i8"),  # lower highs in a row
        ("ups", "i8"),
        ("downs", "i8"),
        ("open_1", "f8"),
        ("high_1", "f8"),
        ("low_1", "f8"),
        ("close_1", "f8"),
    ]
)


@kernel
def is_hammer(bar, side):
    """A long wick against the move that ended."""
    body, spread = abs(bar.close - bar.open), bar.high - bar.low
    under = min(bar.open, bar.close) - bar.low
    over = bar.high - max(bar.open, bar.close)
    wick, other = (under, over) if side > 0 else (over, under)
    long_wick = wick > 2.0 * body and other < 0.5 * max(body, 1e-12 * bar.close)
    return long_wick and body < 0.4 * spread and spread >= LEAST_RANGE * bar.close


@kernel
def is_engulfing(s, bar, side):
    """A body against the move that covers the body before."""
    turned = side * (bar.close - bar.open) > 0.0 and side * (s.close_1 - s.open_1) < 0.0
    covers = side * (bar.close - s.open_1) >= 0.0 and side * (s.close_1 - bar.open) >= 0.0
    return turned and covers


@kernel
def count(s, bar):
    """Runs of lows, highs and closes up to this bar."""
    s.lows = s.lows + 1 if bar.low > s.low_1 else 0
    s.highs = s.highs + 1 if bar.high < s.high_1 else 0
    s.ups = s.ups + 1 if bar.close > s.close_1 else 0
    s.downs = s.downs + 1 if bar.close < s.close_1 else 0


@kernel
def remember(s, bar, rsi, extreme):
    """What later bars look back on."""
    s.open_1, s.high_1, s.low_1, s.close_1 = bar.open, bar.high, bar.low, bar.close
    s.since_low = 0 if rsi < extreme else s.since_low + 1
    s.since_high = 0 if rsi > 100.0 - extreme else s.since_high + 1
    s.since_deep_low = 0 if rsi < DEEP else s.since_deep_low + 1
    s.since_deep_high = 0 if rsi > 100.0 - DEEP else s.since_deep_high + 1


@kernel
def score(s, p, bar, now, vote):
    """Update the runs and vote."""
    average = ema.update(s.ema, bar.close, EMA_BARS)
    count(s, bar)
    lately = p.confirm + 3
    vote.abstain = WARMING_UP if s.seen <= lately or np.isnan(now.adx) else NO_SETUP
    if vote.abstain == NO_SETUP and min(s.since_low, s.since_high) < lately:
        side = 1 if s.since_low <= s.since_high else -1
        judge(s, p, bar, now, (side, average), vote)
    if np.isnan(now.rsi):
        return
    if s.seen == 0:  # nothing was extreme before the first value
        s.since_low = s.since_high = s.since_deep_low = s.since_deep_high = 1_000
    s.seen += 1
    remember(s, bar, now.rsi, p.extreme)


@kernel
def judge(s, p, bar, now, at, vote):
    """The vote of a market that was extreme lately."""
    side, average = at
    ranges, closes = (s.lows, s.ups) if side > 0 else (s.highs, s.downs)
    by_range, by_close = ranges >= p.confirm - 1, closes >= p.confirm - 1
    if not (by_range or by_close):
        return
    rsi = mirrored(now.rsi, side)
    deep = (s.since_deep_low if side > 0 else s.since_deep_high) < DEEP_BARS
    far = side * (average - bar.close) > FAR * average
    hammer, engulfing = is_hammer(bar, side), is_engulfing(s, bar, side)
    quiet = now.volume_ratio < 0.8
    strength = 0.35 + min(max((rsi - p.extreme) / 30.0, 0.0), 0.2)
    strength += 0.15 if by_range and by_close else 0.08
    strength += (0.12 if hammer else 0.0) + (0.15 if engulfing else 0.0)
    strength += (0.08 if quiet else 0.0) + (0.10 if far else 0.0)
    confidence = 0.30 + (0.15 if hammer or engulfing else 0.0)
    confidence += (0.15 if by_range and by_close else 0.0) + (0.10 if quiet else 0.0)
    confidence += (0.10 if rsi > p.extreme + 10.0 else 0.0) + (0.10 if far else 0.0)
    confidence += 0.10 if deep else 0.0
    cast(vote, side, (strength, confidence), (p.stop_atr * now.atr, p.target_atr * now.atr))


@kernel
def draw(s, p, now, out):
    """The average, and where RSI is extreme."""
    out[0] = ema.value(s.ema, EMA_BARS)
    out[1], out[2] = p.extreme, 100.0 - p.extreme
