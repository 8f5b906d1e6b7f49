"""Frozen message types that cross ports; what the engine's loop handles, one at a time.

Quantities are lots, prices of orders and fills are ticks, times are nanoseconds UTC, ``market`` is
the index of the engine's market (one bot on one instrument).
"""

from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct

from trading.core.codes import ExitReason, Purpose, Side


class BarClosed(Struct, frozen=True, gc=False, array_like=True):
    """A closed bar of one market."""

    market: int
    open_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    late: bool = False  # told after the next one had begun to close: decided on, never acted on
    blind: bool = False  # its market's order book cannot be trusted now: idem


class PriceTick(Struct, frozen=True, gc=False, array_like=True):
    """A traded price between bars."""

    market: int
    time_ns: int
    price: float


class BookSeen(Struct, frozen=True, gc=False, array_like=True):
    """The order book a bar is decided with: (price, quantity) of the best levels, best first."""

    market: int
    time_ns: int  # when the venue last told of it
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]


class FillReport(Struct, frozen=True, gc=False, array_like=True):
    """The venue's word on one of our orders: an execution, or its end without one (quantity 0)."""

    market: int
    intent_seq: int
    time_ns: int
    purpose: int
    side: int
    quantity_lots: int
    price_ticks: int
    fee_units: int
    liquidity: int
    reason: int
    final: int
    venue_order_id: str
    venue_trade_id: str
    fee: str = ""  # as the venue charged it, in ``fee_currency``; empty: ``fee_units`` of the quote
    fee_currency: str = ""
    taken_lots: int = 0  # of the quantity, what a fee in the base asset left not held
    price: str = ""  # as the venue met it, which may be between two ticks; empty: ``price_ticks``

    @property
    def held_lots(self) -> int:
        """What it adds to a position, or takes from it."""
        return self.quantity_lots - self.taken_lots


class StopChanged(Struct, frozen=True, gc=False, array_like=True):
    """A resting stop stands at the venue with another trigger, or not with the quantity asked for."""

    market: int
    time_ns: int
    price_ticks: int
    is_whole: bool


class FeedChange(Struct, frozen=True, gc=False, array_like=True):
    """A channel of news fell silent or speaks again; entries wait while it is silent."""

    channel: str
    is_up: bool
    reason: str


class AccountMoved(Struct, frozen=True, gc=False, array_like=True):
    """Something moved on the account that is no fill of ours."""

    words: str


News = BarClosed | BookSeen | PriceTick | FeedChange  # of the market
Message = News | FillReport | AccountMoved


class OrderRequest(Struct, frozen=True):
    """What is sent to a venue for one committed intent."""

    market: int
    seq: int
    client_order_id: str
    at_ns: int
    purpose: Purpose
    side: Side
    quantity_lots: int
    price_ticks: int  # trigger of a stop, limit of an entry, 0: at the market
    expires_ns: int  # a limit ends from this time on, 0: never
    replaces_seq: int
    reason: ExitReason
    deadline_ns: int
    send_by_ns: int = (
        0  # the venue must refuse it later than this; 0: not said (a leader's before us)
    )


class Command(Struct, frozen=True):
    """A person's order to the engine; ``id`` is its row."""

    id: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class MarketSpec:
    """The fixed facts of one market of an engine: one bot's revision on one instrument."""

    index: int
    bot_id: str
    revision_id: str
    instrument_id: int
    venue: str
    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    timeframe_ns: int

    def price_of(self, report: FillReport) -> Decimal:
        """The price of a fill, to the venue's last digit."""
        return Decimal(report.price) if report.price else self.tick_size * report.price_ticks
