"""Scans, regimes, strategies, results, execution, events and venues as the API answers them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from novapulse_client.base import Model
from novapulse_client.decisions import Refusal


class Market(Model, frozen=True, kw_only=True):
    """One market of an engine."""

    engine: UUID
    market: int
    account_id: UUID
    account: str
    exchange: str
    bot_id: UUID
    bot: str
    pair: str
    timeframe: str
    decision: int | None
    bar_opened_at: datetime | None


class Scanned(Market, frozen=True, kw_only=True):
    """The last scan of a market; all is None before the first."""

    stage: str | None
    reason: str | None
    sentence: str | None
    side: str | None
    strategy: str | None
    score: float | None
    confidence: float | None
    probability: float | None
    close: Decimal | None
    refused_by: Refusal | None


class Regime(Market, frozen=True, kw_only=True):
    """What kind of market it is now."""

    regime: str | None
    volatility: str | None
    adx: float | None
    choppiness: float | None
    volatility_rank: float | None
    rsi: float | None
    volume_ratio: float | None


class Listener(Model, frozen=True, kw_only=True):
    """A bot by the weight it gives to a strategy."""

    bot_id: UUID
    bot: str
    weight: float


class Strategy(Model, frozen=True, kw_only=True):
    """One strategy, and who listens to it."""

    name: str
    idea: str
    bots: list[Listener]


class Part(Model, frozen=True, kw_only=True):
    """Closed trades of one account and currency that belong together."""

    account_id: UUID
    account: str
    currency: str
    trades: int
    won: int
    win_rate: float | None
    gross: Decimal
    fees: Decimal
    net: Decimal
    profit_factor: float | None
    max_drawdown: Decimal


class AttributedPart(Part, frozen=True, kw_only=True):
    """One value of what was split by."""

    value: str


class StrategyResult(Model, frozen=True, kw_only=True):
    """What the trades of one strategy made, by account and currency."""

    strategy: str
    results: list[Part]


class Spread(Model, frozen=True, kw_only=True):
    """How measures are spread."""

    mean: float | None
    median: float | None
    p95: float | None


class Execution(Model, frozen=True, kw_only=True):
    """How orders of one account and purpose were executed."""

    account_id: UUID
    account: str
    purpose: str
    intents: int
    filled: int
    refused: int
    expired: int
    unknown: int
    fill_ratio: float | None
    fills: int
    slippage_bps: Spread
    seconds_to_fill: Spread
    maker_share: float | None
    fee_bps: float | None


class Acknowledged(Model, frozen=True, kw_only=True):
    """How long one venue took to answer, over the newest orders; wall time."""

    venue: str
    mode: str
    orders: int
    p50_ms: float
    p95_ms: float


class Executed(Model, frozen=True, kw_only=True):
    """How orders were executed, and how long venues took to answer."""

    items: list[Execution]
    acknowledged: list[Acknowledged]


class Event(Model, frozen=True, kw_only=True):
    """One thing that happened."""

    kind: str
    at: datetime
    subject: UUID
    account: str
    words: str


class Anomaly(Model, frozen=True, kw_only=True):
    """What a person must look at."""

    check: str
    verdict: str
    words: str


class Connection(Model, frozen=True, kw_only=True):
    """How one account stands to its venue."""

    account_id: UUID
    account: str
    exchange: str
    mode: str
    connected: bool
    engine: UUID | None
    observed: str | None
    detail: str
    heartbeat_at: datetime | None
    last_bar_at: datetime | None
    disabled_at: datetime | None


class Settings(Model, frozen=True, kw_only=True):
    """What the workspace is set to."""

    version: int
    name: str
    bot_profile: str
    bot_timeframe: str
    paper_cash: Decimal


class Favorite(Model, frozen=True, kw_only=True):
    """A pair you marked."""

    pair: str
    created_at: datetime


class Reset(Model, frozen=True, kw_only=True):
    """A paper account that started over."""

    account_id: UUID
    account: str
    currency: str
    cash: Decimal
    at: datetime


class Workspace(Model, frozen=True, kw_only=True):
    """Your own."""

    tenant: UUID
    slug: str
    name: str
    status: str
    status_reason: str
    created_at: datetime
    members: int
    accounts: int
    bots: int
    api_keys: int
