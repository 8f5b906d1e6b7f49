"""Orders a market asks for, numbered by the market itself."""

from trading.core.codes import Purpose
from trading.core.jit import kernel

P_PROTECT, P_MOVE_STOP, P_EXIT = int(Purpose.PROTECT), int(Purpose.MOVE_STOP), int(Purpose.EXIT)


@kernel
def emit(market, intents, n, order):
    """Write intent ``n`` of this step and return its number.

    Args:
        order: (time, purpose, side, lots, price in ticks, replaced number, codes.ExitReason).
    """
    market.intent_seq += 1
    intent = intents[n]
    intent.seq = market.intent_seq
    (
        intent.at_ns,
        intent.purpose,
        intent.side,
        intent.quantity_lots,
        intent.price_ticks,
        intent.replaces_seq,
        intent.reason,
    ) = order
    intent.expires_ns = 0
    return market.intent_seq


@kernel
def exit_now(market, intents, at_ns, reason):
    """Ask for the whole position at the market, in place of its stop."""
    position = market.position
    side = -1 if position.quantity_lots > 0 else 1
    lots = abs(position.quantity_lots)
    order = (at_ns, P_EXIT, side, lots, 0, position.stop_seq, reason)
    position.exit_seq = emit(market, intents, 0, order)
    position.stop_seq = 0
    return 1


@kernel
def place_stop(market, intents, at_ns):
    """Ask for a resting stop of the whole position where none rests."""
    position = market.position
    side = -1 if position.quantity_lots > 0 else 1
    lots = abs(position.quantity_lots)
    order = (at_ns, P_PROTECT, side, lots, position.stop_ticks, 0, position.stop_reason)
    position.stop_seq = emit(market, intents, 0, order)
    return 1


@kernel
def move_stop(market, intents, n, at_ns):
    """Ask for the resting stop to be replaced by the position's own trigger and quantity."""
    position = market.position
    side = -1 if position.quantity_lots > 0 else 1
    lots = abs(position.quantity_lots)
    ticks, old, reason = position.stop_ticks, position.stop_seq, position.stop_reason
    order = (at_ns, P_MOVE_STOP, side, lots, ticks, old, reason)
    position.stop_seq = emit(market, intents, n, order)
    return n + 1
