"""A resting stop makes room: it keeps what is to be sold until it is taken away, or made smaller."""

from decimal import Decimal

from msgspec.structs import replace

from trading.engine.errors import NotSent, OutcomeUnknown
from trading.engine.messages import MarketSpec, OrderRequest
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.errors import FAILS, ApiError, NoAnswer, Unreached
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.roads import Road


async def take_away(rest: KrakenRest, road: Road, stop: KnownOrder) -> None:
    """Cancel it, for an exit that is sent at once.

    Raises:
        NotSent: it may rest still. OutcomeUnknown: it has sold, or may have.
    """
    try:
        await road.cancel(stop.venue_id)
    except ApiError as error:
        if not error.is_gone:
            raise NotSent(f"the stop could not be taken away: {error.words}") from None
        if await _may_have_filled(rest, stop):
            # Not refused: the core would ask for another stop before the news of this one came.
            raise OutcomeUnknown("its stop has filled, or may have") from None
    except (Unreached, NoAnswer) as error:
        raise NotSent(f"the stop could not be taken away: {error}") from None


async def _may_have_filled(rest: KrakenRest, stop: KnownOrder) -> bool:
    try:
        told = await rest.read_at_once("QueryOrders", txid=stop.venue_id)
    except FAILS:
        return True  # sell nothing; its news will come
    return Decimal(str(told[stop.venue_id]["vol_exec"])) > 0


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
