"""Weighted vote of the strategies: an opinion per timeframe, a candidate from the opinions.

Every input counts once: the order book votes as a strategy or helps the confidence, never both;
the hour of the day changes the confidence and nothing else.
"""

import numpy as np

from trading.core import adaptive, regime
from trading.core.codes import Abstain, Gate, Reason, Verdict, Volatility
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.jit import kernel
from trading.core.strategies import FAMILIES, N

VOTED = int(Abstain.VOTED)
MIN_ACTIONABLE = 0.3
FAMILY_BONUS = 0.05
REGIME_BONUS = 0.03
BOOK_BONUS, BOOK_AGREES = 0.05, 0.2
CHOPPY_SHARE = 0.9
PASSED, REFUSED, ABSENT = int(Verdict.PASSED), int(Verdict.REFUSED), int(Verdict.ABSENT)
G_CANDIDATE, G_AGREEMENT = np.int64(Gate.CANDIDATE), np.int64(Gate.AGREEMENT)
G_SCORE, G_CONFIDENCE, G_VOTES = (
    np.int64(Gate.SCORE),
    np.int64(Gate.CONFIDENCE),
    np.int64(Gate.VOTES),
)
NONE, NO_VOTE, VOTES_TIED = int(Reason.NONE), int(Reason.NO_VOTE), int(Reason.VOTES_TIED)
SCORE_TOO_LOW, CONFIDENCE_TOO_LOW = int(Reason.SCORE_TOO_LOW), int(Reason.CONFIDENCE_TOO_LOW)
TOO_FEW_VOTES, DISAGREE = int(Reason.TOO_FEW_VOTES), int(Reason.TIMEFRAMES_DISAGREE)
STORM = int(Volatility.HIGH)
FAMILY = np.array(FAMILIES)
KELTNER = STRATEGY_NAMES.index("keltner")
ORDER_FLOW = STRATEGY_NAMES.index("order_flow")
SHARES = np.array([1.0, 1.3, 1.5])  # of the timeframes in their agreement


@kernel
def ask(gates, g, value, limit, passes):
    """Leave a gate's value, limit and verdict; hand the verdict back."""
    gates[g].value = value
    gates[g].limit = limit
    gates[g].verdict = PASSED if passes else REFUSED
    return passes


@kernel
def note_absent(gates, g, limit):
    """A gate whose input is missing: neither passed nor refused."""
    gates[g].value = np.nan
    gates[g].limit = limit
    gates[g].verdict = ABSENT
    return True


@kernel
def ask_at_most(gates, g, value, limit):
    """A gate for a value that may be absent and must not be above its limit."""
    if np.isnan(value):
        return note_absent(gates, g, limit)
    return ask(gates, g, value, limit, value <= limit)


@kernel
def is_actionable(vote):
    """A vote that was given, and strong and sure enough to count."""
    return (
        vote.abstain == VOTED
        and abs(vote.score) >= MIN_ACTIONABLE
        and vote.confidence >= MIN_ACTIONABLE
    )


@kernel
def weight_of(k, weights, now, learning, p, now_ns):
    """Weight of strategy ``k`` now; 0 while it rests or its regime is missing."""
    found = weights[k] * adaptive.weight_factor(learning, p.learning, k, now.regime, now_ns)
    return found * regime.factor(k, now) if p.confluence.regime_weights == 1 else found


@kernel
def count(votes):
    """How many strategies voted."""
    voted = 0
    for k in range(N):
        voted += 1 if votes[k].abstain == VOTED else 0
    return voted


@kernel
def form(opinion, votes, now, weights, learning, p, now_ns):
    """What the votes of one timeframe make together."""
    opinion.side = opinion.longs = opinion.shorts = 0
    opinion.strategy = -1
    opinion.score = opinion.confidence = 0.0
    for k in range(N):
        if is_actionable(votes[k]) and weight_of(k, weights, now, learning, p, now_ns) > 0.0:
            if votes[k].score > 0.0:
                opinion.longs += 1
            else:
                opinion.shorts += 1
    if opinion.longs != opinion.shorts:
        opinion.side = 1 if opinion.longs > opinion.shorts else -1
        weigh(opinion, votes, now, weights, learning, p, now_ns)


@kernel
def weigh(opinion, votes, now, weights, learning, p, now_ns):
    """Score, confidence, stop and target of the agreeing votes."""
    total, score, confidence, best, families, of_regime = 0.0, 0.0, 0.0, 0.0, 0, False
    book = False
    for k in range(N):
        vote = votes[k]
        if not is_actionable(vote) or vote.score * opinion.side < 0.0:
            continue
        weight = weight_of(k, weights, now, learning, p, now_ns)
        if weight <= 0.0:
            continue
        total += weight
        score += weight * abs(vote.score)
        confidence += weight * vote.confidence
        families |= 1 << FAMILY[k]
        of_regime |= regime.WANTS[k] == now.regime and now.regime > 0
        book |= k == ORDER_FLOW
        if abs(vote.score) * vote.confidence > best:
            best = abs(vote.score) * vote.confidence
            opinion.strategy = k
            opinion.stop_distance = vote.stop_distance
            opinion.target_distance = vote.target_distance
    agreeing = max(opinion.longs, opinion.shorts)
    opposing = min(opinion.longs, opinion.shorts)
    confidence /= total
    confidence += min(0.1 * (agreeing - 1), 0.3) - min(0.05 * opposing, 0.2)
    confidence += family_bonus(families, agreeing) + (REGIME_BONUS if of_regime else 0.0)
    if not book and now.book_score * opinion.side >= BOOK_AGREES:  # false where it is absent
        confidence += BOOK_BONUS
    if now.choppiness > p.confluence.choppy_above:
        confidence *= CHOPPY_SHARE
    opinion.score = score / total
    opinion.confidence = min(max(confidence, 0.0), 1.0)


@kernel
def family_bonus(families, agreeing):
    """More for three kinds of reason, less for several of one kind."""
    kinds = 0
    while families > 0:
        kinds += families & 1
        families >>= 1
    if kinds >= 3:
        return FAMILY_BONUS
    return -FAMILY_BONUS if kinds == 1 and agreeing > 1 else 0.0


@kernel
def agreement_bonus(frames, active, chosen):
    """(timeframes on the side of the chosen one, bonus of their agreement)."""
    side = frames[chosen].opinion.side
    agreeing, known, share, whole = 0, 0, 0.0, 0.0
    for k in range(len(frames)):
        if active >> k & 1 == 0:
            continue
        known += 1
        whole += SHARES[k]
        if frames[k].opinion.side == side:
            agreeing += 1
            share += SHARES[k]
    if agreeing == known and known >= 2:
        return agreeing, 0.15 if known >= 3 else 0.10
    if agreeing < 2:
        return agreeing, 0.0
    return agreeing, min(0.12 * share / whole, 0.10)


@kernel
def votes_needed(p, learning, now, now_ns):
    """Agreeing votes that are enough; more in storms, chop and hours that lost before."""
    needed = p.confluence.min_votes
    if now.volatility == STORM:
        needed += p.confluence.extra_votes_in_storm
    if now.choppiness > p.confluence.choppy_above:
        needed += 1
    return max(needed, adaptive.session_votes(learning, p.learning, now_ns))


@kernel
def propose(d, x, frames, active, chosen, learning, p, now_ns):
    """Find the candidate among the opinions; (why there is none or NONE, agreeing timeframes)."""
    opinion = frames[chosen].opinion
    d.agreeing = max(opinion.longs, opinion.shorts)
    d.opposing = min(opinion.longs, opinion.shorts)
    apart = d.agreeing - d.opposing
    if not ask(x.gates, G_CANDIDATE, apart, 1.0, opinion.side != 0):
        return (VOTES_TIED if d.agreeing > 0 else NO_VOTE), 0
    d.side = opinion.side
    d.strategy = opinion.strategy
    d.stop_distance, d.target_distance = opinion.stop_distance, opinion.target_distance
    for k in range(chosen + 1, len(frames)):  # of the longest timeframe that agrees
        other = frames[k].opinion
        if active >> k & 1 == 1 and other.side == d.side:
            d.stop_distance, d.target_distance = other.stop_distance, other.target_distance
    agreeing, bonus = agreement_bonus(frames, active, chosen)
    d.score = min(opinion.score + bonus, 1.0)
    session = adaptive.session_factor(learning, p.learning, now_ns)
    d.confidence = min(max((opinion.confidence + bonus) * session, 0.0), 1.0)
    least = p.timeframes.min_agreement
    if not ask(x.gates, G_AGREEMENT, agreeing, least, agreeing >= least):
        return DISAGREE, agreeing
    if not ask(
        x.gates, G_SCORE, d.score, p.confluence.min_score, d.score >= p.confluence.min_score
    ):
        return SCORE_TOO_LOW, agreeing
    return NONE, agreeing


@kernel
def confirm(d, x, now, learning, p, least, now_ns):
    """Whether the candidate is sure enough, and enough votes carry it; the reason if not, or NONE.

    Args:
        least: the confidence it must have.
    """
    if not ask(x.gates, G_CONFIDENCE, d.confidence, least, d.confidence >= least):
        return CONFIDENCE_TOO_LOW
    c = p.confluence
    needed = votes_needed(p, learning, now, now_ns)
    alone = d.agreeing == 1 and d.strategy == KELTNER
    solo = c.keltner_solo_confidence if alone else c.solo_confidence
    several = d.agreeing >= needed or d.confidence >= solo
    if not ask(x.gates, G_VOTES, d.agreeing, needed, several):
        return TOO_FEW_VOTES
    return NONE
