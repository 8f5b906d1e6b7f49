"""How a strategy abstains and how it votes; whoever abstains leaves its last numbers standing."""

import numpy as np

from trading.core.codes import Abstain
from trading.core.jit import kernel

WARMING_UP, NO_SETUP = int(Abstain.WARMING_UP), int(Abstain.NO_SETUP)
VOTED, NO_INPUT = int(Abstain.VOTED), int(Abstain.NO_INPUT)
DISABLED = int(Abstain.DISABLED)
ROUNDING = 1e-9  # of values up to 100: an unchanged close moves their last bits, and means nothing


@kernel
def copy(out, vote):
    """A vote as it was given; of one that was not, only why."""
    given = vote.abstain == VOTED
    out.abstain = vote.abstain
    out.score = vote.score if given else 0.0
    out.confidence = vote.confidence if given else 0.0
    out.stop_distance = vote.stop_distance if given else np.nan
    out.target_distance = vote.target_distance if given else np.nan


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
