"""The workspace at a glance: every engine, what it holds, why it waits, and the newest thoughts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import Sum

from trading.core.records import ACCOUNT
from trading.models import Engine, EngineSnapshot, Hold, LedgerEntry, Position
from trading.queries.dashboard import last_bars, list_decisions, list_engines
from trading.queries.holds import lifted_by
from trading.queries.markets import EngineMarket, markets_by_account

THOUGHTS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class StandingHold:
    """What keeps one engine from entering, and what lifts it."""

    hold: Hold
    lifted_by: str


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One engine in its account's currency; money is None until the engine has saved itself once."""

    engine: Engine
    symbols: Sequence[str]
    paid_in: Decimal
    equity: float | None
    today: float | None
    positions: Sequence[Position]
    holds: Sequence[StandingHold]
    last_bar_at: datetime | None

    @property
    def total(self) -> float | None:
        """Gained or lost since the money was paid in."""
        return None if self.equity is None else self.equity - float(self.paid_in)


@dataclass(frozen=True, slots=True)
class Total:
    """All engines of one currency; nothing is converted."""

    currency: str
    engines: int
    equity: float
    paid_in: float
    today: float

    @property
    def total(self) -> float:
        """Gained or lost since the money was paid in."""
        return self.equity - self.paid_in


@dataclass(frozen=True, slots=True)
class Overview:
    """What the workspace's dashboard shows."""

    rows: Sequence[EngineRow]
    totals: Sequence[Total]
    thoughts: Sequence[Mapping[str, Any]]

    @property
    def positions(self) -> list[tuple[EngineRow, Position]]:
        """Every open position beside its engine."""
        return [(row, position) for row in self.rows for position in row.positions]

    @property
    def holds(self) -> list[tuple[EngineRow, StandingHold]]:
        """Everything that keeps an engine from entering."""
        return [(row, hold) for row in self.rows for hold in row.holds]


def get_overview() -> Overview:
    """Of the workspace in scope, in a number of queries that does not grow with it."""
    engines = list_engines()
    markets = markets_by_account([one.account_id for one in engines])
    everything = [market for listed in markets.values() for market in listed]
    thoughts = list_decisions(markets=everything, count=THOUGHTS_SHOWN)
    rows = _rows(engines, markets, last_bars(everything))
    return Overview(rows=rows, totals=_totals(rows), thoughts=_beside_engines(thoughts, rows))


def _rows(
    engines: Sequence[Engine],
    markets: Mapping[UUID, Sequence[EngineMarket]],
    newest: Mapping[UUID, datetime],
) -> list[EngineRow]:
    saved, paid, held, waits = accounts_saved(), _paid_in(), open_positions(), standing_holds()
    made = []
    for engine in engines:
        account = saved.get(engine.id)
        made.append(
            EngineRow(
                engine=engine,
                symbols=[market.instrument.symbol for market in markets.get(engine.account_id, ())],
                paid_in=paid.get(engine.account_id, Decimal(0)),
                equity=None if account is None else float(account["equity"]),
                today=None
                if account is None
                else float(account["equity"] - account["day_start_equity"]),
                positions=held[engine.account_id],
                holds=waits[engine.id],
                last_bar_at=newest.get(engine.account_id),
            )
        )
    return made


def accounts_saved() -> dict[UUID, Any]:
    """The account record each engine last saved; none of a core with another layout."""
    stored = EngineSnapshot.objects.values_list("engine_id", "account")
    return {
        engine_id: np.frombuffer(bytes(account), dtype=ACCOUNT)[0]
        for engine_id, account in stored
        if len(account) == ACCOUNT.itemsize
    }


def _paid_in() -> dict[UUID, Decimal]:
    booked = (
        LedgerEntry.objects.filter(book=LedgerEntry.Book.CAPITAL)
        .values("account_id")
        .annotate(total=Sum("amount"))
    )
    return {row["account_id"]: -row["total"] for row in booked}


def open_positions() -> dict[UUID, list[Position]]:
    """What is held, by account."""
    found: dict[UUID, list[Position]] = defaultdict(list)
    for position in (
        Position.objects.filter(closed_at=None)
        .select_related("instrument", "bot")
        .order_by("opened_at", "id")
    ):
        found[position.bot.account_id].append(position)
    return found


def standing_holds() -> dict[UUID, list[StandingHold]]:
    """What keeps each engine from entering."""
    found: dict[UUID, list[StandingHold]] = defaultdict(list)
    for hold in Hold.objects.filter(cleared_at=None).order_by("placed_at", "id"):
        found[hold.engine_id].append(StandingHold(hold, lifted_by(hold)))
    return found


def _totals(rows: Iterable[EngineRow]) -> list[Total]:
    by_currency: dict[str, list[EngineRow]] = defaultdict(list)
    for row in rows:
        by_currency[row.engine.account.quote_currency].append(row)
    return [
        Total(
            currency=currency,
            engines=len(found),
            equity=sum(float(r.paid_in) if r.equity is None else r.equity for r in found),
            paid_in=float(sum((r.paid_in for r in found), Decimal(0))),
            today=sum(r.today or 0.0 for r in found),
        )
        for currency, found in sorted(by_currency.items())
    ]


def _beside_engines(
    thoughts: Iterable[Mapping[str, Any]], rows: Iterable[EngineRow]
) -> list[Mapping[str, Any]]:
    by_account = {row.engine.account_id: row.engine for row in rows}
    return [{**thought, "engine": by_account[thought["account_id"]]} for thought in thoughts]
