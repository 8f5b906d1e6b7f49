"""Orders, fills, positions and trades as the API answers them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from novapulse_client.base import Model


class Listed(Model, frozen=True, kw_only=True):
    """Whose a row of the ledger is, and what the entry's decision said."""

    account_id: UUID
    account: str
    bot_id: UUID
    bot: str
    pair: str
    side: str
    strategy: str | None
    regime: str | None
    score: float | None


class Order(Listed, frozen=True, kw_only=True):
    """What was meant, and what the venue made of it."""

    planned_at: datetime
    purpose: str
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    state: str
    state_reason: str
    exit_reason: str
    client_order_id: UUID
    venue_order_id: str | None
    venue_status: str | None
    filled_quantity: Decimal | None


class Fill(Listed, frozen=True, kw_only=True):
    """One execution at the venue."""

    filled_at: datetime
    purpose: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: str
    exit_reason: str
    venue_trade_id: str
    venue_order_id: str
    client_order_id: UUID


class Position(Listed, frozen=True, kw_only=True):
    """A holding from its first fill until it was flat."""

    position: UUID
    opened_at: datetime
    closed_at: datetime | None
    quantity: Decimal
    entry_price: Decimal
    stop_price: Decimal | None
    exit_price: Decimal | None
    exit_reason: str
    fees: Decimal
    realized_pnl: Decimal
    dust_quantity: Decimal
    dust_cost: Decimal


class Trade(Listed, frozen=True, kw_only=True):
    """A round trip."""

    position: UUID
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal | None
    entry_price: Decimal
    last_exit_price: Decimal | None
    exit_reason: str
    fees: Decimal
    net_pnl: Decimal
    currency: str
    dust_quantity: Decimal
    dust_cost: Decimal
    note: str
