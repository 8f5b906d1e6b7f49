"""on_bar, on_tick, on_fill: the only doors into the core."""

import numpy as np

from trading.core import confluence, exits, regime, risk
from trading.core import strategies as all_strategies
from trading.core.codes import ExitReason, Gate, Purpose, Reason, Stage
from trading.core.config.pipeline import PipelineParams
from trading.core.indicators import adx, atr, rsi, window
from trading.core.jit import kernel
from trading.core.params import record_dtype, to_record
from trading.core.records import ACCOUNT, FEE_UNITS_PER_QUOTE, POSITION, decision_dtype

ATR_BARS = ADX_BARS = RSI_BARS = 14
VOLUME_BARS = 20
NS_PER_DAY = 86_400_000_000_000

INSTRUMENT = np.dtype(
    [
        ("tick_size", "f8"),
        ("lot_size", "f8"),
        ("min_quantity_lots", "i8"),
        ("min_notional", "f8"),
        ("timeframe_ns", "i8"),
    ]
)
NOW = np.dtype([("atr", "f8"), ("adx", "f8"), ("rsi", "f8"), ("volume_ratio", "f8")])
MARKET = np.dtype(
    [
        ("instrument", INSTRUMENT),
        ("intent_seq", "i8"),
        ("last_open_ns", "i8"),
        ("last_close", "f8"),
        ("bars_seen", "i8"),
        ("gap_pause", "i8"),  # bars without entries left after a gap in the data
        ("cooldown", "i8"),  # bars without entries left after an exit
        ("marked", "f8"),  # this position's share of ACCOUNT.marked
        ("reserved", "f8"),  # this market's share of ACCOUNT.exposure
        ("position", POSITION),
        ("now", NOW),
        ("atr", atr.STATE),
        ("adx", adx.STATE),
        ("rsi", rsi.STATE),
        ("volumes", window.STATE),
        ("strategies", all_strategies.STATE),
    ]
)
PARAMS = record_dtype(PipelineParams)
DECISION = decision_dtype(all_strategies.N)

WARMUP, HOLDING, CONFLUENCE = int(Stage.WARMUP), int(Stage.HOLDING), int(Stage.CONFLUENCE)
VOTES, RISK, SIZING, ENTRY = int(Stage.VOTES), int(Stage.RISK), int(Stage.SIZING), int(Stage.ENTRY)
WARMING_UP, NO_REASON = int(Reason.WARMING_UP), int(Reason.NONE)
POSITION_OPEN, ORDER_PENDING = int(Reason.POSITION_OPEN), int(Reason.ORDER_PENDING)
NO_VOTE, VOTES_TIED = int(Reason.NO_VOTE), int(Reason.VOTES_TIED)
G_WARMUP, G_FLAT = int(Gate.WARMUP), int(Gate.FLAT)
P_ENTRY, P_PROTECT = int(Purpose.ENTRY), int(Purpose.PROTECT)
P_MOVE_STOP, P_EXIT = int(Purpose.MOVE_STOP), int(Purpose.EXIT)
X_NONE, X_STOP = int(ExitReason.NONE), int(ExitReason.STOP)


PRICE = "a finite price above 0"
FAULTS = (  # what find_bad_bar numbers from 1
    ("open", PRICE),
    ("high", PRICE),
    ("low", PRICE),
    ("close", PRICE),
    ("high", "the highest of its bar"),
    ("low", "the lowest of its bar"),
    ("volume", "a finite volume of 0 or more"),
    ("open_ns", "later than the bar before"),
)


class BadBar(ValueError):
    """A bar that cannot be used; the text names row, field and value."""


def new_params(params: PipelineParams) -> np.ndarray:
    """The read-only PARAMS record of one revision."""
    return to_record(params)


def new_markets(count: int) -> np.ndarray:
    """Fresh MARKET records; the instrument's grid is the caller's to fill in."""
    markets = np.zeros(count, MARKET)
    markets["position"]["target"] = np.nan
    return markets


def new_account(cash: float) -> np.ndarray:
    """An ACCOUNT record that holds cash only."""
    account = np.zeros(1, ACCOUNT)
    for name in ("cash", "equity", "peak_equity", "day_start_equity"):
        account[name] = cash
    return account


def check_bars(bars: np.ndarray) -> None:
    """Refuse what the kernels must never see.

    Raises:
        BadBar: a price that is not a finite number above 0, a high below or a low above another
            price, a negative or non-finite volume, or an open time that does not grow.
    """
    row, fault = find_bad_bar(np.ascontiguousarray(bars))
    if fault:
        field, accepted = FAULTS[fault - 1]
        raise BadBar(f"bar {row}: {field} must be {accepted}, was {bars[field][row]}")


@kernel
def find_bad_bar(bars):
    """(row, number of the fault in FAULTS) of the first bar that cannot be used, else (0, 0)."""
    for i in range(len(bars)):
        bar = bars[i]
        fault = 0
        if not 0.0 < bar.open < np.inf:
            fault = 1
        elif not 0.0 < bar.high < np.inf:
            fault = 2
        elif not 0.0 < bar.low < np.inf:
            fault = 3
        elif not 0.0 < bar.close < np.inf:
            fault = 4
        elif bar.high < max(bar.open, bar.low, bar.close):
            fault = 5
        elif bar.low > min(bar.open, bar.close):
            fault = 6
        elif not 0.0 <= bar.volume < np.inf:
            fault = 7
        elif i > 0 and bar.open_ns <= bars[i - 1].open_ns:
            fault = 8
        if fault > 0:
            return i, fault
    return 0, 0


@kernel
def emit(market, intents, n, at_ns, purpose, side, lots, ticks, replaces, reason):
    """Write the next intent of a market and return its number."""
    market.intent_seq += 1
    intent = intents[n]
    intent.seq = market.intent_seq
    intent.at_ns = at_ns
    intent.purpose = purpose
    intent.side = side
    intent.quantity_lots = lots
    intent.price_ticks = ticks
    intent.replaces_seq = replaces
    intent.reason = reason
    return market.intent_seq


@kernel
def exit_now(market, intents, at_ns, reason):
    """Ask for the whole position at the market, in place of its stop."""
    position = market.position
    side = -1 if position.quantity_lots > 0 else 1
    lots = abs(position.quantity_lots)
    position.exit_seq = emit(
        market, intents, 0, at_ns, P_EXIT, side, lots, 0, position.stop_seq, reason
    )
    position.stop_seq = 0
    return 1


@kernel
def observe(market, p, bar, d):
    """Indicators, gaps and votes: what depends on the market only."""
    gap = 0
    if market.bars_seen > 0:
        step = bar.open_ns - market.last_open_ns
        if step != market.instrument.timeframe_ns:  # a division only where there is a gap
            gap = step // market.instrument.timeframe_ns - 1
    market.gap_pause = max(market.gap_pause - 1, 0)
    if gap > p.risk.max_gap_bars:
        market.gap_pause = p.risk.gap_pause_bars
    market.cooldown = max(market.cooldown - 1 - gap, 0)
    market.bars_seen += 1
    market.last_open_ns = bar.open_ns
    market.last_close = bar.close
    now = market.now
    now.atr = atr.update(market.atr, bar.high, bar.low, bar.close, ATR_BARS)
    now.adx = adx.update(market.adx, bar.high, bar.low, bar.close, ADX_BARS)
    now.rsi = rsi.update(market.rsi, bar.close, RSI_BARS)
    average = window.mean(market.volumes, VOLUME_BARS)
    now.volume_ratio = bar.volume / average if average > 0.0 else np.nan
    window.push_sum(market.volumes, bar.volume, VOLUME_BARS)
    all_strategies.score_all(market.strategies, p.strategies, bar, now, d.votes)
    d.regime = regime.classify(now.adx, p.confluence.trend_adx)


@kernel
def mark(market, account, open_ns):
    """Value the position at the last close, and move day and peak."""
    instrument = market.instrument
    value = market.position.quantity_lots * instrument.lot_size * market.last_close
    account.marked += value - market.marked
    market.marked = value
    reserve(market, account, abs(value))
    account.equity = account.cash + account.marked
    account.peak_equity = max(account.peak_equity, account.equity)
    day = open_ns // NS_PER_DAY
    if day != account.day:
        account.day = day
        account.day_start_equity = account.equity


@kernel
def reserve(market, account, notional):
    """This market's share of the exposure; a working entry keeps what it asked for."""
    if market.position.entry_seq > 0:
        notional = max(notional, market.reserved)
    account.exposure += notional - market.reserved
    market.reserved = notional


@kernel
def begin_decision(d, market, account, bar):
    """Facts of the bar; nothing decided yet."""
    d.bar_open_ns = bar.open_ns
    d.reason = NO_REASON
    d.side = 0
    d.score = 0.0
    d.confidence = 0.0
    d.agreeing = 0
    d.close = bar.close
    d.atr = market.now.atr
    d.adx = market.now.adx
    d.rsi = market.now.rsi
    d.volume_ratio = market.now.volume_ratio
    d.equity = account.equity
    d.quantity_lots = 0
    d.stop_distance = np.nan
    d.target_distance = np.nan
    d.intent_seq = 0
    for g in range(len(d.gates)):
        d.gates[g].value = 0.0
        d.gates[g].limit = 0.0
        d.gates[g].verdict = 0


@kernel
def end_decision(d, market, stage, reason):
    """Where the decision ended and what the market holds now."""
    d.stage = stage
    d.reason = reason
    d.position_lots = market.position.quantity_lots
    d.stop_ticks = market.position.stop_ticks if market.position.quantity_lots != 0 else 0


@kernel
def manage(market, p, bar, cost, intents):
    """An open position at a bar's close: target, time, then the stop."""
    position = market.position
    instrument = market.instrument
    close_ns = bar.open_ns + instrument.timeframe_ns
    if position.exit_seq > 0 or position.entry_seq > 0:
        return 0
    why = exits.wants_out(position, p.exits, bar.close, close_ns, instrument.timeframe_ns)
    ticks, reason = exits.plan_stop(position, p.exits, bar, cost, instrument.tick_size)
    if why != X_NONE:
        return exit_now(market, intents, close_ns, why)
    if ticks == position.stop_ticks:
        return 0
    side = -1 if position.quantity_lots > 0 else 1
    lots = abs(position.quantity_lots)
    position.stop_ticks = ticks
    position.stop_reason = reason
    if position.stop_seq == 0:  # nothing rests at the venue to be moved: on_tick watches it
        return 0
    position.stop_seq = emit(
        market, intents, 0, close_ns, P_MOVE_STOP, side, lots, ticks, position.stop_seq, reason
    )
    return 1


@kernel
def consider(d, market, account, p, cost):
    """Votes to candidate to a sized trade; (stage, reason) of the first no, or ENTRY."""
    weights = (
        p.strategies.trend.weight,
        p.strategies.mean_reversion.weight,
        p.strategies.breakout.weight,
    )
    reason = confluence.decide(d, p.confluence, weights)
    if reason != NO_REASON:
        return VOTES if reason in (NO_VOTE, VOTES_TIED) else CONFLUENCE, reason
    d.stop_distance *= p.exits.stop_scale
    d.target_distance *= p.exits.target_scale
    reason = risk.check_account(d, market, account, p.risk)
    if reason != NO_REASON:
        return RISK, reason
    reason = risk.check_trade(d, market, account, p.risk, cost)
    if reason != NO_REASON:
        return RISK, reason
    reason = risk.check_size(d, market, account, p.sizing, cost)
    if reason != NO_REASON:
        return SIZING, reason
    return ENTRY, NO_REASON


@kernel
def enter(d, market, account, intents, close_ns):
    """Ask for the entry and reserve what it will need."""
    position = market.position
    position.entry_seq = emit(
        market, intents, 0, close_ns, P_ENTRY, d.side, d.quantity_lots, 0, 0, X_NONE
    )
    position.planned_stop_distance = d.stop_distance
    position.planned_target_distance = d.target_distance
    d.intent_seq = position.entry_seq
    account.open_positions += 1
    reserve(market, account, d.quantity_lots * market.instrument.lot_size * d.close)
    return 1


@kernel
def on_bar(markets, m, account, params, bars, i, decisions, k, intents):
    """Decide on a closed bar: always one DECISION, and the number of intents written."""
    market, acct, p, bar, d = markets[m], account[0], params[0], bars[i], decisions[k]
    observe(market, p, bar, d)
    mark(market, acct, bar.open_ns)
    begin_decision(d, market, acct, bar)
    cost = risk.round_trip_cost(p.costs)
    if market.position.quantity_lots != 0:
        n = manage(market, p, bar, cost, intents)
        end_decision(d, market, HOLDING, POSITION_OPEN)
        return n
    if market.position.entry_seq > 0:
        end_decision(d, market, HOLDING, ORDER_PENDING)
        return 0
    if not confluence.ask(d.gates, G_WARMUP, market.bars_seen, 2.0 * ADX_BARS, not np.isnan(d.adx)):
        end_decision(d, market, WARMUP, WARMING_UP)
        return 0
    confluence.ask(d.gates, G_FLAT, 0.0, 0.0, True)
    stage, reason = consider(d, market, acct, p, cost)
    n = 0
    if stage == ENTRY:
        n = enter(d, market, acct, intents, bar.open_ns + market.instrument.timeframe_ns)
    end_decision(d, market, stage, reason)
    return n


@kernel
def on_tick(markets, m, account, params, time_ns, price, intents):
    """A price between bars: requested exits, time, and a stop that does not rest at the venue."""
    market, p = markets[m], params[0]
    position = market.position
    if position.quantity_lots == 0:
        if position.entry_seq == 0:
            position.exit_requested = X_NONE
        return 0
    if position.exit_seq > 0 or position.entry_seq > 0:  # of an entry: more of it may still come
        return 0
    if position.exit_requested != X_NONE:
        return exit_now(market, intents, time_ns, position.exit_requested)
    if exits.is_too_old(position, p.exits, time_ns, market.instrument.timeframe_ns):
        return exit_now(market, intents, time_ns, exits.TIME)
    side = 1 if position.quantity_lots > 0 else -1
    trigger = position.stop_ticks * market.instrument.tick_size
    if position.stop_seq == 0 and position.stop_ticks > 0 and (price - trigger) * side <= 0.0:
        return exit_now(market, intents, time_ns, position.stop_reason)
    return 0


@kernel
def book(market, account, fill):
    """Cash, fees and quantity of an execution; what it realised, fee included."""
    position, instrument = market.position, market.instrument
    quantity = fill.quantity_lots * instrument.lot_size
    price = fill.price_ticks * instrument.tick_size
    fee = fill.fee_units / FEE_UNITS_PER_QUOTE
    account.cash -= fill.side * quantity * price + fee
    account.fees += fee
    held = position.quantity_lots
    realized = -fee
    if fill.purpose == P_ENTRY:
        total = abs(held) + fill.quantity_lots
        position.entry_price = (
            position.entry_price * abs(held) + price * fill.quantity_lots
        ) / total
        position.entry_fees += fee
    else:
        realized += -fill.side * (price - position.entry_price) * quantity
    position.quantity_lots += fill.side * fill.quantity_lots
    position.realized += realized
    account.realized += realized


@kernel
def begin_position(market, fill, intents):
    """First stop and target of a filled entry."""
    position, instrument = market.position, market.instrument
    position.entry_seq = 0
    position.entry_ns = fill.time_ns
    position.best_price = position.entry_price
    distance = position.planned_stop_distance
    position.target = position.entry_price + fill.side * position.planned_target_distance
    position.stop_ticks = exits.first_stop_ticks(
        position.entry_price, fill.side, distance, instrument.tick_size
    )
    position.initial_risk = abs(position.entry_price - position.stop_ticks * instrument.tick_size)
    position.stop_reason = X_STOP
    lots = abs(position.quantity_lots)
    position.stop_seq = emit(
        market,
        intents,
        0,
        fill.time_ns,
        P_PROTECT,
        -fill.side,
        lots,
        position.stop_ticks,
        0,
        X_STOP,
    )
    return 1


@kernel
def end_position(market, account, p):
    """Flat: count, cool down, forget."""
    position = market.position
    lost = position.realized < 0.0
    account.open_positions -= 1
    account.exits += 1
    market.cooldown = p.risk.cooldown_bars_after_loss if lost else p.risk.cooldown_bars
    account.marked -= market.marked
    market.marked = 0.0
    account.exposure -= market.reserved
    market.reserved = 0.0
    if account.open_positions == 0:  # nothing is held: no rounding residue may stay either
        account.marked = 0.0
        account.exposure = 0.0
    account.equity = account.cash + account.marked
    position.entry_price = 0.0
    position.entry_ns = 0
    position.entry_fees = 0.0
    position.stop_ticks = 0
    position.stop_seq = 0
    position.stop_reason = X_NONE
    position.initial_risk = 0.0
    position.target = np.nan
    position.best_price = 0.0
    position.exit_seq = 0
    position.exit_requested = X_NONE
    position.realized = 0.0


@kernel
def on_fill(markets, m, account, params, fills, f, intents):
    """Move position and account by the venue's word on an order; the number of intents written."""
    market, acct, p, fill = markets[m], account[0], params[0], fills[f]
    position = market.position
    if fill.quantity_lots > 0:
        book(market, acct, fill)
    if fill.final == 0:
        return 0
    if fill.purpose == P_ENTRY:
        if fill.quantity_lots == 0 and fill.intent_seq != position.entry_seq:
            return 0  # late news of an entry that was settled before
        if position.quantity_lots == 0:  # ended without a fill
            position.entry_seq = 0
            acct.open_positions -= 1
            reserve(market, acct, 0.0)
            return 0
        acct.entries += 1
        return begin_position(market, fill, intents)
    if position.quantity_lots == 0:
        if position.entry_price > 0.0:  # else an order's news after its position had ended
            end_position(market, acct, p)
    elif fill.intent_seq == position.stop_seq:
        position.stop_seq = 0
    elif fill.intent_seq == position.exit_seq:
        position.exit_seq = 0
    return 0
