"""What happened, newest first: alerts, holds, commands, revisions, positions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from trading.models import Alert, BotRevision, EngineCommand, Hold, Position
from trading.queries.charts import plain
from trading.queries.dust import dust_words
from trading.queries.places import Place, older_than


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; ``rank`` tells the events of one row at one moment apart."""

    kind: str
    at: datetime
    key: UUID
    rank: int
    account: str
    words: str

    @property
    def order(self) -> tuple[datetime, UUID, int]:
        """What the list is ordered by; a smaller rank comes first among the newest."""
        return self.at, self.key, -self.rank


@dataclass(frozen=True, slots=True)
class After:
    """Where the last page ended."""

    place: Place
    rank: int


@dataclass(frozen=True, slots=True)
class Happened:
    """Which events: of a kind, an account, and a stretch of time (from, to)."""

    kind: str = ""
    account: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of event: the rows that tell of it, when it was, and in which words."""

    kind: str
    rows: Callable[[], QuerySet[Any, Any]]
    time: str
    account: str
    words: Callable[[Any], str]


def list_events(wanted: Happened, *, after: After | None, most: int) -> list[Event]:
    """Events after a place in the list, newest first; each kind straight from its own index."""
    found = [
        _of(rank, source, wanted, after, most)
        for rank, source in enumerate(SOURCES)
        if wanted.kind in ("", source.kind)
    ]
    return list(islice(merge(*found, key=lambda one: one.order, reverse=True), most))


def _of(
    rank: int, source: Source, wanted: Happened, after: After | None, most: int
) -> Sequence[Event]:
    asked = {
        source.account: wanted.account,
        f"{source.time}__gte": wanted.since,
        f"{source.time}__lt": wanted.until,
    }
    rows = source.rows().filter(**{k: v for k, v in asked.items() if v is not None})
    if after is not None and rank > after.rank:  # its event of the very row told last comes next
        here = rows.filter(**{source.time: after.place.at, "id": after.place.key})
    else:
        here = rows.none()
    place = after.place if after is not None else None
    older = older_than(rows, place, time=source.time, key="id")
    newest = older.order_by(f"-{source.time}", "-id")[:most]
    return [_event(rank, source, row) for row in _both(here, newest)]


def _both(here: Iterable[Any], newest: Iterable[Any]) -> Iterable[Any]:
    yield from here
    yield from newest


def _event(rank: int, source: Source, row: Any) -> Event:
    account: Any = row
    for name in source.account.split("__"):
        account = getattr(account, name)
    return Event(
        source.kind, getattr(row, source.time), row.id, rank, account.label, source.words(row)
    )


def _holds() -> QuerySet[Any, Any]:
    return Hold.objects.select_related("engine__account")


def _commands() -> QuerySet[Any, Any]:
    return EngineCommand.objects.select_related("engine__account", "requested_by")


def _positions() -> QuerySet[Any, Any]:
    return Position.objects.select_related("bot__account", "instrument")


def _asked(command: EngineCommand) -> str:
    by = command.requested_by.email if command.requested_by else "the system"
    why = f": {command.reason}" if command.reason else ""
    return f"{command.get_kind_display()}, asked by {by}{why}"


def _opened(position: Position) -> str:
    return f"{position.bot} {position.side} {position.instrument.symbol} at {plain(position.entry_price)}"


def _closed(position: Position) -> str:
    made = f"made {plain(position.realized_pnl)} {position.instrument.quote}"
    words = f"{position.bot} {position.side} {position.instrument.symbol} closed, {made}"
    return f"{words}; {dust}" if (dust := _dust(position)) else words


def _dust(position: Position) -> str:
    pair = position.instrument
    return dust_words(position.dust_quantity, pair.base, position.dust_cost, pair.quote)


def _revised(revision: BotRevision) -> str:
    by = revision.author.email if revision.author else "the system"
    return f"Revision {revision.number} of {revision.bot}, by {by}"


# What ends comes before what begins: of one moment, the newest is told first.
SOURCES = (
    Source("alert", lambda: Alert.objects.select_related("engine__account"), "raised_at",
           "engine__account", lambda row: str(row.words)),
    Source("hold_lifted", lambda: _holds().exclude(cleared_at=None), "cleared_at",
           "engine__account", lambda row: f"Lifted: {row.reason}"),
    Source("hold_placed", _holds, "placed_at", "engine__account", lambda row: str(row.reason)),
    Source("command_done", lambda: _commands().exclude(finished_at=None), "finished_at",
           "engine__account", lambda row: f"{row.get_kind_display()}: {row.outcome or 'done'}"),
    Source("command_asked", _commands, "requested_at", "engine__account", _asked),
    Source("position_closed", lambda: _positions().exclude(closed_at=None), "closed_at",
           "bot__account", _closed),
    Source("position_opened", _positions, "opened_at", "bot__account", _opened),
    Source("revision", lambda: BotRevision.objects.select_related("bot__account", "author"),
           "created_at", "bot__account", _revised),
)  # fmt: skip
KINDS: Mapping[str, str] = {one.kind: one.kind.replace("_", " ").capitalize() for one in SOURCES}
