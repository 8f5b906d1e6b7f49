"""Pre-trade limits on an ACCOUNT record, asked in order; the first no is the reason."""

import math

import numpy as np

from trading.core import adaptive, sizing
from trading.core.codes import Gate, Reason
from trading.core.confluence import ask, ask_at_most
from trading.core.jit import kernel
from trading.core.records import ENTRIES

NONE = int(Reason.NONE)
G_SIDE, G_HOLDS, G_GAP = np.int64(Gate.SIDE_ALLOWED), np.int64(Gate.HOLDS), np.int64(Gate.DATA_GAP)
G_QUIET, G_COOLDOWN = np.int64(Gate.QUIET_HOURS), np.int64(Gate.COOLDOWN)
G_ACCOUNT, G_STRATEGY = np.int64(Gate.ACCOUNT_COOLDOWN), np.int64(Gate.STRATEGY_COOLDOWN)
G_OPEN, G_GROUP = np.int64(Gate.OPEN_POSITIONS), np.int64(Gate.GROUP_POSITIONS)
G_HOURLY, G_TODAY = np.int64(Gate.HOURLY_TRADES), np.int64(Gate.DAILY_TRADES)
G_DAILY, G_DRAWDOWN, G_SPREAD = (
    np.int64(Gate.DAILY_LOSS),
    np.int64(Gate.DRAWDOWN),
    np.int64(Gate.SPREAD),
)
G_REWARD, G_STOP, G_EXPOSURE = (
    np.int64(Gate.REWARD),
    np.int64(Gate.STOP_DISTANCE),
    np.int64(Gate.EXPOSURE),
)
G_LIQUIDITY, G_MINIMUM = np.int64(Gate.LIQUIDITY), np.int64(Gate.MINIMUM)
SHORT_NOT_ALLOWED, HELD = int(Reason.SHORT_NOT_ALLOWED), int(Reason.HELD)
AFTER_DATA_GAP, COOLING_DOWN = int(Reason.AFTER_DATA_GAP), int(Reason.COOLING_DOWN)
QUIET_HOUR, ACCOUNT_COOLING = int(Reason.QUIET_HOUR), int(Reason.ACCOUNT_COOLING_DOWN)
STRATEGY_COOLING, GROUP_FULL = int(Reason.STRATEGY_COOLING_DOWN), int(Reason.GROUP_FULL)
TOO_MANY_POSITIONS = int(Reason.TOO_MANY_POSITIONS)
TOO_MANY_THIS_HOUR = int(Reason.TOO_MANY_TRADES_THIS_HOUR)
TOO_MANY_TODAY = int(Reason.TOO_MANY_TRADES_TODAY)
DAILY_LOSS_REACHED, DRAWDOWN_REACHED = int(Reason.DAILY_LOSS_REACHED), int(Reason.DRAWDOWN_REACHED)
SPREAD_TOO_WIDE, REWARD_BELOW_COSTS = int(Reason.SPREAD_TOO_WIDE), int(Reason.REWARD_BELOW_COSTS)
STOP_OUT_OF_BOUNDS, EXPOSURE_FULL = int(Reason.STOP_OUT_OF_BOUNDS), int(Reason.EXPOSURE_FULL)
TOO_LITTLE_LIQUIDITY, BELOW_MINIMUM = int(Reason.TOO_LITTLE_LIQUIDITY), int(Reason.BELOW_MINIMUM)
NS_PER_HOUR = 3_600_000_000_000
RETURNS = 100
LEAST_RETURNS = 30

HISTORY = np.dtype(  # the market's last closes, to see who moves alike
    [("seen", "i8"), ("slot", "i8"), ("open_ns", "i8", (RETURNS,)), ("close", "f8", (RETURNS,))]
)


@kernel
def round_trip_cost(costs):
    """Fees, spread and slippage of one entry and one exit, as a fraction of the price."""
    return 2.0 * (costs.taker_fee_bps + costs.half_spread_bps + costs.slippage_bps) * 1e-4


@kernel
def remember(history, open_ns, close):
    """Take a close into the ring."""
    history.open_ns[history.slot] = open_ns
    history.close[history.slot] = close
    history.slot = history.slot + 1 if history.slot + 1 < RETURNS else 0
    history.seen += 1


@kernel
def correlation(one, other):
    """Pearson correlation of the two markets' returns over bars both have; 0 under thirty."""
    n, sx, sy, sxx, syy, sxy = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    i, j = max(one.seen - RETURNS, 0), max(other.seen - RETURNS, 0)
    x_1, y_1 = np.nan, np.nan
    while i < one.seen and j < other.seen:
        at_i, at_j = one.open_ns[i % RETURNS], other.open_ns[j % RETURNS]
        if at_i < at_j:
            i += 1
            continue
        if at_j < at_i:
            j += 1
            continue
        x, y = one.close[i % RETURNS], other.close[j % RETURNS]
        if not np.isnan(x_1):
            rx, ry = x / x_1 - 1.0, y / y_1 - 1.0
            n += 1
            sx += rx
            sy += ry
            sxx += rx * rx
            syy += ry * ry
            sxy += rx * ry
        x_1, y_1 = x, y
        i += 1
        j += 1
    spread = (n * sxx - sx * sx) * (n * syy - sy * sy)
    if n < LEAST_RETURNS or spread <= 0.0:
        return 0.0
    return (n * sxy - sx * sy) / math.sqrt(spread)


@kernel
def most_correlated(markets, m, side):
    """Highest correlation with an open position, counted against the same direction of risk."""
    highest = 0.0
    for k in range(len(markets)):
        lots = markets[k].position.quantity_lots
        if k == m or lots == 0:
            continue
        same = side if lots > 0 else -side
        highest = max(highest, same * correlation(markets[m].history, markets[k].history))
    return highest


@kernel
def of_group(markets, m):
    """Positions and working entries of the market's correlation group, its own not counted."""
    group, found = markets[m].instrument.group, 0
    for k in range(len(markets)):
        busy = markets[k].position.quantity_lots != 0 or markets[k].position.entry_seq > 0
        if k != m and busy and group > 0 and markets[k].instrument.group == group:
            found += 1
    return found


@kernel
def entries_since(account, time_ns):
    """Entries of the account after a time, as far as it remembers."""
    found = 0
    for k in range(ENTRIES):
        if account.entered_ns[k] > time_ns:
            found += 1
    return found


@kernel
def is_quiet(p, now_ns):
    """Whether the UTC hour lies in the quiet hours, which may pass midnight."""
    hour = adaptive.hour_of(now_ns)
    if p.quiet_from <= p.quiet_to:
        return p.quiet_from <= hour < p.quiet_to
    return hour >= p.quiet_from or hour < p.quiet_to


@kernel
def check_time(d, x, market, account, p, now_ns):
    """Side, holds, gaps, hours and cooldowns; the reason of the first no, or NONE."""
    if not ask(x.gates, G_SIDE, d.side, p.allow_short, d.side > 0 or p.allow_short == 1):
        return SHORT_NOT_ALLOWED
    if not ask(x.gates, G_HOLDS, account.holds, 0.0, account.holds == 0):
        return HELD
    if not ask(x.gates, G_GAP, market.gap_pause, 0.0, market.gap_pause <= 0):
        return AFTER_DATA_GAP
    if not ask(x.gates, G_QUIET, adaptive.hour_of(now_ns), p.quiet_from, not is_quiet(p, now_ns)):
        return QUIET_HOUR
    if not ask(x.gates, G_COOLDOWN, market.cooldown, 0.0, market.cooldown <= 0):
        return COOLING_DOWN
    frame_ns = market.instrument.timeframe_ns
    left = max(account.cooldown_until_ns - now_ns, 0) / frame_ns
    if not ask(x.gates, G_ACCOUNT, left, 0.0, left <= 0.0):
        return ACCOUNT_COOLING
    last = market.learning.strategies[d.strategy].last_entry_ns
    left = max(last + p.strategy_cooldown_bars * frame_ns - now_ns, 0) / frame_ns
    is_free = last == 0 or left <= 0.0 or market.position.chase_side != 0
    if not ask(x.gates, G_STRATEGY, left, 0.0, is_free):
        return STRATEGY_COOLING
    return NONE


@kernel
def check_account(x, markets, m, account, p, now_ns):
    """Counts and losses of the account; the reason of the first no, or NONE."""
    room = account.open_positions < p.max_open_positions
    if not ask(x.gates, G_OPEN, account.open_positions, p.max_open_positions, room):
        return TOO_MANY_POSITIONS
    group = of_group(markets, m)
    if not ask(x.gates, G_GROUP, group, p.max_group_positions, group < p.max_group_positions):
        return GROUP_FULL
    recent, most = entries_since(account, now_ns - NS_PER_HOUR), p.max_hourly_trades
    if not ask(x.gates, G_HOURLY, recent, most, most == 0 or recent < most):
        return TOO_MANY_THIS_HOUR
    today, most = account.entries_today, p.max_daily_trades
    if not ask(x.gates, G_TODAY, today, most, most == 0 or today < most):
        return TOO_MANY_TODAY
    day_loss = 1.0 - account.equity / account.day_start_equity
    if not ask(x.gates, G_DAILY, day_loss, p.max_daily_loss, day_loss < p.max_daily_loss):
        return DAILY_LOSS_REACHED
    drawdown = 1.0 - account.equity / account.peak_equity
    if not ask(x.gates, G_DRAWDOWN, drawdown, p.max_drawdown, drawdown < p.max_drawdown):
        return DRAWDOWN_REACHED
    return NONE


@kernel
def fit_distances(d, instrument, p):
    """Widen the stop to ``min_stop`` and to whole ticks, never narrow it.

    The size is worked out from the distance the stop will really have.
    """
    tick = instrument.tick_size
    d.stop_distance = tick * math.ceil(max(d.stop_distance, p.min_stop * d.close) / tick - 1e-9)


@kernel
def check_trade(d, x, now, p, cost):
    """Spread, target and stop of the trade itself; the reason of the first no, or NONE.

    A target that does not pay the round trip ``min_reward_to_cost`` times over, or not
    ``min_reward_to_risk`` times the stop, is no entry.
    """
    price = d.close
    widest = min(p.max_spread, p.max_spread_to_atr * now.atr / price)
    if not ask_at_most(x.gates, G_SPREAD, now.spread, widest):
        return SPREAD_TOO_WIDE
    least = max(p.min_reward_to_cost * cost * price, p.min_reward_to_risk * d.stop_distance)
    if not ask(x.gates, G_REWARD, d.target_distance, least, d.target_distance >= least):
        return REWARD_BELOW_COSTS
    largest = p.max_stop * price
    if not ask(x.gates, G_STOP, d.stop_distance, largest, d.stop_distance <= largest):
        return STOP_OUT_OF_BOUNDS
    return NONE


@kernel
def liquid_notional(now, p, usual_volume, price):
    """Notional the market takes: a share of a bar's usual volume and of the known depth."""
    most = np.inf if np.isnan(usual_volume) else p.max_volume_share * usual_volume * price
    return most if np.isnan(now.depth) else min(most, p.max_depth_share * now.depth)


@kernel
def check_size(d, x, market, account, p, liquid):
    """Write the lots into the decision; the reason why they are too few, or NONE.

    Args:
        liquid: (notional the market takes, round-trip cost over the price, factor of the risk).
    """
    instrument = market.instrument
    most, cost, factor = liquid
    room = account.equity * p.max_exposure - account.exposure
    limit = account.equity * p.max_exposure
    if not ask(x.gates, G_EXPOSURE, account.exposure, limit, room > 0.0):
        return EXPOSURE_FULL
    loss = d.stop_distance + cost * d.close
    lots = sizing.size_lots(account, p, instrument, d.close, (loss, cost), factor)
    takes = sizing.to_lots(most, d.close, instrument)
    enough = sizing.is_large_enough(instrument, takes, d.close)
    if not ask(x.gates, G_LIQUIDITY, takes, max(instrument.min_quantity_lots, 1), enough):
        return TOO_LITTLE_LIQUIDITY
    lots = min(lots, takes)
    large = sizing.is_large_enough(instrument, lots, d.close)
    if not ask(x.gates, G_MINIMUM, lots, max(instrument.min_quantity_lots, 1), large):
        return BELOW_MINIMUM
    d.quantity_lots = lots
    return NONE
