"""on_bar, on_tick, on_fill, on_stop, on_dust, on_book, recall_book, on_funding: the only doors into the core."""

import numpy as np

from trading.core import (
    accounts,
    beside,
    book,
    confluence,
    dust,
    entering,
    holding,
    intents,
    patience,
    risk,
)
from trading.core import strategies as all_strategies
from trading.core import timeframes as frames_of
from trading.core.bars import BadBar, check_bars
from trading.core.codes import Purpose, Reason, Stage
from trading.core.jit import kernel, stage
from trading.core.market import (
    DECISION,
    DETAIL,
    MARKET,
    PARAMS,
    new_account,
    new_markets,
    new_params,
)
from trading.core.records import TIMEFRAMES

__all__ = [
    "DECISION",
    "DETAIL",
    "MARKET",
    "PARAMS",
    "BadBar",
    "check_bars",
    "has_dust",
    "new_account",
    "new_markets",
    "new_params",
    "on_bar",
    "on_book",
    "on_dust",
    "on_fill",
    "on_funding",
    "on_stop",
    "on_tick",
    "recall_book",
]

WARMUP, HOLDING, WAITING = int(Stage.WARMUP), int(Stage.HOLDING), int(Stage.WAITING)
VOTES, ENTRY = int(Stage.VOTES), int(Stage.ENTRY)
WARMING_UP, NO_REASON = int(Reason.WARMING_UP), int(Reason.NONE)
POSITION_OPEN, ORDER_PENDING = int(Reason.POSITION_OPEN), int(Reason.ORDER_PENDING)
BETWEEN_BARS, NO_VOTE = int(Reason.BETWEEN_BARS), int(Reason.NO_VOTE)
P_ENTRY = int(Purpose.ENTRY)


@stage
def form_opinions(market, active, chosen, p, close_ns):
    """What the votes of every timeframe make together; how many voted on the chosen one."""
    voted = confluence.count(market.frames[chosen].votes)
    if voted == 0:
        return 0
    weights = all_strategies.weights(p.strategies)
    for k in range(TIMEFRAMES):
        if active >> k & 1 == 1:
            frame = market.frames[k]
            confluence.form(
                frame.opinion, frame.votes, frame.now, weights, market.learning, p, close_ns
            )
    return voted


@kernel
def advance(market, p, bar):
    """Move the market's clock to a bar: gaps in the data and pauses that run out."""
    frame_ns, gap = market.instrument.timeframe_ns, 0
    if market.bars_seen > 0:
        step = bar.open_ns - market.last_open_ns
        if step != frame_ns:  # a division only where there is a gap
            gap = step // frame_ns - 1
    market.gap_pause = max(market.gap_pause - 1, 0)
    if gap > p.risk.max_gap_bars:
        market.gap_pause = p.risk.gap_pause_bars
    market.cooldown = max(market.cooldown - 1 - gap, 0)
    market.bars_seen += 1
    market.last_open_ns = bar.open_ns
    market.last_close = bar.close


@kernel
def observe(market, p, bar, close_ns):
    """Clock and every timeframe; (bits of those that closed a bar, bits of those in use)."""
    frame_ns = market.instrument.timeframe_ns
    advance(market, p, bar)
    risk.remember(market.history, bar.open_ns, bar.close)
    if market.book.time_ns > 0 or market.funding_ns > 0:
        beside.refresh(market, p.inputs, close_ns)
    frames_of.see(market.frames[0], bar, p, market.inputs)
    closed, active = 1, 1
    for k in range(1, TIMEFRAMES):
        size = frames_of.multiple(p.timeframes, k)
        if size == 0:
            continue
        active |= 1 << k
        frame = market.frames[k]
        if frames_of.is_over(frame, bar, size, frame_ns):
            frame.bars = 0
            frames_of.see(frame, frame.bar, p, market.inputs)
            closed |= 1 << k
        if frames_of.gather(frame, bar, size, frame_ns):
            frames_of.see(frame, frame.bar, p, market.inputs)
            closed |= 1 << k
    return closed, active


@kernel
def begin_decision(d, market, account, bar, chosen, closed):
    """Facts of the bar; nothing decided yet."""
    now = market.frames[chosen].now
    d.bar_open_ns = bar.open_ns
    d.close = bar.close
    d.equity = account.equity
    d.quantity_lots = 0
    d.stop_distance = np.nan
    d.target_distance = np.nan
    d.intent_seq = 0
    d.atr = now.atr
    d.score = 0.0
    d.confidence = 0.0
    d.probability = np.nan
    beside.note_book(d.book, market)
    d.adx = now.adx
    d.rsi = now.rsi
    d.volume_ratio = now.volume_ratio
    d.choppiness = now.choppiness
    d.volatility_rank = now.volatility_rank
    d.regime = now.regime
    d.volatility = now.volatility
    d.side = 0
    d.agreeing = 0
    d.opposing = 0
    d.strategy = -1
    d.closed = closed
    d.has_detail = 0
    d.chase = 0
    votes = market.frames[chosen].votes
    for k in range(len(votes)):
        d.abstain[k] = votes[k].abstain


@kernel
def end_decision(d, market, stage, reason):
    """Where the decision ended and what the market holds now."""
    d.stage = stage
    d.reason = reason
    d.position_lots = market.position.quantity_lots
    d.stop_ticks = market.position.stop_ticks if market.position.quantity_lots != 0 else 0


@stage
def on_bar(markets, m, account, params, bars, i, decisions, k, details, j, asked):
    """Decide on a closed bar; the number of intents written.

    Always writes DECISION ``k``; DETAIL ``j`` too where a strategy voted on the deciding timeframe,
    which ``has_detail`` of the decision tells.
    """
    market, acct, p, bar = markets[m], account[0], params[0], bars[i]
    d, x = decisions[k], details[j]
    close_ns = bar.open_ns + market.instrument.timeframe_ns
    chosen = frames_of.deciding(p.timeframes)
    closed, active = observe(market, p, bar, close_ns)
    accounts.mark(market, acct, bar.open_ns)
    begin_decision(d, market, acct, bar, chosen, closed)
    is_due = closed >> chosen & 1 == 1
    voted = form_opinions(market, active, chosen, p, close_ns) if is_due else 0
    if voted > 0:
        d.has_detail = 1
        entering.begin_detail(x, market.frames[chosen].votes, market.frames)
    cost = risk.round_trip_cost(p.costs)
    if market.position.quantity_lots != 0:
        n = holding.manage(market, p, bar, cost, asked)
        end_decision(d, market, HOLDING, POSITION_OPEN)
        return n
    stage, reason, n = VOTES, NO_VOTE, 0
    if market.position.entry_seq > 0:
        stage, reason = HOLDING, ORDER_PENDING
    elif entering.wants_chase(market, chosen):
        if voted == 0:
            d.has_detail = 1
            entering.begin_detail(x, market.frames[chosen].votes, market.frames)
        stage, reason = entering.chase(d, x, markets, m, acct, p, (active, chosen), cost)
    elif not is_due:
        stage, reason = WAITING, BETWEEN_BARS
    elif np.isnan(market.frames[chosen].now.adx):
        stage, reason = WARMUP, WARMING_UP
    elif voted > 0:
        stage, reason = entering.consider(d, x, markets, m, acct, p, (active, chosen), cost)
    if stage == ENTRY:
        n = entering.enter(d, x, market, acct, p.entries, asked)
    end_decision(d, market, stage, reason)
    return n


@kernel
def on_tick(markets, m, account, params, time_ns, price, asked):
    """A price between bars; the number of intents written."""
    return holding.watch(markets[m], params[0], time_ns, price, asked)


@stage
def on_fill(markets, m, account, params, fills, f, asked):
    """Move position and account by the venue's word on an order; the number of intents written."""
    market, acct, p, fill = markets[m], account[0], params[0], fills[f]
    position = market.position
    held = position.quantity_lots
    if fill.quantity_lots > 0:
        accounts.book(market, acct, fill)
        patience.begin_anew(position)
    if fill.purpose == P_ENTRY:
        return holding.on_entry_fill(market, acct, fill, held, asked)
    if fill.final == 0:
        return 0
    if position.quantity_lots == 0:
        if position.entry_price > 0.0:  # else an order's news after its position had ended
            holding.end(market, acct, p, fill.time_ns)
    elif fill.intent_seq == position.stop_seq:  # it is gone, the position is not
        position.stop_seq = 0
        patience.put_off_stop(market, fill.time_ns)
    elif fill.intent_seq == position.exit_seq:
        position.exit_seq = 0
        patience.put_off_exit(market, fill.time_ns)
        if position.stop_seq > 0:  # of the whole again, or of what is left
            return intents.move_stop(market, asked, 0, fill.time_ns)
    return 0


@kernel
def on_stop(markets, m, ticks, is_whole, time_ns, asked):
    """The resting stop is another than was asked for; the number of intents written."""
    return holding.mend_stop(markets[m], ticks, is_whole, time_ns, asked)


@kernel
def has_dust(markets, m):
    """Whether a position is left that no order may sell; ``on_dust`` would write it off."""
    return dust.is_dust(markets[m])


@stage
def on_dust(markets, m, account, params, time_ns):
    """No order of the market works or is unclear: write off what is dust; the lots written off."""
    if not dust.is_dust(markets[m]):
        return 0
    return dust.write_off(markets[m], account[0], params[0], time_ns)


@kernel
def on_book(markets, m, time_ns, bids, asks):
    """A snapshot of the order book, levels best first; False if it cannot be used."""
    return book.update(markets[m].book, bids, asks, time_ns)


@kernel
def recall_book(markets, m, used):
    """The book that a stored decision knew (its ``book``), before the same bar is decided again."""
    beside.recall_book(markets[m], used)


@kernel
def on_funding(markets, m, time_ns, rate):
    """The funding rate of the pair's perpetual, as a fraction of notional per eight hours."""
    market = markets[m]
    if not -1.0 < rate < 1.0:
        return False
    market.funding_ns = time_ns
    market.funding_rate = rate
    return True
