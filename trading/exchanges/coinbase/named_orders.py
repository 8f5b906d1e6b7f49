"""Orders by the names the venue gave them, and those of them that it does not know any more."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from trading.exchanges.coinbase import orders
from trading.exchanges.coinbase.errors import NOT_FOUND, ApiError, NoAnswer
from trading.exchanges.coinbase.rest import CoinbaseRest, segment
from trading.exchanges.forgotten import Forgotten
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

Facts = Mapping[str, Any]
Pages = Callable[[str, str, Facts], Awaitable[list[Facts]]]


@dataclass(slots=True)
class NamedOrders:
    """Asks for one account's orders; ``pages`` reads a list to its end."""

    rest: CoinbaseRest
    clock: VenueClock
    pages: Pages
    _forgotten: Forgotten = field(init=False)

    def __post_init__(self) -> None:
        self._forgotten = Forgotten(self.clock)

    async def ask(self, venue_id: str) -> Facts:
        """How it stands; what no list of the venue's knows any more is over.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had, or a list may know it yet.
        """
        try:
            told = await self.rest.read_at_once(f"/orders/historical/{segment(venue_id)}")
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            return await self._listed(venue_id)
        self._forgotten.check(known=[venue_id], unknown=[])
        facts = told.get("order")
        if not isinstance(facts, dict):
            raise NoAnswer("Coinbase's answer names no order")
        return facts

    async def _listed(self, venue_id: str) -> Facts:
        self._forgotten.check(known=[], unknown=[venue_id])
        asked = {"order_ids": [venue_id]}
        for facts in await self.pages("/orders/historical/batch", "orders", asked):
            if facts.get("order_id") == venue_id:
                return facts
        log.error("order_forgotten", order=venue_id)
        return orders.gone(venue_id)
