"""The rules of voting once more, slowly: whole series at once, TA-Lib and plain lists.

Written from the rules, sharing no code with the kernels; only the parameters are common.
"""

import math
from dataclasses import dataclass

import numpy as np
import talib

from trading.core.config.pipeline import PipelineParams

FAMILY = {  # what kind of reason a strategy has
    "trend": "trend following",
    "ichimoku": "trend following",
    "supertrend": "trend following",
    "mean_reversion": "mean reversion",
    "keltner": "mean reversion",
    "reversal": "mean reversion",
    "stochastic_divergence": "mean reversion",
    "rsi_mean_reversion": "mean reversion",
    "breakout": "momentum",
    "momentum": "momentum",
    "volatility_squeeze": "momentum",
    "order_flow": "microstructure",
    "vwap_momentum": "vwap",
    "market_structure": "structure",
    "funding_rate": "sentiment",
}
AT_HOME = {  # strategies whose regime is rewarded
    True: ("trend", "ichimoku", "supertrend"),
    False: ("mean_reversion", "stochastic_divergence", "reversal"),
}


@dataclass(frozen=True, slots=True)
class Vote:
    """What one strategy said of one bar."""

    strategy: str
    score: float
    confidence: float
    stop: float
    target: float


class Facts:
    """Every indicator of a series, by bar."""

    def __init__(self, bars: np.ndarray, params: PipelineParams) -> None:
        self.bars, self.p = bars, params
        columns = {name: bars[name].astype("f8").copy() for name in bars.dtype.names[1:]}
        self.open, self.high, self.low = columns["open"], columns["high"], columns["low"]
        self.close, self.volume = columns["close"], columns["volume"]
        self.atr = talib.ATR(self.high, self.low, self.close, 14)
        self.adx = talib.ADX(self.high, self.low, self.close, 14)
        self.rsi = talib.RSI(self.close, 14)
        self.fast = talib.EMA(self.close, params.strategies.trend.fast)
        self.slow = talib.EMA(self.close, params.strategies.trend.slow)
        reversion = params.strategies.mean_reversion
        self.bands = [self.band(i, reversion.period, reversion.width) for i in range(len(bars))]
        self.wide = [self.band(i, 20, 2.0) for i in range(len(bars))]
        self.sides = [self.trend_side(i) for i in range(len(bars))]

    def band(self, i: int, period: int, width: float) -> tuple[float, float] | None:
        """Middle and half width of the Bollinger bands."""
        if i + 1 < period:
            return None
        seen = self.close[i + 1 - period : i + 1]
        middle = math.fsum(seen) / period
        return middle, width * math.sqrt(math.fsum((x - middle) ** 2 for x in seen) / period)

    def trend_side(self, i: int) -> int:
        """Which average is above; 0 while one is missing."""
        if math.isnan(self.slow[i]) or math.isnan(self.fast[i]) or math.isnan(self.adx[i]):
            return 0
        return 1 if self.fast[i] > self.slow[i] else -1

    def volume_ratio(self, i: int) -> float:
        """Volume over the mean of the twenty bars before."""
        average = sum(self.volume[i - 20 : i]) / 20 if i >= 20 else 0.0
        return self.volume[i] / average if average > 0 else math.nan

    def mirrored_rsi(self, i: int, side: int) -> float:
        """RSI as a long would see it."""
        return self.rsi[i] if side > 0 else 100 - self.rsi[i]

    def votes(self, i: int) -> list[Vote]:
        """The votes that were given, in the order of the strategies."""
        given = (self.trend(i), self.mean_reversion(i), self.breakout(i))
        return [vote for vote in given if vote is not None]

    def trend(self, i: int) -> Vote | None:
        p, side = self.p.strategies.trend, self.sides[i]
        recent = self.sides[max(0, i - p.cross_bars) : i]
        if side == 0 or -side not in recent:  # the cross is too old, or there was none
            return None
        top, bottom = max(self.fast[i], self.slow[i]), min(self.fast[i], self.slow[i])
        beyond = self.close[i] > top if side > 0 else self.close[i] < bottom
        rsi, adx, heavy = self.mirrored_rsi(i, side), self.adx[i], self.volume_ratio(i)
        if not beyond or adx < p.min_adx or not p.rsi_low < rsi < p.rsi_high:
            return None
        gaps = [(self.fast[k] - self.slow[k]) / self.slow[k] for k in (i - 2, i)]
        slope = side * (gaps[1] - gaps[0]) / 2
        strength = 0.5 + min((adx - p.min_adx) / 50, 0.2) + min(max(10 * slope, 0), 0.15)
        strength += 0.1 * (heavy > 1.3)
        sure = 0.65 + 0.1 * (heavy > 1.2) + 0.15 * (adx > 35) + 0.1 * (50 < rsi < 70)
        return self.vote("trend", side, strength, sure, p.stop_atr, p.target_atr * self.atr[i], i)

    def mean_reversion(self, i: int) -> Vote | None:
        p = self.p.strategies.mean_reversion
        if i < 14 + p.memory or self.bands[i] is None or self.bands[i][1] <= 0:
            return None
        middle, half = self.bands[i]
        place = (self.close[i] - middle + half) / (2 * half)
        side = 1 if place < 0.5 else -1
        place, rsi = (place if side > 0 else 1 - place), self.mirrored_rsi(i, side)
        if place >= p.edge or rsi >= p.oversold:
            return None
        before = slice(i - p.memory, i)
        if side > 0:
            near = self.close[i] <= min(self.low[before]) * 1.005
            diverging = near and self.rsi[i] > min(self.rsi[before]) + 1e-9
        else:
            near = self.close[i] >= max(self.high[before]) * 0.995
            diverging = near and self.rsi[i] < max(self.rsi[before]) - 1e-9
        drying = self.volume[i] < self.volume[i - 2] and self.volume[i - 1] < self.volume[i - 2]
        turning = drying and side * (self.close[i] - self.close[i - 1]) > 0
        if not (diverging or turning):
            return None
        strength = 0.4 + min((p.edge - place) * 2, 0.3) + (p.oversold - rsi) / 30 * 0.2
        strength += 0.1 * drying + 0.15 * diverging
        sure = 0.35 + 0.1 * drying + 0.15 * diverging + 0.15 * (rsi < 25) + 0.15 * (place < 0.05)
        sure += 0.1 * self.is_wide(i)
        target = max(p.target_atr * self.atr[i], side * (middle - self.close[i]))
        return self.vote("mean_reversion", side, strength, sure, p.stop_atr, target, i)

    def is_wide(self, i: int) -> bool:
        """Whether the bands are no narrower than 0.8 of their usual width: no squeeze."""
        p = self.p.strategies.mean_reversion
        first = max(14 + p.memory, p.period - 1)  # the first bar the strategy was warm
        if i - 19 < first:
            return False
        widths = [self.bands[k][1] / self.bands[k][0] for k in range(i - 19, i + 1)]
        return widths[-1] >= 0.8 * sum(widths) / 20

    def breakout(self, i: int) -> Vote | None:
        p = self.p.strategies.breakout
        if i < p.lookback or self.wide[i] is None or math.isnan(self.atr[i]):
            return None
        before = slice(i - p.lookback, i)
        top, bottom = max(self.high[before]), min(self.low[before])
        side = 1 if self.close[i] > top else -1 if self.close[i] < bottom else 0
        if side == 0 or side * (self.close[i] - self.open[i]) <= 0:
            return None
        level, extremes = (top, self.high[before]) if side > 0 else (bottom, self.low[before])
        heavy = self.volume_ratio(i) >= p.min_volume
        body = abs(self.close[i] - self.open[i])
        full = body >= p.min_body * (self.high[i] - self.low[i])
        last = self.wide[i - 1]
        wider = self.wide[i][1] / self.wide[i][0] > (last[1] / last[0] if last else 0)
        cool = self.mirrored_rsi(i, side) < 70
        if sum(map(int, (heavy, full, wider, cool))) < p.confirmations:
            return None
        distance = side * (self.close[i] - level) / level
        touched = sum(abs(x - level) <= 0.003 * level for x in extremes)
        strength = 0.35 + min(20 * distance, 0.25) + min(0.05 * touched, 0.15)
        strength += 0.15 * heavy + 0.1 * full
        sure = 0.3 + 0.2 * heavy + 0.1 * full + 0.1 * wider + 0.1 * cool
        sure += 0.1 * (touched >= 2) + 0.1 * (distance > 0.002)
        target = p.target_atr * self.atr[i]
        return self.vote("breakout", side, strength, sure, p.stop_atr, target, i)

    def vote(
        self, name: str, side: int, strength: float, sure: float, stop: float, target: float, i: int
    ) -> Vote:
        """A vote within its bounds."""
        return Vote(name, side * min(strength, 1), min(sure, 1), stop * self.atr[i], target)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the votes together want."""

    side: int
    score: float
    confidence: float
    agreeing: int
    stop: float
    target: float


def combine(
    votes: list[Vote],
    params: PipelineParams,
    *,
    trending: bool,
    boost: dict[str, float] | None = None,
) -> Candidate | None:
    """The side with more votes that count, and its weighted means; None: nobody or a tie.

    ``boost`` multiplies weights, as a regime does; 0 takes a vote away.
    """
    boost = boost or {}
    weight = {
        v.strategy: getattr(params.strategies, v.strategy).weight * boost.get(v.strategy, 1.0)
        for v in votes
    }
    counted = [
        v for v in votes if abs(v.score) >= 0.3 and v.confidence >= 0.3 and weight[v.strategy] > 0
    ]
    longs = [v for v in counted if v.score > 0]
    shorts = [v for v in counted if v.score < 0]
    if len(longs) == len(shorts):
        return None
    agree, oppose = (longs, shorts) if len(longs) > len(shorts) else (shorts, longs)
    shares = [weight[v.strategy] for v in agree]
    total = sum(shares)
    score = sum(w * abs(v.score) for w, v in zip(shares, agree, strict=True)) / total
    sure = sum(w * v.confidence for w, v in zip(shares, agree, strict=True)) / total
    sure += min(0.1 * (len(agree) - 1), 0.3) - min(0.05 * len(oppose), 0.2)
    kinds = {FAMILY[v.strategy] for v in agree}
    sure += 0.05 * (len(kinds) >= 3) - 0.05 * (len(kinds) == 1 and len(agree) > 1)
    sure += 0.03 * any(v.strategy in AT_HOME[trending] for v in agree)
    best = max(agree, key=lambda v: abs(v.score) * v.confidence)
    side = 1 if agree is longs else -1
    return Candidate(side, score, min(max(sure, 0), 1), len(agree), best.stop, best.target)
