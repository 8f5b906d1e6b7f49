"""What the tries together say about the chosen one: overfitting, deflation, decay."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from trading.backtest import evidence, overfitting
from trading.research.results import Trial, unpack_returns


def days_of(trials: Sequence[Trial]) -> np.ndarray:
    """Daily returns, days by trials; one that ended early did not move any more."""
    daily = [unpack_returns(trial.daily) for trial in trials if trial.daily]
    days = max(map(len, daily), default=0)
    found = np.zeros((days, len(daily)))
    for k, one in enumerate(daily):
        found[: len(one), k] = one
    return found


def chosen_from(trials: Sequence[Trial]) -> evidence.Trials:
    """How many there were to choose from, and how far their Sharpe ratios lie apart."""
    days = days_of(trials)
    variance = evidence.variance_of(days) if len(days) > 1 else 0.0
    return evidence.Trials(len(trials), variance)


def judge_choice(trials: Sequence[Trial]) -> dict[str, Any]:
    """How often the best of one half of the days is below the middle in the other half."""
    told = asdict(overfitting.overfitting(days_of(trials)))
    del told["logits"]  # a chart's, not a number's
    return told


def judge_decay(in_sample: Sequence[float], out_of_sample: Sequence[float]) -> dict[str, Any]:
    """What was left of the Sharpe ratios of the choice."""
    return asdict(overfitting.walk_forward_decay(np.array(in_sample), np.array(out_of_sample)))
