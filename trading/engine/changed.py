"""Orders of ours that stand at the venue otherwise than we asked: somebody changed them there."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR

import numpy as np
import structlog

from trading.core.codes import Purpose, Side
from trading.engine.execution import STOPS
from trading.engine.handler import Handler
from trading.engine.messages import MarketSpec, OrderRequest, StopChanged
from trading.engine.sights import Resting

log = structlog.get_logger(__name__)

CHANGED = "changed:"


@dataclass(frozen=True, slots=True)
class Change:
    """One order; ``words`` are empty where a stop was made tighter alone, which nobody need be told."""

    order: OrderRequest
    cause: str
    words: str
    is_side: bool
    is_whole: bool
    price_ticks: int


def find(
    resting: Sequence[Resting], *, specs: Sequence[MarketSpec], markets: np.ndarray
) -> list[Change]:
    """Stops and entries whose side, quantity or price is not what was asked for.

    A stop that is as its position has it is right, whatever an earlier life asked for.
    """
    found = list[Change]()
    for one in resting:
        spec, position = specs[one.asked.market], markets[one.asked.market]["position"]
        change = None
        if one.asked.purpose in STOPS:
            change = _of_stop(one, spec, position)
        elif one.asked.purpose == Purpose.ENTRY:
            change = _of_entry(one, spec)
        found += [change] if change else []
    return found


def _of_stop(one: Resting, spec: MarketSpec, position: np.void) -> Change | None:
    order, stands = one.asked, one.stands
    left, held = stands.quantity - one.filled, spec.lot_size * abs(int(position["quantity_lots"]))
    is_side = stands.side == order.side.name
    is_whole = stands.quantity == spec.lot_size * order.quantity_lots or left == held
    ours, ticks = int(position["stop_ticks"]), _ticks(one, spec)
    if ticks == order.price_ticks:  # as it was asked for: on a coarser grid than ours, it may be
        ticks = ours
    if is_side and is_whole and ticks == ours:
        return None
    is_looser = (ticks - ours) * order.side > 0
    words = "" if is_side and is_whole and not is_looser else _in_words(one, spec)
    return Change(order, f"{CHANGED}{spec.symbol}", words, is_side, is_whole, ticks)


def _of_entry(one: Resting, spec: MarketSpec) -> Change | None:
    order, stands = one.asked, one.stands
    is_side = stands.side == order.side.name
    is_whole = stands.quantity == spec.lot_size * order.quantity_lots
    ticks = _ticks(one, spec)
    if is_side and is_whole and ticks == order.price_ticks:
        return None
    words = _in_words(one, spec)
    return Change(order, f"{CHANGED}{spec.symbol}", words, is_side, is_whole, ticks)


def _ticks(one: Resting, spec: MarketSpec) -> int:
    """Its price on our grid, away from the market."""
    rounding = ROUND_FLOOR if one.asked.side is Side.SELL else ROUND_CEILING
    return int((one.stands.level / spec.tick_size).to_integral_value(rounding))


def _in_words(one: Resting, spec: MarketSpec) -> str:
    order, stands = one.asked, one.stands
    what, done = ("stop", "put right") if order.purpose in STOPS else ("entry", "taken back")
    quantity, level = spec.lot_size * order.quantity_lots, spec.tick_size * order.price_ticks
    return (
        f"{spec.symbol}: our {what} {stands.venue_order_id} was changed at the venue: "
        f"{stands.side} {stands.quantity.normalize():f} at {stands.level.normalize():f}, asked for was "
        f"{order.side.name} {quantity.normalize():f} at {level.normalize():f}; it is {done}"
    )


async def put_right(handler: Handler, change: Change) -> None:
    """A stop is moved to where it belongs, or kept where it is tighter; anything else is taken back."""
    order = change.order
    if not handler.execution.is_working(order):
        return
    log.warning("order_changed_at_the_venue", seq=order.seq, why=change.words or "tighter: kept")
    if order.purpose not in STOPS or not change.is_side:
        await handler.settle(
            order, await handler.execution.cancel(order, reason="changed at the venue")
        )
        await handler.commit()
        return
    told = StopChanged(order.market, handler.now_ns(), change.price_ticks, change.is_whole)
    orders = handler.core.on_stop(told)
    handler.note_position(order.market)
    await handler.act(orders, must_commit=True)
