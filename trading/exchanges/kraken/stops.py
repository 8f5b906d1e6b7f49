"""A resting stop makes room: it keeps what is to be sold until it is taken away, or made smaller."""

from msgspec.structs import replace

from trading.engine.errors import NotSent
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.errors import FAILS, ApiError, NoAnswer, Unreached
from trading.exchanges.kraken.roads import Road


async def take_away(road: Road, stop: KnownOrder) -> None:
    """Cancel it, for an exit that is sent once its end is seen; also one that is gone by itself.

    Raises:
        NotSent: it may rest still.
    """
    try:
        await road.cancel(stop.venue_id)
    except ApiError as error:
        if not error.is_gone:
            raise NotSent(f"the stop could not be taken away: {error.words}") from None
    except (Unreached, NoAnswer) as error:
        raise NotSent(f"the stop could not be taken away: {error}") from None


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
