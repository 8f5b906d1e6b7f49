"""Believable bugs of orders and news over one socket."""

from collections.abc import Callable
from typing import Any

from trading.engine.errors import OutcomeUnknown
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.roads import RestRoad

Put = Callable[[Any, str, Any], None]


def try_the_other_road(put: Put) -> None:
    """What had no answer by the socket is sent by REST, under the same name."""
    place = KrakenDesk._place

    async def twice(self: KrakenDesk, road: Any, order: Any) -> str:
        try:
            return await place(self, road, order)
        except OutcomeUnknown:
            return await place(self, RestRoad(self.rest), order)

    put(KrakenDesk, "_place", twice)


def hear_on_after_a_gap(put: Put) -> None:
    """The end of an order is believed although the message of its fill is missing."""
    take = KrakenVenue._take

    async def heard(self: KrakenVenue, frame: Any) -> None:
        if isinstance(frame, dict) and frame.get("channel") == "executions":
            for told in frame.get("data") or []:
                self._hear(told)
        await take(self, frame)

    put(KrakenVenue, "_take", heard)
