"""Believable bugs of orders and news over one socket."""

from collections.abc import Callable
from typing import Any

from trading.engine.errors import OutcomeUnknown
from trading.exchanges.kraken import frames
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
    """A missing message is not noticed, and an end is believed, whatever it says was executed."""
    hear = KrakenVenue._hear

    def count(self: KrakenVenue, frame: Any) -> None:
        self._sequence = frames.count_of(frame)

    def heard(self: KrakenVenue, told: Any) -> None:
        hear(self, {name: value for name, value in told.items() if name != "cum_qty"})

    put(KrakenVenue, "_count", count)
    put(KrakenVenue, "_hear", heard)
