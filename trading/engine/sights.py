"""What a venue says of the whole account, beside the news of our orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.engine.messages import OrderRequest


@dataclass(frozen=True, slots=True)
class Holding:
    """What the account has of one asset: all of it, and what no order keeps."""

    total: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class Stranger:
    """A working order of the account that is not ours."""

    venue_order_id: str
    symbol: str
    side: str  # BUY or SELL
    quantity: Decimal  # that may still fill; 0 where the venue counts it in quote


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """Any order of the account, open or over, whoever placed it."""

    client_order_id: str
    venue_order_id: str
    side: str  # BUY or SELL
    is_stop: bool
    quantity: Decimal
    level: Decimal  # trigger of a stop, limit of another, 0: at the market


@dataclass(frozen=True, slots=True)
class Resting:
    """A working order of ours: what was asked of the venue last, and how the venue has it."""

    asked: OrderRequest
    stands: VenueOrder
    filled: Decimal


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at an account; ``ahead_seconds`` by which this machine's clock leads, at least."""

    holdings: Mapping[str, Holding]
    strangers: tuple[Stranger, ...] = ()
    ahead_seconds: float = 0.0
    resting: tuple[Resting, ...] = ()
