"""The rules of the later strategies once more, slowly: whole series, TA-Lib and plain lists.

Written from the rules, sharing no code with the kernels; only the parameters are common. Each takes the
facts of a series and a bar, and gives (side, strength, confidence, stop, target) or None.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import talib

from trading.core.config.pipeline import PipelineParams

TINY = 1e-9  # last bits of an oscillator are no movement
Told = tuple[int, float, float, float, float] | None


class Series:
    """Every indicator of a series, by bar; the book and funding rate are told from outside."""

    def __init__(self, bars: np.ndarray, params: PipelineParams) -> None:
        self.p = params.strategies
        self.open, self.high, self.low, self.close, self.volume = (
            bars[name].astype("f8").copy() for name in ("open", "high", "low", "close", "volume")
        )
        hlc = (self.high, self.low, self.close)
        self.atr, self.adx, self.rsi = (
            talib.ATR(*hlc, 14),
            talib.ADX(*hlc, 14),
            talib.RSI(self.close),
        )
        self.fast, self.slow = talib.EMA(self.close, 12), talib.EMA(self.close, 26)
        self.change = talib.ROCP(self.close, 10)
        k = params.strategies.keltner
        self.keltner_middle = talib.EMA(self.close, k.period)
        self.histogram = talib.MACD(self.close, 12, 26, 9)[2]
        s = params.strategies.stochastic_divergence
        self.k, self.d = talib.STOCH(*hlc, s.period, s.smooth, 0, s.smooth, 0)
        self.ema_20, self.ema_8 = talib.EMA(self.close, 20), talib.EMA(self.close, 8)
        q = params.strategies.volatility_squeeze
        self.squeeze_middle = talib.EMA(self.close, q.period)
        self.squeeze_change = talib.ROCP(self.close, q.momentum)
        self.lines = supertrend_lines(self)
        self.swing_highs, self.swing_lows = swings_of(self, 1), swings_of(self, -1)

    def ratio(self, i: int) -> float:
        """Volume over the mean of the twenty bars before."""
        mean = self.volume[i - 20 : i].mean()
        return self.volume[i] / mean if mean > 0 else math.nan

    def side_rsi(self, i: int, side: int) -> float:
        """RSI as a long would see it."""
        return self.rsi[i] if side > 0 else 100 - self.rsi[i]

    def trending(self, i: int) -> bool:
        return bool(self.adx[i] >= 25)

    def run(self, values: np.ndarray, i: int, sign: int) -> int:
        """How many steps in a row up to ``i`` went the sign's way."""
        n = 0
        while i - n >= 1 and sign * (values[i - n] - values[i - n - 1]) > 0:
            n += 1
        return n

    def told(self, side: int, scores: tuple[float, float], p: Any, i: int, **other: float) -> Told:
        strength, confidence = (min(max(x, 0.0), 1.0) for x in scores)
        stop = other.get("stop", p.stop_atr * self.atr[i])
        return side, strength, confidence, stop, other.get("target", p.target_atr * self.atr[i])


def momentum(f: Series, i: int) -> Told:
    p, side = f.p.momentum, 1 if f.rsi[i] > 50 else -1
    rsi, heavy = f.side_rsi(i, side), f.ratio(i)
    if not (rsi > p.min_rsi and rsi > f.side_rsi(i - 1, side) + TINY and heavy >= p.min_volume):
        return None
    change, row = side * f.change[i], f.run(f.close, i, side) >= 3
    strength = 0.3 + min((rsi - p.min_rsi) / 50, 0.2) + min(0.15 * (heavy - p.min_volume), 0.2)
    strength += min(max(5 * change, 0), 0.15) + 0.1 * row
    sure = 0.5 + 0.1 * (side * (f.close[i] - f.ema_8[i]) > 0) + 0.1 * (change > 0.01) + 0.1 * row
    sure += 0.1 * (55 < rsi < 75) + 0.1 * (heavy > 2)
    return f.told(side, (strength, sure), p, i)


def reversal(f: Series, i: int) -> Told:
    p = f.p.reversal
    lately = range(1, p.confirm + 4)
    low = next((k for k in lately if f.rsi[i - k] < p.extreme), 99)
    high = next((k for k in lately if f.rsi[i - k] > 100 - p.extreme), 99)
    if min(low, high) == 99:
        return None
    side = 1 if low < high else -1
    ranges = f.run(f.low if side > 0 else f.high, i, side) >= p.confirm - 1
    closes = f.run(f.close, i, side) >= p.confirm - 1
    if not (ranges or closes):
        return None
    o, c, h, low_ = f.open[i], f.close[i], f.high[i], f.low[i]
    body, spread = abs(c - o), h - low_
    under, over = min(o, c) - low_, h - max(o, c)
    wick, other = (under, over) if side > 0 else (over, under)
    hammer = wick > 2 * body and other < 0.5 * max(body, 1e-12 * c)
    hammer = hammer and body < 0.4 * spread and spread >= 0.001 * c
    engulfing = side * (c - o) > 0 and side * (f.close[i - 1] - f.open[i - 1]) < 0
    engulfing = engulfing and side * (c - f.open[i - 1]) >= 0 and side * (f.close[i - 1] - o) >= 0
    far = side * (f.ema_20[i] - c) > 0.02 * f.ema_20[i]
    deep = any((f.rsi[i - k] if side > 0 else 100 - f.rsi[i - k]) < 15 for k in range(1, 11))
    rsi, quiet, both = f.side_rsi(i, side), f.ratio(i) < 0.8, ranges and closes
    strength = 0.35 + min(max((rsi - p.extreme) / 30, 0), 0.2) + (0.15 if both else 0.08)
    strength += 0.12 * hammer + 0.15 * engulfing + 0.08 * quiet + 0.1 * far
    sure = 0.3 + 0.15 * (hammer or engulfing) + 0.15 * both + 0.1 * quiet
    sure += 0.1 * (rsi > p.extreme + 10) + 0.1 * far + 0.1 * deep
    return f.told(side, (strength, sure), p, i)


def keltner(f: Series, i: int) -> Told:
    p, middle, half = f.p.keltner, f.keltner_middle[i], f.p.keltner.width * f.atr[i]
    side = 1 if f.low[i] <= (middle - half) * 1.001 else -1
    edge = middle - side * half
    if side < 0 and f.high[i] < edge * 0.999:
        return None
    rises = side * (f.histogram[i] - f.histogram[i - 1]) > 0
    green, higher = side * (f.close[i] - f.open[i]) > 0, side * (f.close[i] - f.close[i - 1]) > 0
    rsi = f.side_rsi(i, side)
    inside = side * (f.close[i] - edge) > 0
    if not (inside and rises and 15 < rsi < p.rsi_max and (green or higher)):
        return None
    place, turning = side * (f.close[i] - edge) / (2 * half), side * f.histogram[i - 1] < 0
    strength = 0.4 + min(max(0.5 - place, 0) * 2, 0.3) + 0.15 * turning + 0.1 * (green and higher)
    sure = 0.45 + 0.1 * green + 0.08 * higher + 0.12 * turning + 0.1 * (rsi < 30)
    sure += 0.1 * (place < 0.1) + 0.05 * (f.run(f.histogram, i, side) >= 3)
    target = max(p.target_atr * f.atr[i], side * (middle - f.close[i]))
    return f.told(side, (strength, sure), p, i, target=target)


def middle_of(f: Series, i: int, period: int) -> float:
    span = slice(i + 1 - period, i + 1)
    return (f.high[span].max() + f.low[span].min()) / 2


def ichimoku(f: Series, i: int) -> Told:
    p = f.p.ichimoku
    sides, k = [], i
    while len(sides) < 2 and k > p.long:  # a tie keeps the side it was
        gap = middle_of(f, k, p.short) - middle_of(f, k, p.medium)
        if gap != 0 or k == i:
            sides.append(0 if gap == 0 else int(np.sign(gap)))
        k -= 1
    if 0 in sides or len(sides) < 2 or sides[0] == sides[1]:
        return None
    side, back = sides[0], i - p.medium
    a = (middle_of(f, back, p.short) + middle_of(f, back, p.medium)) / 2
    b = middle_of(f, back, p.long)
    near, far = (max(a, b), min(a, b)) if side > 0 else (min(a, b), max(a, b))
    beyond = side * (f.close[i] - near)
    if beyond <= 0:
        return None
    wide, lag = abs(a - b) > 0.005 * f.close[i], side * (f.close[i] - f.close[back]) > 0
    sure = 0.45 + 0.05 * wide + 0.15 * lag + 0.05 * (beyond < 0.01 * f.close[i])
    stop = max(p.stop_atr * f.atr[i], side * (f.close[i] - far))
    return f.told(side, (0.5 + 0.1 * wide + 0.15 * lag, sure), p, i, stop=stop)


def stochastic_divergence(f: Series, i: int) -> Told:
    p, gaps = f.p.stochastic_divergence, f.k - f.d
    gaps = np.where(abs(gaps) <= TINY, 0, gaps)
    gap = gaps[i]
    side = 1 if gap > 0 else -1
    place = f.k[i] if side > 0 else 100 - f.k[i]
    if gap == 0 or side * gaps[i - 1] > 0 or place >= p.oversold:
        return None
    values = f.low if side > 0 else -f.high
    turns = [j for j in range(2, i) if values[j] < values[j - 1] and values[j] < values[j + 1]]
    found = False
    if len(turns) >= 2 and turns[-2] >= i - p.memory:
        older, newer = turns[-2], turns[-1]
        found = values[newer] < values[older] and side * (f.k[newer] - f.k[older]) > 0
    strength = 0.45 + 0.1 * (place < 10) + 0.2 * found
    sure = 0.4 + 0.08 * (place < 10) + (0.2 if found else -0.05) + 0.05 * (side * gap > 3)
    return f.told(side, (strength, sure), p, i)


def squeezed(f: Series, i: int) -> tuple[bool, float, float, float]:
    p = f.p.volatility_squeeze
    seen = f.close[i + 1 - p.period : i + 1]
    mid, half = seen.mean(), p.band_width * seen.std()
    channel = p.channel_width * f.atr[i]
    upper, lower = f.squeeze_middle[i] + channel, f.squeeze_middle[i] - channel
    inside = mid + half < upper and mid - half > lower
    return inside, mid, max(mid + half, upper), min(mid - half, lower)


def volatility_squeeze(f: Series, i: int) -> Told:
    p, change = f.p.volatility_squeeze, f.squeeze_change
    inside, mid, top, bottom = squeezed(f, i)
    count = 0
    while squeezed(f, i - 1 - count)[0] and count < 60:
        count += 1
    if inside or count < p.min_bars or change[i] == 0:
        return None
    side = 1 if change[i] > 0 else -1
    broken = side * (f.close[i] - (top if side > 0 else bottom)) > 0
    if f.run(change, i, side) < 2 or not (broken or side * change[i - 1] > 0):
        return None
    faster = side * ((change[i] - change[i - 1]) - (change[i - 1] - change[i - 2])) > 0
    strength = 0.5 + 0.1 * faster + (0.15 if count >= 8 else 0.08 if count >= 5 else 0)
    sure = 0.45 + 0.08 * faster + (0.1 if count >= 8 else 0.05 if count >= 5 else 0)
    return f.told(side, (strength, sure + 0.05 * (side * (f.close[i] - mid) > 0)), p, i)


def supertrend_lines(f: Series) -> list[tuple[int, float]]:
    p = f.p.supertrend
    atr = talib.ATR(f.high, f.low, f.close, p.period)
    middle = (f.high + f.low) / 2
    upper, lower, side, lines = middle + p.width * atr, middle - p.width * atr, 0, []
    for i, close in enumerate(f.close):
        if math.isnan(atr[i]):
            lines.append((0, math.nan))
            continue
        if side and f.close[i - 1] <= upper[i - 1]:
            upper[i] = min(upper[i], upper[i - 1])
        if side and f.close[i - 1] >= lower[i - 1]:
            lower[i] = max(lower[i], lower[i - 1])
        if side == 0:
            side = 1 if close >= middle[i] else -1
        elif (side < 0 and close > upper[i]) or (side > 0 and close < lower[i]):
            side = -side
        lines.append((side, lower[i] if side > 0 else upper[i]))
    return lines


def supertrend(f: Series, i: int) -> Told:
    p, (side, line), heavy = f.p.supertrend, f.lines[i], f.ratio(i)
    if side == f.lines[i - 1][0] or f.lines[i - 1][0] == 0:
        return None
    away = side * (f.close[i] - line)
    strength = 0.5 + 0.15 * (heavy >= p.min_volume) + 0.1 * (heavy > 2)
    sure = 0.4 + (0.15 if heavy >= p.min_volume else -0.05) + 0.05 * (heavy > 2)
    sure += 0.08 * (away <= 0.02 * f.close[i])
    return f.told(side, (strength, sure), p, i, stop=max(p.stop_atr * f.atr[i], away))


def vwap_of(f: Series, i: int) -> tuple[float, float]:
    span = slice(i + 1 - f.p.vwap_momentum.period, i + 1)
    price, weight = (f.high[span] + f.low[span] + f.close[span]) / 3, f.volume[span]
    mean = np.average(price, weights=weight)
    return mean, math.sqrt(np.average((price - mean) ** 2, weights=weight))


def vwap_momentum(f: Series, i: int, storm: int = 0) -> Told:
    p, (mean, spread) = f.p.vwap_momentum, vwap_of(f, i)
    slope = mean / vwap_of(f, i - p.slope_bars)[0] - 1
    side = 1 if slope > 0 else -1
    if side * slope < p.min_slope or spread <= 0:
        return None
    needed = p.pullback + (-0.12 if f.trending(i) else 0.12) + (0.1, 0, -0.05)[1 - storm]
    z = side * (f.close[i] - mean) / spread
    if z > -max(needed, 0.2):
        return None
    heavy, turning = f.ratio(i) >= 1, side * (f.change[i] - f.change[i - 1]) > 0
    strength = 0.35 + min(-z / 1.5, 0.3) + 0.1 * heavy + 0.1 * turning
    sure = 0.35 + 0.1 * heavy + 0.1 * turning + 0.1 * (side * slope > 0.001) + 0.1 * (z < -1)
    return f.told(side, (strength, sure), p, i)


def swings_of(f: Series, sign: int) -> list[tuple[int, float]]:
    """(bar it was confirmed on, level) of every swing."""
    values, reach = (f.high if sign > 0 else -f.low), f.p.market_structure.reach
    found = []
    for centre in range(reach, len(values) - reach):
        around = values[centre - reach : centre + reach + 1]
        newer = values[centre + 1 : centre + reach + 1]
        if values[centre] == around.max() and newer.max() < values[centre]:
            found.append((centre + reach, sign * values[centre]))
    return found


def market_structure(f: Series, i: int) -> Told:
    p = f.p.market_structure
    highs = [level for at, level in f.swing_highs if at <= i][-2:]
    lows = [level for at, level in f.swing_lows if at <= i][-2:]
    if len(highs) < 2 or len(lows) < 2:
        return None
    up, down = (sign * (highs[1] - highs[0]) > 0 < sign * (lows[1] - lows[0]) for sign in (1, -1))
    if not (up or down):
        return None
    side, level, far = (1, lows[1], highs) if up else (-1, highs[1], lows)
    away = abs(f.close[i] - level)
    if away > p.tolerance * f.atr[i] or f.side_rsi(i, side) <= p.rsi_min:
        return None
    near, heavy = away <= 0.5 * p.tolerance * f.atr[i], f.ratio(i) > 1
    turning = side * (f.change[i] - f.change[i - 1]) > 0
    sure = 0.4 + 0.08 * near + 0.08 * heavy + 0.08 * turning
    sure += 0.1 * (abs(far[1] - far[0]) > 0.01 * far[0])
    return f.told(side, (0.4 + 0.1 * near + 0.1 * heavy + 0.1 * turning, sure), p, i)


def order_flow(f: Series, i: int, book: dict[str, float]) -> Told:
    p, side = f.p.order_flow, 1 if book["book_score"] > 0 else -1
    beyond = side * book["book_score"] - p.min_score
    if beyond < 0 or book["depth"] < p.min_depth:
        return None
    values, tight = (f.low if side > 0 else -f.high), book["spread"] < p.tight_spread
    steps = sum(values[i - k] > values[i - k - 1] for k in range(3)) >= 2
    sure = 0.35 + min(0.4 * beyond, 0.2) + 0.08 * tight + 0.1 * steps
    sure += 0.08 * (side * book["whale_bias"] > 0.1) + 0.05 * (side * book["imbalance"] > 0.15)
    return f.told(side, (0.4 + min(0.5 * beyond, 0.25) + 0.1 * tight + 0.1 * steps, sure), p, i)


def funding_rate(f: Series, i: int, rate: float) -> Told:
    p, side = f.p.funding_rate, 1 if rate < 0 else -1
    crosses = f.side_rsi(i, side) > 50 >= f.side_rsi(i - 1, side)
    moves = side * f.change[i] > 0 and side * (f.change[i] - f.change[i - 1]) > 0
    against = f.adx[i] > 40 and side * (f.fast[i] - f.slow[i]) < 0
    beyond = abs(rate) - p.extreme
    if beyond <= 0 or not (crosses or moves) or against:
        return None
    sure = 0.4 + 0.1 * crosses + 0.1 * moves + 0.05 * (f.adx[i] < 25)
    return f.told(side, (0.4 + min(0.2 * beyond / p.extreme, 0.2), sure), p, i)


def rsi_mean_reversion(f: Series, i: int, storm: int = 0) -> Told:
    p, side = f.p.rsi_mean_reversion, 1 if f.rsi[i] < 50 else -1
    level = p.oversold + (-5 if f.trending(i) else 5) + (-3, 0, 2)[1 - storm]
    level = min(max(level, 5), 45)
    rsi, before, older = (f.side_rsi(i - k, side) for k in range(3))
    if rsi > level or rsi <= before + TINY:
        return None
    strength = 0.35 + min((level - rsi) / 30, 0.3) + 0.1 * (rsi < 20)
    return f.told(side, (strength, 0.35 + 0.15 * (rsi < 25) + 0.1 * (before <= older)), p, i)


PLAIN: dict[str, Callable[[Series, int], Told]] = {
    "momentum": momentum,
    "reversal": reversal,
    "keltner": keltner,
    "ichimoku": ichimoku,
    "stochastic_divergence": stochastic_divergence,
    "volatility_squeeze": volatility_squeeze,
    "supertrend": supertrend,
    "market_structure": market_structure,
}
