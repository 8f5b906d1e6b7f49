"""What a venue over a wire needs of the orders of one account; each adapter has its own."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from trading.engine.batches import Evidence
from trading.engine.messages import FillReport, MarketSpec, OrderRequest
from trading.engine.sights import Sight, VenueOrder
from trading.exchanges.known_orders import KnownOrders
from trading.exchanges.rules_watch import Rules
from trading.exchanges.venue_clock import VenueClock


class Inquiry(Protocol):
    """Asks what became of orders."""

    async def lookup(self, order: OrderRequest) -> Evidence:
        """The venue's word on an unclear order; never raises."""
        ...

    async def catch_up(self) -> list[FillReport]:
        """News of working orders that was not told.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        ...

    async def list_orders(self, *, since_ns: int) -> Sequence[VenueOrder]:
        """Every order of the account that is open, or ended since then.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        ...


class Desk(Protocol):
    """The orders of one account at a venue."""

    specs: Sequence[MarketSpec]
    clock: VenueClock
    known: KnownOrders
    last_prices: dict[int, Decimal]

    @property
    def inquiry(self) -> Inquiry:
        """Who asks for it."""
        ...

    @property
    def rules(self) -> Rules:
        """What the venue takes now."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether everything was checked that must be before an order."""
        ...

    async def open(self) -> None:
        """Check it.

        Raises:
            ApiError, Unreached, NoAnswer: not now. CannotTrade: not before a person acts.
        """
        ...

    async def submit(self, order: OrderRequest) -> str:
        """Place an order; see ``ports.Venue.submit``."""
        ...

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order."""
        ...

    async def look(self) -> Sight:
        """How the whole account stands.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        ...
