"""A resting stop makes room for a part: it keeps what is to be sold until it is made smaller."""

from msgspec.structs import replace

from trading.engine.errors import NotSent
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.roads import Road


async def shrink(
    road: Road, spec: MarketSpec, stop: KnownOrder, order: OrderRequest, *, deadline_ns: int
) -> None:
    """It lets go of what is to be sold, and protects the rest; the venue refuses that after the deadline.

    Raises:
        NotSent: it may protect the whole still.
    """
    left = stop.order.quantity_lots - order.quantity_lots
    try:
        asked = {"order_qty": orders.plain(spec.lot_size * left)}
        await road.amend(stop.venue_id, asked | {"deadline": orders.stamp(deadline_ns)})
    except FAILS as error:
        raise NotSent(f"the stop could not be made smaller: {error}") from None
    stop.order = replace(stop.order, quantity_lots=left)  # whatever comes of the sale
