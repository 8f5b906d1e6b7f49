"""How much of a result luck explains: Sharpe ratios with their doubt, entries beside random ones.

Sharpe ratios in here are per day unless a name says ``annual``. Bailey and López de Prado:
"The Sharpe Ratio Efficient Frontier" (2012) for the probabilistic ratio and the track record,
"The Deflated Sharpe Ratio" (2014) for the deflation by the number of trials.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from trading.backtest import metrics

LEAST_TRADES = 30
LEAST_DAYS = 60
CONFIDENCE = 0.95
EULER_GAMMA = 0.5772156649015329
NORMAL = NormalDist()
YEAR = math.sqrt(metrics.DAYS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class SharpeEvidence:
    """Probability that the true Sharpe ratio is above a benchmark; None: cannot be said."""

    probability: float | None
    annual_sharpe: float | None
    annual_benchmark: float
    days: int
    trials: int
    words: str


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """Days needed until the Sharpe ratio is above the benchmark with a confidence."""

    days_needed: float | None
    days: int
    confidence: float
    words: str


@dataclass(frozen=True, slots=True)
class EntrySignificance:
    """The run's entries beside random ones; p-values count the run itself as one of the tries."""

    tries: int
    trades: int
    return_p: float | None
    expectancy_p: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Trials:
    """How many variants were tried, the chosen and the forgotten ones included, and the variance
    of their daily Sharpe ratios (``variance_of``)."""

    count: int
    variance: float


@dataclass(frozen=True, slots=True)
class Moments:
    """What the distribution of a Sharpe ratio's estimate depends on."""

    sharpe: float
    skewness: float
    kurtosis: float
    count: int


def moments(returns: np.ndarray) -> Moments | None:
    """Of daily returns; None under 60 days or without movement."""
    if len(returns) < LEAST_DAYS or returns.std() == 0:
        return None
    skew, kurt = metrics.skewness(returns), metrics.kurtosis(returns)
    ratio = float(returns.mean() / returns.std(ddof=1))
    return Moments(ratio, skew or 0.0, kurt or 3.0, len(returns))


def sharpe_variance(found: Moments) -> float:
    """Variance of the estimate times (count - 1), for returns that are not normal (Mertens 2002)."""
    return 1 - found.skewness * found.sharpe + (found.kurtosis - 1) / 4 * found.sharpe**2


def psr(found: Moments, benchmark: float) -> float | None:
    """Probabilistic Sharpe ratio; None where the variance is not positive (extreme skew)."""
    variance = sharpe_variance(found)
    if variance <= 0:
        return None
    return NORMAL.cdf((found.sharpe - benchmark) * math.sqrt(found.count - 1) / math.sqrt(variance))


def expected_best(trials: int, variance: float) -> float:
    """Sharpe ratio the best of ``trials`` without any edge is expected to show (False Strategy)."""
    if trials < 2 or variance <= 0:
        return 0.0
    usual = NORMAL.inv_cdf(1 - 1 / trials)
    rare = NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return math.sqrt(variance) * ((1 - EULER_GAMMA) * usual + EULER_GAMMA * rare)


def track_record(found: Moments, benchmark: float, confidence: float) -> float | None:
    """Minimum track record length in days; None when the ratio is not above the benchmark."""
    variance = sharpe_variance(found)
    if found.sharpe <= benchmark or variance <= 0:
        return None
    return 1 + variance * (NORMAL.inv_cdf(confidence) / (found.sharpe - benchmark)) ** 2


def probabilistic_sharpe(returns: np.ndarray, *, annual_benchmark: float = 0.0) -> SharpeEvidence:
    """How sure it is that the true Sharpe ratio is above the benchmark, were this the only try."""
    found = moments(returns)
    probability = psr(found, annual_benchmark / YEAR) if found else None
    if found is None or probability is None:
        words = too_few_days(len(returns))
    else:
        words = (
            f"A strategy without any edge shows a Sharpe ratio this good {one_in(1 - probability)}, "
            "if this was the only variant ever tried."
        )
    annual = found.sharpe * YEAR if found else None
    return SharpeEvidence(probability, annual, annual_benchmark, len(returns), 1, words)


def deflated_sharpe(returns: np.ndarray, trials: Trials) -> SharpeEvidence:
    """The same for the chosen variant's days, beside the best of as many tries without an edge."""
    found = moments(returns)
    best = expected_best(trials.count, trials.variance)
    probability = psr(found, best) if found else None
    if found is None or probability is None:
        words = too_few_days(len(returns))
    else:
        words = (
            f"The best of {trials.count:,} tries without any edge is expected to show a Sharpe ratio of "
            f"{best * YEAR:.2f}; this one shows {found.sharpe * YEAR:.2f}, which luck reaches "
            f"{one_in(1 - probability)}."
        )
    annual = found.sharpe * YEAR if found else None
    return SharpeEvidence(probability, annual, best * YEAR, len(returns), trials.count, words)


def variance_of(trial_returns: np.ndarray) -> float:
    """Variance of the daily Sharpe ratios of trials (days × trials); unmoved ones are left out."""
    deviations = trial_returns.std(axis=0, ddof=1)
    ratios = trial_returns.mean(axis=0)[deviations > 0] / deviations[deviations > 0]
    return float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0


def trials_survived(returns: np.ndarray, *, most: int = 1_000_000) -> int | None:
    """Most tries without an edge whose best this result still beats with 95 % confidence.

    The tries are taken as independent, their Sharpe ratios scattered as estimates of 0 over as many
    days are (variance 1 / (days - 1)). 0: it does not stand even as the only try.
    """
    found = moments(returns)
    if found is None or psr(found, 0.0) is None:
        return None
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        sure = psr(found, expected_best(middle, 1 / (found.count - 1))) or 0.0
        low, high = (middle, high) if sure >= CONFIDENCE else (low, middle)
    return low


def minimum_track_record(
    returns: np.ndarray, *, annual_benchmark: float = 0.0, confidence: float = CONFIDENCE
) -> TrackRecord:
    """How long the record must be before its Sharpe ratio says something."""
    found = moments(returns)
    needed = track_record(found, annual_benchmark / YEAR, confidence) if found else None
    if found is None:
        words = too_few_days(len(returns))
    elif needed is None:
        words = "The Sharpe ratio is not above the benchmark: no length of record would prove it."
    else:
        enough = "it has" if len(returns) >= needed else "it has only"
        words = (
            f"At this Sharpe ratio a record needs {math.ceil(needed):,} days to tell an edge from "
            f"luck with {confidence:.0%} confidence; {enough} {len(returns):,}."
        )
    return TrackRecord(needed, len(returns), confidence, words)


def judge_entries(
    *, observed: tuple[float, float], random: tuple[np.ndarray, np.ndarray], trades: int
) -> EntrySignificance:
    """Whether the entries were better than random ones; pairs of (total return, expectancy)."""
    tries = len(random[0])
    if tries == 0 or trades < LEAST_TRADES:
        words = f"Not enough trades to say: {trades:,}, and {LEAST_TRADES} are the least."
        return EntrySignificance(tries, trades, None, None, words)
    return_p, expectancy_p = (p_value(o, r) for o, r in zip(observed, random, strict=True))
    words = (
        "Entering at random as often, for as long and with the same costs does at least as well "
        f"{one_in(return_p)}."
    )
    return EntrySignificance(tries, trades, return_p, expectancy_p, words)


def p_value(observed: float, random: np.ndarray) -> float:
    """Share of tries at least as good, the observed one among them: never 0 (Davison, Hinkley 1997)."""
    return float(1 + np.sum(random >= observed)) / (1 + len(random))


def one_in(share: float) -> str:
    """A probability as people say it: "in 1 of 3 tries"."""
    if share > 0.95:
        return "in nearly every try"
    if share > 0.4:
        return f"in {round(10 * share)} of 10 tries"
    if share < 0.001:
        return "in fewer than 1 of 1,000 tries"
    return f"in 1 of {round(1 / share):,} tries"


def too_few_days(days: int) -> str:
    """What is said instead of a number."""
    if days >= LEAST_DAYS:
        return "Equity moved too little, or too unevenly, for a Sharpe ratio to say anything."
    return f"Not enough days to say: {days:,}, and {LEAST_DAYS} are the least."
