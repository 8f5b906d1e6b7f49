"""What the API answers, typed; fields that a newer server adds are ignored."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A value; to change one, ask again."""


class Page(Model, Generic[T], frozen=True, kw_only=True):
    """Some rows, and where to go on."""

    items: list[T]
    next: str | None = None


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
    at: datetime
    engines: list[Engine]


class Thought(Model, frozen=True, kw_only=True):
    """One decision in a sentence."""

    decision: int
    bar_opened_at: datetime
    bot: str
    pair: str
    stage: str
    reason: str
    sentence: str


class Refusal(Model, frozen=True, kw_only=True):
    """The gate that said no."""

    name: str
    value: float | None
    limit: float | None


class Decision(Thought, frozen=True, kw_only=True):
    """What was decided on one closed bar."""

    bot_id: UUID
    account_id: UUID
    revision: int
    side: str
    strategy: str
    regime: str
    volatility: str
    score: float | None
    confidence: float | None
    probability: float | None
    close: Decimal | None
    equity: Decimal | None
    refused_by: Refusal | None


class Gate(Model, frozen=True, kw_only=True):
    """One question the candidate had to answer."""

    number: int
    name: str
    asks: str
    unit: str
    must: str
    value: float | None
    limit: float | None
    verdict: str


class Vote(Model, frozen=True, kw_only=True):
    """One strategy's opinion; without a score it abstained."""

    strategy: str
    score: float | None
    confidence: float | None
    abstained: str


class Setting(Model, frozen=True, kw_only=True):
    """A parameter as it was, and the nearest value that would have passed."""

    name: str
    now: float
    then: float


class Change(Model, frozen=True, kw_only=True):
    """How far a candidate missed a gate, and what would have let it through."""

    missing: float | None
    settings: list[Setting]
    otherwise: str


class Explained(Decision, frozen=True, kw_only=True):
    """A decision gate by gate."""

    gates: list[Gate]
    votes: list[Vote]
    smallest_change: Change | None
    book: dict[str, Any]
    features: dict[str, float | None]
    earlier: int | None
    later: int | None


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


class Bot(Model, frozen=True, kw_only=True):
    """A strategy at work on one account."""

    bot: UUID
    name: str
    account_id: UUID
    account: str
    exchange: str
    mode: str
    stage: str
    pairs: list[str]
    timeframe: str | None
    active_revision: int | None
    revisions: int
    created_at: datetime


class Wait(Model, frozen=True, kw_only=True):
    """A loosened limit waits for an owner."""

    loosens: list[str]
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
