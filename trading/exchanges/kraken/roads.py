"""How orders reach Kraken: one of two roads, chosen before anything of an intent is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from trading.exchanges.kraken.counters import ADD, LATE_NS
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.trading_rate import TradingRate

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
        return str(txids[0]) if isinstance(txids, list) and txids else ""

    async def amend(self, venue_id: str, params: Params) -> None:
        """AmendOrder."""
        await self._rest.act("AmendOrder", txid=venue_id, **params)

    async def cancel(self, venue_id: str) -> None:
        """CancelOrder."""
        await self._rest.act("CancelOrder", txid=venue_id)


@dataclass(frozen=True, slots=True)
class CountedRoad:
    """Either road, with every request in the trading rate before it leaves."""

    road: Road
    rate: TradingRate
    symbol_of: Callable[[str], str]  # of an order by the venue's name of it

    async def add(self, params: Params, *, symbol: str) -> str:
        """Place an order."""
        with self.rate.asking(symbol, ADD):
            venue_id = await self.road.add(params, symbol=symbol)
        self.rate.changed(venue_id)
        return venue_id

    async def amend(self, venue_id: str, params: Params) -> None:
        """Change a working order."""
        cost = self.rate.amend_cost(venue_id)
        self.rate.changed(venue_id, late_ns=LATE_NS)  # as long as no answer says otherwise
        with self.rate.asking(self.symbol_of(venue_id), cost):
            await self.road.amend(venue_id, params)
        self.rate.changed(venue_id)

    async def cancel(self, venue_id: str) -> None:
        """Take an order off the book."""
        with self.rate.asking(self.symbol_of(venue_id), self.rate.cancel_cost(venue_id)):
            await self.road.cancel(venue_id)
        self.rate.over(venue_id)
