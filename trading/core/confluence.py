"""Weighted vote of the strategies: side, score, confidence, and whose stop and target count."""

import numpy as np

from trading.core.codes import Abstain, Gate, Reason, Verdict
from trading.core.jit import kernel
from trading.core.regime import MULTIPLIERS
from trading.core.strategies import FAMILIES, N

VOTED = int(Abstain.VOTED)
MIN_ACTIONABLE = 0.3
FAMILY_BONUS = 0.05
PASSED, REFUSED = int(Verdict.PASSED), int(Verdict.REFUSED)
G_CANDIDATE, G_SCORE = int(Gate.CANDIDATE), int(Gate.SCORE)
G_CONFIDENCE, G_VOTES = int(Gate.CONFIDENCE), int(Gate.VOTES)
NONE, NO_VOTE, VOTES_TIED = int(Reason.NONE), int(Reason.NO_VOTE), int(Reason.VOTES_TIED)
SCORE_TOO_LOW, CONFIDENCE_TOO_LOW = int(Reason.SCORE_TOO_LOW), int(Reason.CONFIDENCE_TOO_LOW)
TOO_FEW_VOTES = int(Reason.TOO_FEW_VOTES)
FAMILY = np.array(FAMILIES)


@kernel
def ask(gates, g, value, limit, passes):
    """Leave a gate's value, limit and verdict; hand the verdict back."""
    gates[g].value = value
    gates[g].limit = limit
    gates[g].verdict = PASSED if passes else REFUSED
    return passes


@kernel
def is_actionable(vote):
    """A vote that was given, and strong and sure enough to count."""
    return (
        vote.abstain == VOTED
        and abs(vote.score) >= MIN_ACTIONABLE
        and vote.confidence >= MIN_ACTIONABLE
    )


@kernel
def weigh(d, weights):
    """Score, confidence, stop and target of the agreeing votes, written into the decision."""
    total, score, confidence, best, families, opposing = 0.0, 0.0, 0.0, 0.0, 0, 0
    for k in range(N):
        vote = d.votes[k]
        if not is_actionable(vote):
            continue
        if vote.score * d.side < 0.0:
            opposing += 1
            continue
        weight = weights[k] * MULTIPLIERS[k, d.regime]
        total += weight
        score += weight * abs(vote.score)
        confidence += weight * vote.confidence
        families |= 1 << FAMILY[k]
        if abs(vote.score) * vote.confidence > best:
            best = abs(vote.score) * vote.confidence
            d.stop_distance = vote.stop_distance
            d.target_distance = vote.target_distance
    d.score = score / total
    confidence /= total
    confidence += min(0.1 * (d.agreeing - 1), 0.3) - min(0.05 * opposing, 0.2)
    if d.agreeing >= 2:
        several = families & (families - 1)  # more than one bit set
        confidence += FAMILY_BONUS if several else -FAMILY_BONUS
    d.confidence = min(max(confidence, 0.0), 1.0)


@kernel
def decide(d, p, weights):
    """Find the candidate among the votes; the reason why there is none, or NONE."""
    longs, shorts = 0, 0
    for k in range(N):
        if is_actionable(d.votes[k]):
            if d.votes[k].score > 0.0:
                longs += 1
            else:
                shorts += 1
    d.agreeing = max(longs, shorts)
    if not ask(d.gates, G_CANDIDATE, abs(longs - shorts), 1.0, longs != shorts):
        return VOTES_TIED if longs > 0 else NO_VOTE
    d.side = 1 if longs > shorts else -1
    weigh(d, weights)
    if not ask(d.gates, G_SCORE, d.score, p.min_score, d.score >= p.min_score):
        return SCORE_TOO_LOW
    enough = d.confidence >= p.min_confidence
    if not ask(d.gates, G_CONFIDENCE, d.confidence, p.min_confidence, enough):
        return CONFIDENCE_TOO_LOW
    several = d.agreeing >= p.min_votes or d.confidence >= p.solo_confidence
    if not ask(d.gates, G_VOTES, d.agreeing, p.min_votes, several):
        return TOO_FEW_VOTES
    return NONE
