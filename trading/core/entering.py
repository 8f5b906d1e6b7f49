"""From votes to a sized entry: every gate in order, until the first says no."""

import math

import numpy as np

from trading.core import accounts, confluence, exits, features, gate, intents, risk, sizing, votes
from trading.core.codes import Gate, Purpose, Reason, Stage
from trading.core.config.features import N_FEATURES
from trading.core.jit import kernel, stage
from trading.core.records import N_GATES

P_ENTRY = int(Purpose.ENTRY)
CONFLUENCE, MODEL, RISK = int(Stage.CONFLUENCE), int(Stage.MODEL), int(Stage.RISK)
VOTES, SIZING, ENTRY = int(Stage.VOTES), int(Stage.SIZING), int(Stage.ENTRY)
NONE, NO_VOTE, VOTES_TIED = int(Reason.NONE), int(Reason.NO_VOTE), int(Reason.VOTES_TIED)
MODEL_REFUSED = int(Reason.MODEL_REFUSED)
G_PROBABILITY = np.int64(Gate.PROBABILITY)
LEAST_SHARE = 0.85  # of the confidence, whatever a model says


@stage
def begin_detail(x, given, frames):
    """The votes and the timeframes' opinions, and nothing asked yet."""
    for k in range(len(given)):
        votes.copy(x.votes[k], given[k])
    for k in range(len(frames)):
        frame, view = frames[k], x.timeframes[k]
        view.side = frame.opinion.side
        view.regime = frame.now.regime
        view.score = frame.opinion.score
        view.confidence = frame.opinion.confidence
    for g in range(N_GATES):
        x.gates[g].value = 0.0
        x.gates[g].limit = 0.0
        x.gates[g].verdict = 0
    for k in range(N_FEATURES):
        x.features[k] = 0.0
    sized = x.sized
    sized.kelly = sized.drawdown = sized.streak = sized.volatility = 1.0
    sized.spread = sized.correlation = sized.ruin = 1.0


@kernel
def ask_model(d, x, market, p, now, at):
    """Probability of a gain, blended into the confidence; (the least confidence, it passes).

    Only a model refuses. The online learner advises: one that refused would see no more outcomes
    and never change its mind. Without a model the candidate needs the fallback's confidence.
    """
    agreeing, cost, close_ns = at
    features.fill(x.features, d, now, agreeing, cost, close_ns)
    found = gate.probability(p.network, market.learning.online, x.features)
    d.probability = found
    if not np.isnan(found):
        blended = (1.0 - p.model.weight) * d.confidence + p.model.weight * found
        d.confidence = max(blended, LEAST_SHARE * d.confidence)
    if p.network.present == 0:
        confluence.note_absent(x.gates, G_PROBABILITY, p.model.min_probability)
        return max(p.confluence.min_confidence, p.model.fallback_confidence), True
    passes = found >= p.model.min_probability
    confluence.ask(x.gates, G_PROBABILITY, found, p.model.min_probability, passes)
    return p.confluence.min_confidence, passes


@kernel
def find_candidate(d, x, market, p, frames_at, cost, close_ns):
    """Votes and model: (stage, reason) of the first no, or of NONE."""
    active, chosen = frames_at
    learning, now = market.learning, market.frames[chosen].now
    reason, agreeing = confluence.propose(
        d, x, market.frames, active, chosen, learning, p, close_ns
    )
    if reason != NONE:
        return VOTES if reason in (NO_VOTE, VOTES_TIED) else CONFLUENCE, reason
    if p.exits.structural_stop == 1:
        structure = market.frames[chosen].strategies.market_structure
        d.stop_distance = exits.structural_distance(
            structure, now, d.side, d.close, d.stop_distance
        )
    d.stop_distance *= p.exits.stop_scale
    d.target_distance *= p.exits.target_scale
    risk.fit_distances(d, market.instrument, p.risk)
    least, passes = ask_model(d, x, market, p, now, (agreeing, cost, close_ns))
    if not passes:
        return MODEL, MODEL_REFUSED
    reason = confluence.confirm(d, x, now, learning, p, least, close_ns)
    return CONFLUENCE, reason


@stage
def consider(d, x, markets, m, account, p, frames_at, cost):
    """Votes to candidate to a sized trade; (stage, reason) of the first no, or ENTRY."""
    market = markets[m]
    close_ns = d.bar_open_ns + market.instrument.timeframe_ns
    stage, reason = find_candidate(d, x, market, p, frames_at, cost, close_ns)
    if reason != NONE:
        return stage, reason
    return approve(d, x, markets, m, account, p, frames_at, cost)


@kernel
def wants_chase(market, chosen):
    """Whether a limit that got nothing is asked for again: not once the opinion has turned."""
    position = market.position
    if market.frames[chosen].opinion.side == -position.chase_side:
        position.chase_side = 0
    return position.chase_side != 0


@stage
def chase(d, x, markets, m, account, p, frames_at, cost):
    """The planned entry once more, at this bar's close; (stage, reason) of the first no, or ENTRY.

    Votes and model have spoken; risk and size are asked anew. The first no ends it.
    """
    position, seen = markets[m].position, d.volatility
    d.side = position.chase_side
    d.strategy = position.strategy
    d.volatility = position.volatility  # sized as it was planned
    d.stop_distance = position.planned_stop_distance
    d.target_distance = position.planned_target_distance
    d.chase = position.limits
    risk.fit_distances(d, markets[m].instrument, p.risk)
    stage, reason = approve(d, x, markets, m, account, p, frames_at, cost)
    d.volatility = seen
    if reason != NONE:
        position.chase_side = 0
    return stage, reason


@stage
def approve(d, x, markets, m, account, p, frames_at, cost):
    """Risk and size of a candidate; (stage, reason) of the first no, or ENTRY."""
    market = markets[m]
    close_ns = d.bar_open_ns + market.instrument.timeframe_ns
    reason = risk.check_time(d, x, market, account, p.risk, close_ns)
    if reason != NONE:
        return RISK, reason
    reason = risk.check_account(x, markets, m, account, p.risk, close_ns)
    if reason != NONE:
        return RISK, reason
    now = market.frames[frames_at[1]].now
    reason = risk.check_trade(d, x, now, p.risk, cost)
    if reason != NONE:
        return RISK, reason
    alike = risk.most_correlated(markets, m, d.side) if account.open_positions > 0 else 0.0
    factor = sizing.scale(x.sized, account, p.sizing, now, d.volatility, alike)
    usual = market.frames[0].now.usual_volume
    most = risk.liquid_notional(now, p.sizing, usual, d.close)
    reason = risk.check_size(d, x, market, account, p.sizing, (most, cost, factor))
    if reason != NONE:
        return SIZING, reason
    return ENTRY, NONE


@kernel
def enter(d, x, market, account, p, asked):
    """Ask for the entry and reserve what it will need."""
    position, instrument = market.position, market.instrument
    close_ns = d.bar_open_ns + instrument.timeframe_ns
    is_limit = p.limit == 1 and d.chase <= p.chases
    ticks = limit_ticks(d, instrument, p) if is_limit else 0
    order = (close_ns, P_ENTRY, d.side, d.quantity_lots, ticks, 0, 0)
    position.entry_seq = intents.emit(market, asked, 0, order)
    if ticks > 0:
        asked[0].expires_ns = close_ns + p.limit_bars * instrument.timeframe_ns
    position.limits = d.chase + 1 if is_limit else 0
    again = is_limit and (d.chase < p.chases or p.fallback == 1)
    position.chase_side = d.side if again else 0
    position.planned_stop_distance = d.stop_distance
    position.planned_target_distance = d.target_distance
    position.decided_ns = close_ns
    if d.chase == 0:
        position.strategy = d.strategy
        position.regime = d.regime
        position.volatility = d.volatility
        for k in range(N_FEATURES):
            position.features[k] = x.features[k]
    market.learning.strategies[d.strategy].last_entry_ns = close_ns
    d.intent_seq = position.entry_seq
    account.open_positions += 1
    accounts.reserve(market, account, d.quantity_lots * instrument.lot_size * d.close)
    return 1


@kernel
def limit_ticks(d, instrument, p):
    """A price on our side of the close, rounded away from the market, at least one tick."""
    level = d.close * (1.0 - d.side * p.limit_offset_bps * 1e-4) / instrument.tick_size
    return max(int(math.floor(level + 1e-9) if d.side > 0 else math.ceil(level - 1e-9)), 1)
