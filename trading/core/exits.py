"""One exit planner: first stop, break-even, trailing, target, time; decided at a bar's close.

The old stop was tested against the bar's range before this runs, so raising it by the same bar
looks at nothing that was not known. R is the distance of the first stop from the entry.
"""

import math

import numpy as np

from trading.core.codes import ExitReason
from trading.core.jit import kernel

STOP, BREAK_EVEN = int(ExitReason.STOP), int(ExitReason.BREAK_EVEN)
TRAILING_STOP, TARGET = int(ExitReason.TRAILING_STOP), int(ExitReason.TARGET)
TIME, NONE = int(ExitReason.TIME), int(ExitReason.NONE)


@kernel
def first_stop_ticks(price, side, distance, tick_size):
    """Trigger of the first stop in ticks, rounded away from the market, at least one tick."""
    level = (price - side * distance) / tick_size
    ticks = math.floor(level + 1e-9) if side > 0 else math.ceil(level - 1e-9)
    return max(int(ticks), 1)


@kernel
def plan_stop(position, p, bar, cost, tick_size):
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
    if gain >= p.break_even_at * risk and gain > 2.0 * cost * position.entry_price:
        level = position.entry_price * (1.0 + side * cost)
        moved = first_stop_ticks(level, side, 0.0, tick_size)
        if (moved - ticks) * side > 0:
            ticks, reason = moved, BREAK_EVEN
    if gain >= p.trail_from * risk:
        moved = first_stop_ticks(position.best_price, side, p.trail_distance * risk, tick_size)
        if (moved - ticks) * side > 0:
            ticks, reason = moved, TRAILING_STOP
    beyond = (bar.close / tick_size - ticks) * side
    if beyond <= 0.0:  # a stop at or past the market would be refused: keep the old one
        return position.stop_ticks, position.stop_reason
    return ticks, reason


@kernel
def wants_out(position, p, close, time_ns, timeframe_ns):
    """Why the position should end at the market now: target reached or held too long."""
    side = 1 if position.quantity_lots > 0 else -1
    if not np.isnan(position.target) and side * (close - position.target) >= 0.0:
        return TARGET
    return TIME if is_too_old(position, p, time_ns, timeframe_ns) else NONE


@kernel
def is_too_old(position, p, time_ns, timeframe_ns):
    """Whether ``max_hold_bars`` have passed since the entry."""
    return p.max_hold_bars > 0 and time_ns - position.entry_ns >= p.max_hold_bars * timeframe_ns
