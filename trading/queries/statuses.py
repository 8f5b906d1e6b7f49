"""How every engine stands, in as many queries for one as for many."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from trading.models import Decision, Engine, ForeignOrder, Position
from trading.queries.dashboard import list_engines, newest_of_each
from trading.queries.decisions import describe_row
from trading.queries.markets import markets_by_account
from trading.queries.overview import StandingHold, open_positions, standing_holds


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One engine; equity is None where nothing was decided yet or another core decided it."""

    engine: Engine
    equity: float | None
    last_bar_at: datetime | None
    holds: Sequence[StandingHold]
    positions: Sequence[Position]
    foreign_orders: Sequence[ForeignOrder]


def list_statuses() -> list[EngineStatus]:
    """Of the workspace in scope, those that should run first."""
    engines = list_engines()
    newest = _newest_decisions([one.account_id for one in engines])
    held, waits, foreign = open_positions(), standing_holds(), _foreign_orders()
    found = []
    for one in engines:
        decision = newest.get(one.account_id)
        found.append(
            EngineStatus(
                engine=one,
                equity=describe_row(decision)["equity"] if decision else None,
                last_bar_at=decision.bar_opened_at if decision else None,
                holds=waits[one.id],
                positions=held[one.account_id],
                foreign_orders=foreign[one.id],
            )
        )
    return found


def _newest_decisions(account_ids: Sequence[UUID]) -> dict[UUID, Decision]:
    markets = [m for listed in markets_by_account(account_ids).values() for m in listed]
    if not markets:
        return {}
    accounts = {m.revision.id: m.bot.account_id for m in markets}
    first, *others = newest_of_each(markets, count=1)
    rows = sorted(first.union(*others, all=True), key=lambda row: (row.bar_opened_at, row.id))
    return {accounts[row.revision_id]: row for row in rows}


def _foreign_orders() -> dict[UUID, list[ForeignOrder]]:
    found: dict[UUID, list[ForeignOrder]] = defaultdict(list)
    for order in ForeignOrder.objects.filter(gone_at=None).order_by("first_seen_at", "id"):
        found[order.engine_id].append(order)
    return found
