"""How orders reach Kraken: one of two roads, chosen before anything of an intent is written."""

from collections.abc import Mapping
from typing import Any, Protocol

from trading.exchanges.kraken.rest import KrakenRest

Params = Mapping[str, Any]


class Road(Protocol):
    """Carries what changes an order; parameters are REST's, each road spells them its own way.

    All of it is sent once. Raises:
        ApiError: the venue's words. Unreached: it never left. NoAnswer: nobody knows what became of it.
    """

    async def add(self, params: Params, *, symbol: str) -> str:
        """Place an order; the venue's name of it, empty where the answer has none."""
        ...

    async def amend(self, venue_id: str, params: Params) -> None:
        """Change a working order."""
        ...

    async def cancel(self, venue_id: str) -> None:
        """Take an order off the book."""
        ...


class RestRoad:
    """One signed request each."""

    def __init__(self, rest: KrakenRest) -> None:
        self._rest = rest

    async def add(self, params: Params, *, symbol: str) -> str:
        """AddOrder; it names the pair by itself."""
        result = await self._rest.act("AddOrder", **params)
        txids = result.get("txid") if isinstance(result, dict) else None
        return str(txids[0]) if txids else ""

    async def amend(self, venue_id: str, params: Params) -> None:
        """AmendOrder."""
        await self._rest.act("AmendOrder", txid=venue_id, **params)

    async def cancel(self, venue_id: str) -> None:
        """CancelOrder."""
        await self._rest.act("CancelOrder", txid=venue_id)
