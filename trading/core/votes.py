"""How a strategy abstains and how it votes."""

import numpy as np

from trading.core.codes import Abstain
from trading.core.jit import kernel

WARMING_UP, NO_SETUP = int(Abstain.WARMING_UP), int(Abstain.NO_SETUP)
VOTED, NO_INPUT = int(Abstain.VOTED), int(Abstain.NO_INPUT)
DISABLED = int(Abstain.DISABLED)


@kernel
def begin(vote):
    """An empty vote; whoever abstains leaves it so."""
    vote.score = 0.0
    vote.confidence = 0.0
    vote.stop_distance = np.nan
    vote.target_distance = np.nan


@kernel
def cast(vote, side, scores, distances):
    """A vote within its bounds.

    Args:
        scores: (strength, confidence).
        distances: (stop, target) in quote currency; the stop above 0, or there is no vote.
    """
    strength, confidence = scores
    stop, target = distances
    if not (stop > 0.0 and target > 0.0):  # a market that never moved has no distance
        return
    vote.abstain = VOTED
    vote.score = side * min(max(strength, 0.0), 1.0)
    vote.confidence = min(max(confidence, 0.0), 1.0)
    vote.stop_distance = stop
    vote.target_distance = target


@kernel
def mirrored(rsi, side):
    """An oscillator of 0 … 100 as the long side would see it."""
    return rsi if side > 0 else 100.0 - rsi
