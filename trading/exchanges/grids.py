"""Pure: orders of ours on the grid a venue has now, which may have become coarser than ours."""

from decimal import Decimal
from fractions import Fraction

from msgspec.structs import replace

from trading.core.codes import Side
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges.known_orders import STOPS


def fit(
    order: OrderRequest, spec: MarketSpec, *, tick_size: Decimal, lot_size: Decimal
) -> OrderRequest:
    """The same order with a price and a quantity that the venue takes; never more of either.

    A stop that would sell is met a little later, a limit never trades at once.
    """
    if (tick_size, lot_size) == (spec.tick_size, spec.lot_size):
        return order
    ticks, lots = steps(tick_size, spec.tick_size), steps(lot_size, spec.lot_size)
    is_down = (order.side is Side.SELL) == (order.purpose in STOPS)
    fitting = order.price_ticks if is_down else -order.price_ticks
    fitting -= fitting % ticks
    return replace(
        order,
        price_ticks=fitting if is_down else -fitting,
        quantity_lots=order.quantity_lots - order.quantity_lots % lots,
    )


def steps(theirs: Decimal, ours: Decimal) -> int:
    """Every so many of our steps one of theirs is met."""
    return (Fraction(theirs) / Fraction(ours)).numerator
