"""One exit planner: first stop, break-even, trailing, tiers, stagnation, time; at a bar's close.

The old stop was tested against the bar's range before this runs, so raising it by the same bar
looks at nothing that was not known. R is the distance of the first stop from the entry. Everything
that tightens is a function of the position's age, never of how often it was asked.
"""

import math

import numpy as np

from trading.core.codes import ExitReason, Volatility
from trading.core.jit import kernel

STOP, BREAK_EVEN = int(ExitReason.STOP), int(ExitReason.BREAK_EVEN)
TRAILING_STOP, TARGET = int(ExitReason.TRAILING_STOP), int(ExitReason.TARGET)
TIME, NONE = int(ExitReason.TIME), int(ExitReason.NONE)
TIER, STAGNATION = int(ExitReason.TIER), int(ExitReason.STAGNATION)
STORM, CALM = int(Volatility.HIGH), int(Volatility.LOW)
TIERS = 2
SWING_REACH, SWING_MARGIN = 4.0, 0.5  # ATR
LEAST_TIGHT = 0.5  # of the distance, however old a position gets


@kernel
def first_stop_ticks(price, side, distance, tick_size):
    """Trigger of the first stop in ticks, rounded away from the market, at least one tick."""
    level = (price - side * distance) / tick_size
    ticks = math.floor(level + 1e-9) if side > 0 else math.ceil(level - 1e-9)
    return max(int(ticks), 1)


@kernel
def structural_distance(structure, now, side, close, proposed):
    """Distance of a stop half an ATR beyond the last swing, where one lies within four ATR.

    Else the proposed distance. Swings are those of the market structure strategy: with its weight at
    0 there are none.
    """
    swings = structure.lows if side > 0 else structure.highs
    away = side * (close - swings.last)
    if swings.count == 0 or not 0.0 < away <= SWING_REACH * now.atr:
        return proposed
    return away + SWING_MARGIN * now.atr


@kernel
def trail_distance(position, p):
    """Distance of the trailing stop in quote currency: wider if entered in a storm."""
    distance = p.trail_distance * position.initial_risk
    if position.volatility == STORM:
        return distance * p.trail_in_storm
    return distance * p.trail_in_calm if position.volatility == CALM else distance


@kernel
def tightness(p, bars_held, usual_hold):
    """Share of the stop's distance left at this age: 1, then down to a half.

    Begins at ``tighten_after`` times the strategy's usual winning hold and ends one such hold later.
    """
    if p.tighten_after <= 0.0 or not usual_hold > 0.0:  # also where nothing is known
        return 1.0
    late = bars_held / usual_hold - p.tighten_after
    return max(1.0 - LEAST_TIGHT * max(late, 0.0), LEAST_TIGHT)


@kernel
def plan_stop(position, p, bar, cost, tick_size, tight):
    """(ticks, reason) where the stop belongs after this bar; never looser than it is."""
    side = 1 if position.quantity_lots > 0 else -1
    if side > 0:
        position.best_price = max(position.best_price, bar.high)
    else:
        position.best_price = min(position.best_price, bar.low)
    gain = side * (position.best_price - position.entry_price)
    risk = position.initial_risk
    ticks, reason = position.stop_ticks, position.stop_reason
    if risk <= 0.0:
        return ticks, reason
    step = p.trail_step * risk / tick_size  # less is not worth an order
    if tight < 1.0:
        moved = first_stop_ticks(position.entry_price, side, risk * tight, tick_size)
        if (moved - ticks) * side > step:
            ticks, reason = moved, TIME
    if gain >= p.break_even_at * risk and gain > 2.0 * cost * position.entry_price:
        level = position.entry_price * (1.0 + side * cost)
        moved = first_stop_ticks(level, side, 0.0, tick_size)
        if (moved - ticks) * side > 0:
            ticks, reason = moved, BREAK_EVEN
    if gain >= p.trail_from * risk:
        distance = trail_distance(position, p) * tight
        moved = first_stop_ticks(position.best_price, side, distance, tick_size)
        if (moved - ticks) * side > step:
            ticks, reason = moved, TRAILING_STOP
    beyond = (bar.close / tick_size - ticks) * side
    if beyond <= 0.0:  # a stop at or past the market would be refused: keep the old one
        return position.stop_ticks, position.stop_reason
    return ticks, reason


@kernel
def stagnates(position, p, close, atr, bars_held, cost):
    """Whether a position that should have moved by now has not, and can be left without a loss.

    Expected move: ATR times the square root of the bars held, as a random walk has it. It must be in
    profit after the costs of both sides; else the stop decides.
    """
    if p.stagnation_bars == 0 or bars_held < p.stagnation_bars or not atr > 0.0:
        return False
    side = 1 if position.quantity_lots > 0 else -1
    best = side * (position.best_price - position.entry_price)
    gain = side * (close - position.entry_price)
    slow = best < p.stagnation_move * atr * math.sqrt(bars_held)
    return slow and gain > cost * position.entry_price


@kernel
def tier_lots(position, p, close):
    """Lots to sell now because the next target is reached; 0: none, or too few to split."""
    if p.tier_1 <= 0.0 or position.tier >= TIERS or np.isnan(position.target):
        return 0
    side = 1 if position.quantity_lots > 0 else -1
    at = 1.0 if position.tier == 0 else p.tier_2_at
    level = position.entry_price + (position.target - position.entry_price) * at
    if side * (close - level) < 0.0:
        return 0
    share = p.tier_1 if position.tier == 0 else p.tier_2
    return math.floor(abs(position.quantity_lots) * share + 1e-9)


@kernel
def wants_out(position, p, close, time_ns, timeframe_ns):
    """Why the position should end at the market now: target reached or held too long."""
    side = 1 if position.quantity_lots > 0 else -1
    reached = not np.isnan(position.target) and side * (close - position.target) >= 0.0
    if p.tier_1 <= 0.0 and reached:
        return TARGET
    return TIME if is_too_old(position, p, time_ns, timeframe_ns) else NONE


@kernel
def is_too_old(position, p, time_ns, timeframe_ns):
    """Whether ``max_hold_bars`` have passed since the entry."""
    return p.max_hold_bars > 0 and time_ns - position.entry_ns >= p.max_hold_bars * timeframe_ns
