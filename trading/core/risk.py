"""Pre-trade limits on an ACCOUNT record, asked in order; the first no is the reason."""

import math

from trading.core import sizing
from trading.core.codes import Gate, Reason
from trading.core.confluence import ask
from trading.core.jit import kernel

NONE = int(Reason.NONE)
G_SIDE, G_HOLDS, G_GAP = int(Gate.SIDE_ALLOWED), int(Gate.HOLDS), int(Gate.DATA_GAP)
G_COOLDOWN, G_OPEN = int(Gate.COOLDOWN), int(Gate.OPEN_POSITIONS)
G_DAILY, G_DRAWDOWN, G_REWARD = int(Gate.DAILY_LOSS), int(Gate.DRAWDOWN), int(Gate.REWARD)
G_STOP, G_EXPOSURE, G_MINIMUM = int(Gate.STOP_DISTANCE), int(Gate.EXPOSURE), int(Gate.MINIMUM)
SHORT_NOT_ALLOWED, HELD = int(Reason.SHORT_NOT_ALLOWED), int(Reason.HELD)
AFTER_DATA_GAP, COOLING_DOWN = int(Reason.AFTER_DATA_GAP), int(Reason.COOLING_DOWN)
TOO_MANY_POSITIONS = int(Reason.TOO_MANY_POSITIONS)
DAILY_LOSS_REACHED, DRAWDOWN_REACHED = int(Reason.DAILY_LOSS_REACHED), int(Reason.DRAWDOWN_REACHED)
REWARD_BELOW_COSTS = int(Reason.REWARD_BELOW_COSTS)
STOP_OUT_OF_BOUNDS = int(Reason.STOP_OUT_OF_BOUNDS)
EXPOSURE_FULL, BELOW_MINIMUM = int(Reason.EXPOSURE_FULL), int(Reason.BELOW_MINIMUM)


@kernel
def round_trip_cost(costs):
    """Fees, spread and slippage of one entry and one exit, as a fraction of the price."""
    return 2.0 * (costs.taker_fee_bps + costs.half_spread_bps + costs.slippage_bps) * 1e-4


@kernel
def check_account(d, market, account, p):
    """Limits of account and market; the reason of the first that said no, or NONE."""
    if not ask(d.gates, G_SIDE, d.side, p.allow_short, d.side > 0 or p.allow_short == 1):
        return SHORT_NOT_ALLOWED
    if not ask(d.gates, G_HOLDS, account.holds, 0.0, account.holds == 0):
        return HELD
    if not ask(d.gates, G_GAP, market.gap_pause, 0.0, market.gap_pause <= 0):
        return AFTER_DATA_GAP
    if not ask(d.gates, G_COOLDOWN, market.cooldown, 0.0, market.cooldown <= 0):
        return COOLING_DOWN
    room = account.open_positions < p.max_open_positions
    if not ask(d.gates, G_OPEN, account.open_positions, p.max_open_positions, room):
        return TOO_MANY_POSITIONS
    day_loss = 1.0 - account.equity / account.day_start_equity
    if not ask(d.gates, G_DAILY, day_loss, p.max_daily_loss, day_loss < p.max_daily_loss):
        return DAILY_LOSS_REACHED
    drawdown = 1.0 - account.equity / account.peak_equity
    if not ask(d.gates, G_DRAWDOWN, drawdown, p.max_drawdown, drawdown < p.max_drawdown):
        return DRAWDOWN_REACHED
    return NONE


@kernel
def check_trade(d, market, account, p, cost):
    """Stop, target and size of the trade itself; the reason of the first no, or NONE.

    The stop distance is widened to ``min_stop`` and to whole ticks, never narrowed: the size is
    worked out from the distance the stop will really have. A target that does not pay the
    round trip ``min_reward_to_cost`` times over, or not ``min_reward_to_risk`` times the stop, is
    no entry.
    """
    price = d.close
    tick = market.instrument.tick_size
    d.stop_distance = tick * math.ceil(max(d.stop_distance, p.min_stop * price) / tick - 1e-9)
    least = max(p.min_reward_to_cost * cost * price, p.min_reward_to_risk * d.stop_distance)
    if not ask(d.gates, G_REWARD, d.target_distance, least, d.target_distance >= least):
        return REWARD_BELOW_COSTS
    largest = p.max_stop * price
    if not ask(d.gates, G_STOP, d.stop_distance, largest, d.stop_distance <= largest):
        return STOP_OUT_OF_BOUNDS
    return NONE


@kernel
def check_size(d, market, account, p, cost):
    """Write the lots into the decision; the reason why they are too few, or NONE."""
    instrument = market.instrument
    room = account.equity * p.max_exposure - account.exposure
    if not ask(d.gates, G_EXPOSURE, account.exposure, account.equity * p.max_exposure, room > 0.0):
        return EXPOSURE_FULL
    lots = sizing.size_lots(account, p, instrument, d.close, d.stop_distance, cost)
    large = sizing.is_large_enough(instrument, lots, d.close)
    if not ask(d.gates, G_MINIMUM, lots, max(instrument.min_quantity_lots, 1), large):
        return BELOW_MINIMUM
    d.quantity_lots = lots
    return NONE
