"""An open position: managed at every bar's close, begun and ended by fills."""

import numpy as np

from trading.core import accounts, adaptive, exits, intents, learner, patience, sizing
from trading.core.codes import ExitReason, Purpose
from trading.core.jit import kernel, stage
from trading.core.records import ENTRIES, OUTCOMES

P_REDUCE = int(Purpose.REDUCE)
X_NONE, X_STOP = int(ExitReason.NONE), int(ExitReason.STOP)
X_TARGET, X_TIER = int(ExitReason.TARGET), int(ExitReason.TIER)
X_STAGNATION = int(ExitReason.STAGNATION)


@stage
def manage(market, p, bar, cost, asked):
    """A position at a bar's close: the number of orders asked for."""
    position, instrument = market.position, market.instrument
    if position.exit_seq > 0 or position.entry_seq > 0:
        return 0
    frame_ns = instrument.timeframe_ns
    close_ns = bar.open_ns + frame_ns
    held = (close_ns - position.entry_ns) / frame_ns
    hold = adaptive.usual_hold(market.learning, position.strategy)
    tight = exits.tightness(p.exits, held, hold)
    why = exits.wants_out(position, p.exits, bar.close, close_ns, frame_ns)
    ticks, reason = exits.plan_stop(position, p.exits, bar, cost, instrument.tick_size, tight)
    atr = market.frames[0].now.atr
    if why == X_NONE and exits.stagnates(position, p.exits, bar.close, atr, held, cost):
        why = X_STAGNATION
    may_leave = close_ns >= position.exit_after_ns
    if why != X_NONE and may_leave:
        return intents.exit_now(market, asked, close_ns, why)
    n = 0
    lots = exits.tier_lots(position, p.exits, bar.close) if may_leave else 0
    if lots > 0:
        if not can_split(instrument, position, lots, bar.close):
            return intents.exit_now(market, asked, close_ns, X_TARGET)
        n = reduce(market, asked, close_ns, lots)
    if ticks != position.stop_ticks:
        position.stop_ticks = ticks
        position.stop_reason = reason
        # Without a stop at the venue on_tick watches it; while a part is being sold the stop may not
        # ask for the whole again: it moves when that order has ended.
        if position.stop_seq > 0 and n == 0:
            n = intents.move_stop(market, asked, n, close_ns)
    return n


@kernel
def watch(market, p, time_ns, price, asked):
    """At a price between bars: requested exits, time, and a stop that does not rest at the venue.

    Such a stop is watched here and asked for again, until the venue has it or the price met it.
    """
    position = market.position
    if position.quantity_lots == 0:
        if position.entry_seq == 0:
            position.exit_requested = X_NONE
        return 0
    if position.exit_seq > 0:
        return 0
    may_leave = time_ns >= position.exit_after_ns
    if may_leave and position.entry_seq == 0:  # else more of it may still come
        if position.exit_requested != X_NONE:
            return intents.exit_now(market, asked, time_ns, position.exit_requested)
        if exits.is_too_old(position, p.exits, time_ns, market.instrument.timeframe_ns):
            return intents.exit_now(market, asked, time_ns, exits.TIME)
    side = 1 if position.quantity_lots > 0 else -1
    trigger = position.stop_ticks * market.instrument.tick_size
    if position.stop_seq > 0 or position.stop_ticks == 0:
        return 0
    if (price - trigger) * side <= 0.0:
        if not may_leave:
            return 0
        return intents.exit_now(market, asked, time_ns, position.stop_reason)
    if time_ns >= position.protect_after_ns:
        return intents.place_stop(market, asked, time_ns)
    return 0


@kernel
def can_split(instrument, position, lots, price):
    """Whether both parts are orders the venue accepts."""
    left = abs(position.quantity_lots) - lots
    return sizing.is_large_enough(instrument, lots, price) and sizing.is_large_enough(
        instrument, left, price
    )


@kernel
def reduce(market, asked, at_ns, lots):
    """Ask for a part of the position at the market; its stop goes on protecting the rest."""
    position = market.position
    side = -1 if position.quantity_lots > 0 else 1
    position.tier += 1
    order = (at_ns, P_REDUCE, side, lots, 0, 0, X_TIER)
    position.exit_seq = intents.emit(market, asked, 0, order)
    return 1


@kernel
def protect(market, account, fill, asked):
    """The first stop of a filled entry, or the same stop for a larger quantity."""
    position, instrument = market.position, market.instrument
    position.risked = abs(position.quantity_lots) * instrument.lot_size * position.initial_risk
    if position.stop_ticks > 0:
        return intents.move_stop(market, asked, 0, fill.time_ns) if position.stop_seq > 0 else 0
    account.entered_ns[account.entries % ENTRIES] = fill.time_ns
    account.entries += 1
    account.entries_today += 1
    position.entry_ns = fill.time_ns
    position.best_price = position.entry_price
    distance = position.planned_stop_distance
    position.target = position.entry_price + fill.side * position.planned_target_distance
    position.stop_ticks = exits.first_stop_ticks(
        position.entry_price, fill.side, distance, instrument.tick_size
    )
    position.initial_risk = abs(position.entry_price - position.stop_ticks * instrument.tick_size)
    position.risked = abs(position.quantity_lots) * instrument.lot_size * position.initial_risk
    position.stop_reason = X_STOP
    return intents.place_stop(market, asked, fill.time_ns)


@kernel
def mend_stop(market, ticks, is_whole, time_ns, asked):
    """The resting stop was changed at the venue; the number of intents written.

    A tighter trigger is kept, and trailed on from; a looser one, or another quantity, is put right.
    """
    position = market.position
    if position.quantity_lots == 0 or position.stop_seq == 0 or position.exit_seq > 0:
        return 0
    side = 1 if position.quantity_lots > 0 else -1
    is_looser = (ticks - position.stop_ticks) * side < 0
    if not is_looser:
        position.stop_ticks = ticks
    if is_whole and not is_looser:
        return 0
    return intents.move_stop(market, asked, 0, time_ns)


@kernel
def on_entry_fill(market, acct, fill, held, asked):
    """News of an entry; the number of intents written.

    Args:
        held: lots before the fill was booked.
    """
    position = market.position
    known = fill.intent_seq == position.entry_seq
    if fill.quantity_lots == 0 and not known:
        return 0  # late news of an entry that was settled before
    if fill.final == 1:
        position.entry_seq = 0
        if position.quantity_lots == 0:  # ended without a fill
            acct.open_positions -= 1
            accounts.reserve(market, acct, 0.0)
            return 0
    if fill.quantity_lots == 0:
        return 0
    position.chase_side = 0  # it got something: the rest is let go
    if held == 0 and not known:  # settled before as unfilled, and filled all the same
        acct.open_positions += 1
    return protect(market, acct, fill, asked)


@kernel
def end(market, account, p, now_ns):
    """Flat: count, learn, cool down, forget."""
    position, frame_ns = market.position, market.instrument.timeframe_ns
    won = position.realized > 0.0
    r = position.realized / position.risked if position.risked > 0.0 else 0.0
    account.outcomes[account.exits % OUTCOMES] = r
    account.exits += 1
    account.streak = max(account.streak, 0) + 1 if won else min(account.streak, 0) - 1
    market.cooldown = p.risk.cooldown_bars if won else p.risk.cooldown_bars_after_loss
    if not won:
        pause = p.risk.account_cooldown_bars * frame_ns
        account.cooldown_until_ns = max(account.cooldown_until_ns, now_ns + pause)
    held = (now_ns - position.entry_ns) / frame_ns
    adaptive.record(market.learning, p.learning, position, r, held, now_ns, frame_ns)
    learner.learn(market.learning.online, position.features, won, p.learning.online_rate)
    if position.entry_seq == 0:  # else more of its entry may still come
        account.open_positions -= 1
    accounts.release(market, account)
    forget(position)


@kernel
def forget(position):
    """Nothing is left of a position but a working entry's plan."""
    position.entry_price = 0.0
    position.entry_ns = 0
    position.entry_fees = 0.0
    position.stop_ticks = 0
    position.stop_seq = 0
    position.stop_reason = X_NONE
    patience.begin_anew(position)
    position.initial_risk = 0.0
    position.risked = 0.0
    position.target = np.nan
    position.best_price = 0.0
    position.tier = 0
    position.exit_seq = 0
    position.exit_requested = X_NONE
    position.realized = 0.0
