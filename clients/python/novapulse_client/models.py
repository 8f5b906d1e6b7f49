"""Engines, bots, commands and runs as the API answers them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from novapulse_client.base import Model


class Hold(Model, frozen=True, kw_only=True):
    """A standing reason not to enter."""

    kind: str
    reason: str
    lifted_by: str
    placed_at: datetime


class OpenPosition(Model, frozen=True, kw_only=True):
    """A position that is held."""

    pair: str
    side: str
    quantity: Decimal
    entry_price: Decimal
    stop_price: Decimal | None
    opened_at: datetime


class Engine(Model, frozen=True, kw_only=True):
    """One engine: wanted, seen, and what keeps it from entering."""

    engine: UUID
    account: str
    exchange: str
    mode: str
    currency: str
    desired: str
    observed: str
    detail: str
    heartbeat_at: datetime | None
    last_bar_at: datetime | None
    equity: Decimal | None
    holds: list[Hold]
    positions: list[OpenPosition]


class Status(Model, frozen=True, kw_only=True):
    """The workspace at a glance."""

    version: str
    tenant: UUID
    at: datetime
    engines: list[Engine]


class Bot(Model, frozen=True, kw_only=True):
    """A strategy at work on one account."""

    bot: UUID
    name: str
    account_id: UUID
    account: str
    exchange: str
    mode: str
    engine: UUID | None
    stage: str
    pairs: list[str]
    timeframe: str | None
    active_revision: int | None
    revisions: int
    created_at: datetime


class Wait(Model, frozen=True, kw_only=True):
    """A loosened limit, or what real money asks proof for, waits for an owner."""

    loosens: list[str]
    missing: list[str] = []
    due_at: datetime
    ended_at: datetime | None
    outcome: str


class Revision(Model, frozen=True, kw_only=True):
    """One immutable, numbered set of parameters."""

    revision: int
    is_active: bool
    timeframe: str
    params: dict[str, Any]
    author: str | None
    created_at: datetime
    wait: Wait | None


class Command(Model, frozen=True, kw_only=True):
    """An order to an engine, and what became of it."""

    command: UUID
    engine: UUID
    kind: str
    reason: str
    requested_at: datetime
    finished_at: datetime | None
    outcome: str


class Wish(Model, frozen=True, kw_only=True):
    """Whether an engine is to run, and what is seen of it."""

    engine: UUID
    desired: str
    observed: str
    detail: str


class Run(Model, frozen=True, kw_only=True):
    """A run of research."""

    run: int
    kind: str
    status: str
    request: dict[str, Any]
    done: int
    total: int
    trials: int
    error: str
    headline: dict[str, Any]
    result_sha256: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether it will not change any more."""
        return self.status not in ("QUEUED", "RUNNING")
