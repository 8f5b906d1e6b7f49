"""A seeded market that never was: regimes, clustered volatility, jumps, outages. NumPy only.

Every bar follows from (seed, symbol, its day and minute) alone, so reading may start anywhere and
nothing is stored. A slow walk of days gives level, volatility and regime; each day's minutes are
drawn by that day's own generator and tied to the levels at its two ends.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from trading.core.records import BAR

EPOCH_DAY = 19_723  # 2024-01-01: the first synthetic day
HORIZON_DAYS = 7_305
WARM_UP_DAYS = 60
MINUTES = 1440
MINUTE_NS = 60_000_000_000
DAY_NS = MINUTES * MINUTE_NS
EPOCH_NS = EPOCH_DAY * DAY_NS
START_NS = EPOCH_NS + WARM_UP_DAYS * DAY_NS  # a feed starts here: history lies before it
TREND, RANGE, VOLATILE = 0, 1, 2
STAY = 0.86  # chance that tomorrow has today's regime
DAY_VOLATILITY = (0.022, 0.013, 0.045)
LEVEL_PULL = 0.004  # a day's pull back towards the starting price, so that decades stay plausible
CATALOGUE = {  # base: starting price in dollars, decimals of a price, typical volume of a minute
    "BTC": (42_000.0, 1, 4.0),
    "ETH": (2_300.0, 2, 45.0),
    "SOL": (105.0, 2, 700.0),
    "XRP": (0.62, 5, 60_000.0),
    "DOGE": (0.09, 5, 250_000.0),
    "ADA": (0.59, 5, 40_000.0),
}
UNKNOWN_BASE = (100.0, 2, 100.0)


@dataclass(frozen=True, slots=True)
class _Days:
    """Per day: log level at its start (and at the end of the last), volatility, regime."""

    level: np.ndarray
    volatility: np.ndarray
    regime: np.ndarray


@dataclass(slots=True)
class SyntheticBars:
    """One-minute bars of one synthetic market, a ``BarSource``."""

    seed: int
    symbol: str
    _days: _Days = field(init=False)
    _cached: tuple[int, np.ndarray] | None = None

    def __post_init__(self) -> None:
        self._days = _walk_days(self._generator(-1))

    def iter_bars(self, *, start_ns: int, end_ns: int) -> Iterator[np.ndarray]:
        """Bars with ``start_ns <= open_ns < end_ns``, a day at a time."""
        first = max(0, start_ns // DAY_NS - EPOCH_DAY)
        for day in range(first, HORIZON_DAYS):
            if (EPOCH_DAY + day) * DAY_NS >= end_ns:
                return
            bars = self._day(day)
            low, high = np.searchsorted(bars["open_ns"], [start_ns, end_ns])
            if high > low:
                yield bars[low:high]

    def tail(self, *, before_ns: int, count: int) -> np.ndarray:
        """The last ``count`` bars that opened before a moment, oldest first."""
        pieces: list[np.ndarray] = []
        wanted = count
        day = min((before_ns - 1) // DAY_NS - EPOCH_DAY, HORIZON_DAYS - 1)
        while wanted > 0 and day >= 0:
            bars = self._day(day)
            bars = bars[: np.searchsorted(bars["open_ns"], before_ns)][-wanted:]
            pieces.insert(0, bars)
            wanted, day = wanted - len(bars), day - 1
        return np.concatenate(pieces) if pieces else np.empty(0, BAR)

    def _generator(self, day: int) -> np.random.Generator:
        # crc32, not hash(): the same in every process whatever PYTHONHASHSEED says
        words = [self.seed, zlib.crc32(self.symbol.encode()), day + 1]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))

    def _day(self, day: int) -> np.ndarray:
        if self._cached is None or self._cached[0] != day:
            self._cached = (day, self._draw_day(day))
        return self._cached[1]

    def _draw_day(self, day: int) -> np.ndarray:
        price, decimals, typical = CATALOGUE.get(self.symbol.split("/")[0], UNKNOWN_BASE)
        rng, days = self._generator(day), self._days
        sigma = _minute_volatility(rng, days.volatility[day])
        path = _minute_path(rng, sigma, int(days.regime[day]), days.level[day], days.level[day + 1])
        opens = path[:-1] + 0.05 * sigma * rng.standard_normal(MINUTES)
        closes = path[1:]
        bars = np.empty(MINUTES, BAR)
        bars["open_ns"] = (EPOCH_DAY + day) * DAY_NS + np.arange(MINUTES) * MINUTE_NS
        bars["open"], bars["close"] = opens, closes
        bars["high"] = _extreme(rng, opens, closes, sigma, +1.0)
        bars["low"] = _extreme(rng, opens, closes, sigma, -1.0)
        for name in ("open", "high", "low", "close"):
            bars[name] = np.maximum(np.round(price * np.exp(bars[name]), decimals), 10.0**-decimals)
        surprise = np.abs(closes - opens) / sigma
        busy = typical * _day_shape(day) * (sigma / sigma.mean()) * (0.4 + 0.6 * surprise)
        bars["volume"] = np.round(busy * np.exp(0.6 * rng.standard_normal(MINUTES)), 6)
        return bars[~_outages(rng)]


def _walk_days(rng: np.random.Generator) -> _Days:
    """Regime as a Markov chain, log-volatility as AR(1), level as a walk pulled back to its start."""
    moves, luck = rng.standard_normal((HORIZON_DAYS, 3)), rng.random((HORIZON_DAYS, 2))
    level, volatility = np.zeros(HORIZON_DAYS + 1), np.zeros(HORIZON_DAYS)
    regimes = np.zeros(HORIZON_DAYS, np.int64)
    regime, heat, drift = RANGE, 0.0, 0.0
    for day in range(HORIZON_DAYS):
        if luck[day, 0] > STAY:
            regime = int(luck[day, 1] * 3)
            drift = 0.9 * DAY_VOLATILITY[TREND] * moves[day, 1]
        heat = 0.8 * heat + 0.25 * moves[day, 2]
        regimes[day], volatility[day] = regime, DAY_VOLATILITY[regime] * np.exp(heat)
        pull = LEVEL_PULL * level[day]
        lean = drift if regime == TREND else 0.0
        share = 0.4 if regime == RANGE else 0.9
        level[day + 1] = level[day] - pull + lean + share * volatility[day] * moves[day, 0]
    return _Days(level, volatility, regimes)


def _minute_volatility(rng: np.random.Generator, day_volatility: float) -> np.ndarray:
    """Volatility of each minute: an AR(1) in its logarithm around the day's, so it comes in clusters."""
    heat, shocks = np.empty(MINUTES), 0.11 * rng.standard_normal(MINUTES)
    level = 0.5 * rng.standard_normal()
    for minute in range(MINUTES):
        level = 0.975 * level + shocks[minute]
        heat[minute] = level
    return day_volatility / np.sqrt(MINUTES) * np.exp(heat)


def _minute_path(
    rng: np.random.Generator, sigma: np.ndarray, regime: int, start: float, end: float
) -> np.ndarray:
    """Log prices from one midnight to the next: fat-tailed steps, jumps, tied at both ends."""
    steps = sigma * rng.standard_t(5, MINUTES) * np.sqrt(3 / 5)
    jumps = rng.random(MINUTES) < (2.5 if regime == VOLATILE else 0.6) / MINUTES
    steps += jumps * rng.standard_normal(MINUTES) * 9 * sigma
    path = np.r_[0.0, np.cumsum(steps)]
    path += np.linspace(0.0, 1.0, MINUTES + 1) * (end - start - path[-1])
    if regime == RANGE:  # swings around the way, instead of walking off it
        hours = rng.uniform(2, 6)
        wave = np.sin(np.linspace(0, 2 * np.pi * round(24 / hours), MINUTES + 1))
        path += wave * sigma.mean() * np.sqrt(hours * 60) * 0.6
    return start + path


def _extreme(
    rng: np.random.Generator, opens: np.ndarray, closes: np.ndarray, sigma: np.ndarray, sign: float
) -> np.ndarray:
    """High (+1) or low (-1) of a minute: the exact law of a Brownian bridge's extreme."""
    spread = np.sqrt(
        (closes - opens) ** 2 - 2 * (0.6 * sigma) ** 2 * np.log(1 - rng.random(MINUTES))
    )
    return (opens + closes + sign * spread) / 2


def _day_shape(day: int) -> np.ndarray:
    """Volume over a UTC day: busiest when Europe and America are both awake, quiet at weekends."""
    hours = np.arange(MINUTES) / 60
    shape = (
        0.6 + 0.9 * np.exp(-(((hours - 15) / 3.5) ** 2)) + 0.3 * np.exp(-(((hours - 8) / 2) ** 2))
    )
    return shape * (0.6 if (EPOCH_DAY + day + 3) % 7 >= 5 else 1.0)


def _outages(rng: np.random.Generator) -> np.ndarray:
    """Minutes without a bar: a rare outage of the venue, and now and then nobody traded."""
    absent = rng.random(MINUTES) < 0.0004
    start, length, happens = rng.integers(0, MINUTES), rng.integers(3, 60), rng.random() < 0.04
    if happens:
        absent[start : start + length] = True
    return absent
