"""Votes once, decisions many times: the loops behind ``backtest.two_stage``."""

import numpy as np

from trading.core import accounts, confluence, entering, holding, pipeline, risk
from trading.core import fills as fill_model
from trading.core import timeframes as frames_of
from trading.core.jit import kernel, stage
from trading.core.market import DECISION, DETAIL
from trading.core.records import FILL, INTENT, MAX_FILLS, MAX_INTENTS, NOW, TIMEFRAMES, VOTE
from trading.core.simulation import accept_all, settle
from trading.core.strategies import N

SEEN = np.dtype([("now", NOW), ("votes", VOTE, (N,))])
EVENT = np.dtype(  # a bar on which the deciding timeframe closed and a strategy voted
    [
        ("bar", "i8"),
        ("frames", SEEN, (TIMEFRAMES,)),
        ("high_swing", "f8"),
        ("low_swing", "f8"),
        ("high_swings", "i8"),
        ("low_swings", "i8"),
    ]
)
POINT = np.dtype([("open_ns", "i8"), ("equity", "f8")])


@stage
def watch(bars, at, markets, params, out):
    """The observing loop; (next bar, events so far)."""
    start, n = at
    events, atr, volume = out
    market, p = markets[0], params[0]
    frame_ns = market.instrument.timeframe_ns
    chosen = frames_of.deciding(p.timeframes)
    for i in range(start, len(bars)):
        if n == len(events):
            return i, n
        bar = bars[i]
        closed, active = pipeline.observe(market, p, bar, bar.open_ns + frame_ns)
        now = market.frames[0].now
        atr[i], volume[i] = now.atr, now.usual_volume
        if closed >> chosen & 1 == 0:
            continue
        if confluence.count(market.frames[chosen].votes) > 0:
            keep(events[n], market, i, active, chosen)
            n += 1
    return len(bars), n


@kernel
def keep(event, market, i, active, chosen):
    """What the timeframes in use show on bar ``i``."""
    event.bar = i
    for k in range(TIMEFRAMES):
        if active >> k & 1 == 1:
            event.frames[k].now = market.frames[k].now
            for v in range(N):
                event.frames[k].votes[v] = market.frames[k].votes[v]
    structure = market.frames[chosen].strategies.market_structure
    event.high_swing, event.high_swings = structure.highs.last, structure.highs.count
    event.low_swing, event.low_swings = structure.lows.last, structure.lows.count


@kernel
def show(event, market, active, chosen):
    """Put back what the timeframes showed."""
    for k in range(TIMEFRAMES):
        if active >> k & 1 == 1:
            market.frames[k].now = event.frames[k].now
            for v in range(N):
                market.frames[k].votes[v] = event.frames[k].votes[v]
    structure = market.frames[chosen].strategies.market_structure
    structure.highs.last, structure.highs.count = event.high_swing, event.high_swings
    structure.lows.last, structure.lows.count = event.low_swing, event.low_swings


@stage
def play(seen, at, markets, account, params, sims, out):
    """The deciding loop; (next bar, next event, fills so far, points so far)."""
    bars, events, atr, volume = seen
    i, e, n, points = at
    fills, of_market, path = out
    market, acct, p = markets[0], account[0], params[0]
    asked, found = np.zeros(MAX_INTENTS, INTENT), np.zeros(MAX_FILLS, FILL)
    decision, detail = np.zeros(1, DECISION), np.zeros(1, DETAIL)
    chosen = frames_of.deciding(p.timeframes)
    active = frames_of.in_use(p.timeframes)
    position = market.position
    while i < len(bars):
        if n + 2 * MAX_FILLS > len(fills):
            return i, e, n, points
        bar = bars[i]
        is_event = e < len(events) and events[e].bar == i
        trades = position.quantity_lots != 0 or position.entry_seq > 0
        busy = trades or position.chase_side != 0
        if trades:
            n = trade(
                markets, account, params, sims, bars, i, (asked, found), (fills, of_market), n
            )
        pipeline.advance(market, p, bar)
        if is_event:
            show(events[e], market, active, chosen)
            e += 1
        if busy or is_event or i == 0 or i == len(bars) - 1:
            market.frames[0].now.atr = atr[i]
            market.frames[0].now.usual_volume = volume[i]
            accounts.mark(market, acct, bar.open_ns)
            path[points].open_ns, path[points].equity = bar.open_ns, acct.equity
            points += 1
            step = (bar, is_event, active, chosen)
            wanted = close_bar(markets, account, p, step, decision[0], detail[0], asked)
            accept_all(sims, 0, asked, wanted)
        elif bar.open_ns // accounts.NS_PER_DAY != acct.day:
            accounts.mark(market, acct, bar.open_ns)
        i += 1
    return i, e, n, points


@stage
def trade(markets, account, params, sims, bars, i, room, log, n):
    """What happens within a bar while something is held or on its way; the number of fills."""
    asked, found = room
    wanted = pipeline.on_tick(markets, 0, account, params, bars[i].open_ns, bars[i].open, asked)
    accept_all(sims, 0, asked, wanted)
    count = fill_model.match_open(sims, 0, markets, params, bars, i, found)
    if count > 0:
        n = settle(markets, 0, account, params, sims, (found, count, asked), log, n)
    count = fill_model.match_range(sims, 0, markets, params, bars, i, found)
    if count > 0:
        n = settle(markets, 0, account, params, sims, (found, count, asked), log, n)
    return n


@stage
def close_bar(markets, account, p, step, d, x, asked):
    """The same decision as ``on_bar``'s, from what was observed; the number of intents."""
    bar, is_event, active, chosen = step
    market, acct = markets[0], account[0]
    cost = risk.round_trip_cost(p.costs)
    if market.position.quantity_lots != 0:
        return holding.manage(market, p, bar, cost, asked)
    if is_event:
        close_ns = bar.open_ns + market.instrument.timeframe_ns
        pipeline.form_opinions(market, active, chosen, p, close_ns)
    if market.position.entry_seq > 0:
        return 0
    frames_at, found = (active, chosen), pipeline.VOTES
    if entering.wants_chase(market, chosen):
        pipeline.begin_decision(d, market, acct, bar, chosen, 0)
        found, _ = entering.chase(d, x, markets, 0, acct, p, frames_at, cost)
    elif is_event and not np.isnan(market.frames[chosen].now.adx):
        pipeline.begin_decision(d, market, acct, bar, chosen, 0)
        found, _ = entering.consider(d, x, markets, 0, acct, p, frames_at, cost)
    return entering.enter(d, x, market, acct, p.entries, asked) if found == pipeline.ENTRY else 0
