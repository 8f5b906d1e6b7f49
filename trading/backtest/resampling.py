"""Other histories that the same days could have been: stationary block bootstrap, seeded.

Politis and Romano (1994), "The Stationary Bootstrap": blocks of consecutive days whose lengths are
geometric with a given mean, from a circle of the days, so that clusters of volatility survive.
"""

from dataclasses import dataclass

import numpy as np

from trading.backtest import evidence, metrics

DRAWS = 1000
LEVEL = 0.9
BANDS = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a number lies in 9 of 10 resampled histories."""

    low: float | None
    high: float | None
    level: float
    draws: int
    words: str


@dataclass(frozen=True, slots=True)
class DrawdownBands:
    """Largest drawdown over resampled histories of the same length, and their paths' percentiles."""

    median: float | None
    worst_of_20: float | None
    bands: tuple[tuple[float, ...], ...]  # growth by day, one row per percentile of BANDS
    draws: int
    words: str


def mean_block(days: int) -> float:
    """Mean length of a block: the cube root of the number of days, at least 2."""
    return max(2.0, round(days ** (1 / 3)))


def resample_days(
    days: int, *, draws: int, block: float, generator: np.random.Generator
) -> np.ndarray:
    """Day numbers of ``draws`` histories, (draws × days)."""
    starts = generator.integers(0, days, (draws, days), dtype=np.int32)
    begins = generator.random((draws, days), dtype=np.float32) < 1 / block
    begins[:, 0] = True
    position = np.arange(days, dtype=np.int32)
    last = np.maximum.accumulate(np.where(begins, position, 0), axis=1)
    return (np.take_along_axis(starts, last, axis=1) + position - last) % days


def histories(returns: np.ndarray, *, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Resampled daily returns, (draws × days)."""
    days = len(returns)
    generator = np.random.default_rng(seed)
    rows = resample_days(days, draws=draws, block=mean_block(days), generator=generator)
    return returns[rows]


def interval_of_cagr(drawn: np.ndarray) -> Interval:
    """Of the yearly compound return."""
    if drawn.shape[1] < evidence.LEAST_DAYS:
        return _unknown(drawn)
    growth = np.prod(1 + drawn, axis=1)
    yearly = np.maximum(growth, 0) ** (metrics.DAYS_PER_YEAR / drawn.shape[1]) - 1
    return _interval(yearly, "The yearly return lies between {:+.0%} and {:+.0%}")


def interval_of_sharpe(drawn: np.ndarray) -> Interval:
    """Of the annual Sharpe ratio; histories that do not move count as 0."""
    if drawn.shape[1] < evidence.LEAST_DAYS:
        return _unknown(drawn)
    deviation, mean = drawn.std(axis=1, ddof=1), drawn.mean(axis=1)
    ratio = np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 0)
    return _interval(ratio * evidence.YEAR, "The Sharpe ratio lies between {:.2f} and {:.2f}")


def _unknown(drawn: np.ndarray) -> Interval:
    return Interval(None, None, LEVEL, len(drawn), evidence.too_few_days(drawn.shape[1]))


def _interval(values: np.ndarray, sentence: str) -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = (float(value) for value in np.quantile(values, [tail, 1 - tail]))
    told = sentence.format(low, high).replace("-", "−")
    words = f"{told} in 9 of 10 histories resampled from the same days."
    return Interval(low, high, LEVEL, len(values), words)


def drawdown_bands(drawn: np.ndarray) -> DrawdownBands:
    """How deep the falls of equally likely histories are."""
    draws, days = drawn.shape
    if days < evidence.LEAST_DAYS:
        return DrawdownBands(None, None, (), draws, evidence.too_few_days(days))
    growth = np.cumprod(1 + drawn, axis=1)
    peak = np.maximum(np.maximum.accumulate(growth, axis=1), 1.0)
    deepest = (1 - growth / peak).max(axis=1)
    median, worst = (float(value) for value in np.quantile(deepest, [0.5, 0.95]))
    bands = np.percentile(growth, BANDS, axis=0)
    words = (
        f"With the same days in another order, half of all histories fall by at least {median:.0%} "
        f"on the way, and 1 of 20 by at least {worst:.0%}."
    )
    return DrawdownBands(median, worst, tuple(map(tuple, bands.tolist())), draws, words)
