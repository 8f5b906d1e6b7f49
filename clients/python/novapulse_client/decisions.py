"""Decisions as the API answers them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from novapulse_client.base import Model


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
