"""The end of a cancelled order: a cancellation that is confirmed does not say how much had filled."""

import asyncio
from dataclasses import dataclass

import structlog

from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.inquiry import Inquiry
from trading.exchanges.kraken.socket_road import SocketRoad

log = structlog.get_logger(__name__)

PAUSES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # the stream tells the end beside the answer


@dataclass(frozen=True, slots=True)
class Endings:
    """Sees orders of one account to their end: by the stream while it is up, else by REST."""

    inquiry: Inquiry
    stream: SocketRoad

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
