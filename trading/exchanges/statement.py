"""What a venue's own books say of an account, whatever its words: trades, orders, ledger lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


class StatementTorn(Exception):
    """The pages do not add up to what the venue says there is; the text says of which."""


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """One execution, in the venue's own numbers."""

    trade_id: str
    order_id: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    time_ns: int


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order, ended or not; ``closed_ns``: since when what it filled is final, 0 while it is not."""

    order_id: str
    client_id: str
    filled: Decimal
    is_open: bool
    opened_ns: int
    closed_ns: int


@dataclass(frozen=True, slots=True)
class VenueLine:
    """What one trade or transfer moved of one asset, the fee beside it."""

    reference: str
    asset: str
    amount: Decimal
    fee: Decimal
    time_ns: int


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything of an account up to a moment; ``since_ns``: where the venue's memory begins.

    ``lines`` is None where a venue shows no ledger.
    """

    until_ns: int
    since_ns: int
    trades: Mapping[str, VenueTrade]
    orders: Mapping[str, VenueOrder]
    lines: tuple[VenueLine, ...] | None
