"""When each engine that should run last spoke, heard a price, saved itself and was proven; whether it lacks news."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from trading.models import Engine, EngineSnapshot, Hold, LedgerProof
from trading.queries.dashboard import last_bars
from trading.queries.markets import markets_by_account


@dataclass(frozen=True, slots=True)
class Pulse:
    """One engine; a moment is None where there was none yet."""

    engine_id: UUID
    heartbeat_at: datetime | None
    priced_at: datetime | None
    saved_at: datetime | None
    proved_at: datetime | None
    last_bar_at: datetime | None
    lacks_news: bool


def list_pulses() -> list[Pulse]:
    """Of the workspace in scope, in a number of queries that does not grow with it."""
    finished = Engine.Observed.FINISHED
    engines = list(
        Engine.objects.filter(desired=Engine.Desired.RUNNING)
        .exclude(observed=finished)
        .order_by("id")
    )
    saved = dict(EngineSnapshot.objects.values_list("engine_id", "saved_at"))
    proofs = LedgerProof.objects.order_by().values_list("engine_id")
    proven = dict(proofs.annotate(Max("proved_at")))
    held = Hold.objects.filter(kind=Hold.Kind.DATA, cleared_at=None)
    lacking = set(held.values_list("engine_id", flat=True))
    bars = _last_bars(engines)
    return [
        Pulse(
            engine_id=one.id,
            heartbeat_at=one.heartbeat_at,
            priced_at=one.priced_at,
            saved_at=saved.get(one.id),
            proved_at=proven.get(one.id),
            last_bar_at=bars.get(one.account_id),
            lacks_news=one.id in lacking,
        )
        for one in engines
    ]


def _last_bars(engines: Sequence[Engine]) -> dict[UUID, datetime]:
    markets = markets_by_account([one.account_id for one in engines])
    return last_bars([market for listed in markets.values() for market in listed])
