"""The end of a cancelled order: a cancellation that is confirmed does not say how much had filled."""

import asyncio
from dataclasses import dataclass

import structlog

from trading.engine.errors import NotSent, OutcomeUnknown
from trading.engine.messages import OrderRequest
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken.errors import FAILS, ApiError, NoAnswer, Unreached
from trading.exchanges.kraken.inquiry import Inquiry
from trading.exchanges.kraken.roads import Road
from trading.exchanges.kraken.socket_road import SocketRoad

log = structlog.get_logger(__name__)

PAUSES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # the stream tells the end beside the answer


@dataclass(frozen=True, slots=True)
class Endings:
    """Sees orders of one account to their end: by the stream while it is up, else by REST."""

    inquiry: Inquiry
    stream: SocketRoad

    async def cancel(self, road: Road, known: KnownOrder) -> bool:
        """Whether it is over by this and nothing of it waits to be booked; else its end is news."""
        try:
            await road.cancel(known.venue_id)
        except FAILS as error:
            log.warning("cancel_failed", order=known.venue_id, why=str(error))
            return False
        return await self.see(known) and not known.unbooked_lots

    async def take_away(self, road: Road, stop: KnownOrder, order: OrderRequest) -> None:
        """Cancel the stop, for an exit that is sent once its end is seen; also one that is gone by itself.

        Raises:
            NotSent: it may rest still. OutcomeUnknown: it has sold, or may have, which is booked first.
        """
        leaving = self.inquiry.known.leaving
        had_left = leaving[order.market]
        try:
            await road.cancel(stop.venue_id)
        except ApiError as error:
            if not error.is_gone:
                raise NotSent(f"the stop could not be taken away: {error.words}") from None
        except (Unreached, NoAnswer) as error:
            raise NotSent(f"the stop could not be taken away: {error}") from None
        if await self.see(stop) and leaving[order.market] == had_left:
            return
        # Not refused: the core would ask for another stop before the news of this one came.
        self.inquiry.unsent[order.market, order.seq] = stop
        raise OutcomeUnknown("its stop has filled, or may have")

    async def see(self, known: KnownOrder) -> bool:
        """Whether it is over with all it filled told; False where nobody can tell yet."""
        for pause in PAUSES:
            if known.is_over or not self.stream.is_ready:
                break
            await asyncio.sleep(pause)
        try:
            await self.inquiry.look_at(known)
        except FAILS as error:
            log.warning("end_not_seen", order=known.venue_id, why=str(error))
        return known.is_over
