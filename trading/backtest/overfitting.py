"""Whether choosing the best of many was more than choosing the luckiest: PBO and walk-forward decay.

Bailey, Borwein, López de Prado and Zhu (2015), "The Probability of Backtest Overfitting": the days
are cut into equal parts; for every way of taking half of them, the variant best in that half is
ranked in the other half. Overfitted: the best of one half is below the median of the other.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trading.backtest import evidence

PARTS = 16
LEAST_WINDOWS = 3
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Overfitting:
    """Share of splits whose best is below the median out of sample; None: cannot be said."""

    probability: float | None
    splits: int
    trials: int
    logits: tuple[float, ...]
    loses_out_of_sample: float | None  # share of splits whose best then has a mean below 0
    words: str


@dataclass(frozen=True, slots=True)
class Decay:
    """What is left of the in-sample Sharpe ratio in the windows that followed."""

    kept: float | None  # mean out of sample over mean in sample
    slope: float | None  # of the regression of out-of-sample on in-sample ratios
    windows: int
    words: str


def overfitting(trial_returns: np.ndarray, *, parts: int = PARTS) -> Overfitting:
    """PBO by combinatorially symmetric cross-validation over (days × trials).

    Days before the last multiple of ``parts`` are left out, so that all parts are equally long.
    A trial that does not move in a half has the Sharpe ratio 0 there.

    Raises:
        ValueError: an odd number of parts, or fewer than 2.
    """
    if parts < 2 or parts % 2:
        raise ValueError(f"parts must be even and at least 2, was {parts}")
    days, trials = trial_returns.shape
    if trials < 2 or days < max(evidence.LEAST_DAYS, 2 * parts):
        words = f"Not enough to say: it takes 2 variants and {evidence.LEAST_DAYS} days."
        return Overfitting(None, 0, trials, (), None, words)
    logits, means = _cross_validate(trial_returns[days % parts :], parts)
    probability = float(np.mean(logits <= 0))
    words = (
        f"Choosing the best of {trials:,} variants picked one that is below the middle on the other "
        f"days {evidence.one_in(probability)}."
    )
    loses = float(np.mean(means < 0))
    return Overfitting(probability, len(logits), trials, tuple(logits.tolist()), loses, words)


def _cross_validate(returns: np.ndarray, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """(logit of the rank, mean daily return) out of sample of the best of every half."""
    blocks = returns.reshape(parts, -1, returns.shape[1])
    sums, squares = blocks.sum(axis=1), (blocks**2).sum(axis=1)
    chosen = np.array(list(combinations(range(parts), parts // 2)))
    half = len(returns) // 2
    logits, means = [], []
    for at in range(0, len(chosen), CHUNK):
        rows = chosen[at : at + CHUNK]
        taken = np.zeros((len(rows), parts))
        taken[np.arange(len(rows))[:, None], rows] = 1.0
        inside = _sharpe(taken @ sums, taken @ squares, half)
        out_sums = (1 - taken) @ sums
        outside = _sharpe(out_sums, (1 - taken) @ squares, half)
        best = inside.argmax(axis=1)[:, None]
        theirs = np.take_along_axis(outside, best, axis=1)
        # Mean rank of equals: an idle variant must not look better than another idle one.
        below, equal = (outside < theirs).sum(axis=1), (outside == theirs).sum(axis=1)
        share = (below + (equal + 1) / 2) / (returns.shape[1] + 1)
        logits.append(np.log(share / (1 - share)))
        means.append(np.take_along_axis(out_sums, best, axis=1)[:, 0] / half)
    return np.concatenate(logits), np.concatenate(means)


def _sharpe(sums: np.ndarray, squares: np.ndarray, count: int) -> np.ndarray:
    mean = sums / count
    variance = squares / count - mean**2
    moved = variance > 1e-12 * squares / count  # below: rounding of a sum of equal returns
    return np.divide(mean, np.sqrt(np.maximum(variance, 0)), out=np.zeros_like(mean), where=moved)


def walk_forward_decay(in_sample: np.ndarray, out_of_sample: np.ndarray) -> Decay:
    """Sharpe ratios of the same windows, one pair per step of a walk forward.

    Raises:
        ValueError: the two differ in length.
    """
    if len(in_sample) != len(out_of_sample):
        raise ValueError(f"{len(in_sample)} windows in sample, {len(out_of_sample)} out of it")
    windows = len(in_sample)
    if windows < LEAST_WINDOWS:
        words = f"Not enough windows to say: {windows}, and {LEAST_WINDOWS} are the least."
        return Decay(None, None, windows, words)
    before, after = float(np.mean(in_sample)), float(np.mean(out_of_sample))
    spread = float(np.var(in_sample))
    slope = None
    if spread > 0:
        slope = float(np.mean((in_sample - before) * (out_of_sample - after))) / spread
    if before <= 0:
        words = "Even in the days it was chosen on, the best variant earned nothing."
        return Decay(None, slope, windows, words)
    kept = after / before
    if kept <= 0:
        words = f"Nothing of the Sharpe ratio of {before:.2f} was left in the days that followed."
    else:
        words = (
            f"Of a Sharpe ratio of {before:.2f} in the days it was chosen on, {after:.2f} was left "
            f"in the days that followed ({kept:.0%})."
        )
    return Decay(kept, slope, windows, words)
