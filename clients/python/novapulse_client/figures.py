"""Charts and performance as the API answers them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from novapulse_client.base import Model


class Bar(Model, frozen=True, kw_only=True):
    """One closed bar."""

    opened_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Bars(Model, frozen=True, kw_only=True):
    """Bars of one market, oldest first."""

    pair: str
    timeframe: str
    price_step: Decimal
    bars: list[Bar]


class ChartFill(Model, frozen=True, kw_only=True):
    """One execution."""

    filled_at: datetime
    side: str
    price: Decimal
    quantity: Decimal
    purpose: str
    exit_reason: str


class Stop(Model, frozen=True, kw_only=True):
    """Where the stop stood after a bar."""

    opened_at: datetime
    price: Decimal


class Score(Model, frozen=True, kw_only=True):
    """What the votes on a bar made together, above 0 for a long."""

    opened_at: datetime
    score: float | None
    confidence: float | None
    regime: str
    votes: dict[str, float]


class EquityPoint(Model, frozen=True, kw_only=True):
    """What the account was worth."""

    at: datetime
    equity: Decimal


class Plotted(Model, frozen=True, kw_only=True):
    """One series, with a value for each of the bars or None."""

    strategy: str
    name: str
    title: str
    pane: str
    tone: str
    values: list[float | None]


class Indicators(Model, frozen=True, kw_only=True):
    """What strategies saw; ask again in a second while ``state`` is ``working``."""

    state: str
    words: str
    timeframe: str | None
    opened_ms: list[int]
    series: list[Plotted]


class Chart(Bars, frozen=True, kw_only=True):
    """One market of an engine."""

    fills: list[ChartFill]
    stops: list[Stop]
    scores: list[Score]
    indicators: Indicators | None
    equity: list[EquityPoint]


class Result(Model, frozen=True, kw_only=True):
    """What was made, and how."""

    realized: Decimal
    fees: Decimal
    unrealized: Decimal | None
    total: Decimal | None
    trades: int
    won: int
    win_rate: float | None
    profit_factor: float | None
    max_drawdown: Decimal


class BotResult(Result, frozen=True, kw_only=True):
    """Of one bot."""

    bot_id: UUID
    bot: str


class AccountResult(Result, frozen=True, kw_only=True):
    """Of one account in one currency."""

    account_id: UUID
    account: str
    currency: str
    bots: list[BotResult]


class Chapter(Model, frozen=True, kw_only=True):
    """What an account traded between two starts; the current one has not ended."""

    number: int
    ended_at: datetime | None


class Performance(Model, frozen=True, kw_only=True):
    """By account and currency; ``chapters`` of the one account that was asked for."""

    accounts: list[AccountResult]
    chapters: list[Chapter]
