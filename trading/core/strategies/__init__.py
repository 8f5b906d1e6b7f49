"""REGISTRY tuple, combined STATE dtype, score_all kernel: three lines per strategy, all here."""

import numpy as np

from trading.core.codes import Abstain
from trading.core.jit import kernel
from trading.core.strategies import breakout, mean_reversion, trend

REGISTRY = (trend, mean_reversion, breakout)
STATE = np.dtype([(strategy.NAME, strategy.STATE) for strategy in REGISTRY])
FAMILIES = tuple(strategy.FAMILY for strategy in REGISTRY)
DISABLED = int(Abstain.DISABLED)
N = len(REGISTRY)


@kernel
def begin(vote):
    """An empty vote; whoever abstains leaves it so."""
    vote.score = 0.0
    vote.confidence = 0.0
    vote.stop_distance = np.nan
    vote.target_distance = np.nan


@kernel
def silence(vote, weight):
    """A strategy of weight 0 keeps its state warm and has no vote."""
    if weight <= 0.0:
        begin(vote)
        vote.abstain = DISABLED


@kernel
def score_all(s, p, bar, now, votes):
    """Every strategy sees the bar and leaves its vote."""
    for k in range(N):
        begin(votes[k])
    trend.score(s.trend, p.trend, bar, now, votes[0])
    mean_reversion.score(s.mean_reversion, p.mean_reversion, bar, now, votes[1])
    breakout.score(s.breakout, p.breakout, bar, now, votes[2])
    silence(votes[0], p.trend.weight)
    silence(votes[1], p.mean_reversion.weight)
    silence(votes[2], p.breakout.weight)
