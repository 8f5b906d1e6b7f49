"""What a venue says before anything is sent: its time beside ours, and the least order of each pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """Of one symbol; a price of 0 is unknown."""

    min_quantity: Decimal
    min_notional: Decimal
    last_price: Decimal


@dataclass(frozen=True, slots=True)
class VenueTerms:
    """Of every symbol asked for; ``ahead_seconds`` by which this machine's clock leads, at least."""

    ahead_seconds: float
    of_symbol: Mapping[str, Terms]
