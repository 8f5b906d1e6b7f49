"""What the live stream tells: each the newest whole value of its key, whatever came before."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from novapulse_client.base import Model


class Value(Model, frozen=True, kw_only=True):
    """Of one engine."""

    engine_id: UUID


class EngineValue(Value, frozen=True, kw_only=True):
    """Health of an engine and the account's money."""

    observed: str
    detail: str = ""
    epoch: int
    mode: str
    venue: str
    market_data: str = ""
    wall_ms: int
    bars: int
    equity: Decimal
    today: Decimal
    cash: Decimal
    realized: Decimal
    fees: Decimal
    currency: str
    holds: list[dict[str, str]]

    @property
    def told_at(self) -> datetime:
        """When the engine said so."""
        return moment(self.wall_ms)


class AlertValue(Value, frozen=True, kw_only=True):
    """A breaker that tripped."""

    cause: str
    words: str = ""
    wall_ms: int

    @property
    def raised_at(self) -> datetime:
        """When it tripped."""
        return moment(self.wall_ms)


class BarValue(Value, frozen=True, kw_only=True):
    """A closed bar."""

    symbol: str
    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    @property
    def opened_at(self) -> datetime:
        """When it opened."""
        return moment(self.open_ms)


class PriceValue(Value, frozen=True, kw_only=True):
    """What a market is worth now; ``source`` says whence that is: middle, trade or close."""

    symbol: str
    price: Decimal
    source: str
    bid: Decimal | None = None
    ask: Decimal | None = None
    change: float | None = None
    volume: float | None = None
    is_stale: bool
    wall_ms: int

    @property
    def heard_at(self) -> datetime:
        """When the engine heard it."""
        return moment(self.wall_ms)


class PositionValue(Value, frozen=True, kw_only=True):
    """An open position; without one ``side`` is FLAT and there are no prices."""

    symbol: str
    side: str
    quantity: Decimal
    entry_price: Decimal | None = None
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    last_price: Decimal | None = None
    unrealized: Decimal | None = None
    to_stop: float | None = None
    to_target: float | None = None
    is_stale: bool = False
    opened_ms: int

    @property
    def opened_at(self) -> datetime | None:
        """Since when it is held."""
        return moment(self.opened_ms) if self.opened_ms else None


class DecisionValue(Value, frozen=True, kw_only=True):
    """What was decided on a bar."""

    symbol: str
    bar_open_ms: int
    stage: str
    reason: str
    sentence: str
    score: float | None
    confidence: float | None
    regime: str
    votes: list[dict[str, Any]]
    gates: list[dict[str, Any]]

    @property
    def bar_opened_at(self) -> datetime:
        """Of the bar it was decided on."""
        return moment(self.bar_open_ms)


class FillValue(Value, frozen=True, kw_only=True):
    """An execution."""

    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    purpose: str
    reason: str
    filled_ms: int

    @property
    def filled_at(self) -> datetime:
        """When."""
        return moment(self.filled_ms)


Told = EngineValue | AlertValue | BarValue | PriceValue | PositionValue | DecisionValue | FillValue

KINDS: dict[str, type[Told]] = {
    "engine": EngineValue,
    "alert": AlertValue,
    "bar": BarValue,
    "price": PriceValue,
    "position": PositionValue,
    "decision": DecisionValue,
    "fill": FillValue,
}


class Update(Model, frozen=True, kw_only=True):
    """One key's newest value; of a kind that only a newer server has, ``value`` is a dict."""

    key: str
    kind: str
    market: int | None
    sequence: int
    value: Told | dict[str, Any]


def moment(ms: int) -> datetime:
    """Milliseconds since 1970 as an aware time."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)
