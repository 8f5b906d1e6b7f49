"""What is kept where: the ledger's database with its mirrors and migrations, stores of bars, tapes."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tenants.models import (
    AuditEntry,
    ChainCheck,
    Delivery,
    Invitation,
    Notice,
    Notification,
    StoredAnswer,
)
from trading.marketdata.store import BarStore
from trading.models import Engine
from trading.queries.bars import open_recordings, open_store
from trading.tape.segments import list_segments

KINDS = {
    **{model._meta.db_table: "notices" for model in (Notice, Notification, Delivery)},
    **{model._meta.db_table: "audit" for model in (AuditEntry, ChainCheck)},
    StoredAnswer._meta.db_table: "answers",
    Session._meta.db_table: "sessions",
    Invitation._meta.db_table: "invitations",
}
# Of a standby that has everything the server tells the lag of what it had last, or nothing.
MIRRORS = """
    SELECT application_name, state, sync_state IN ('sync', 'quorum'),
           pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint,
           CASE WHEN replay_lsn >= pg_current_wal_lsn() THEN 0
                ELSE extract(epoch FROM replay_lag) END::float8
    FROM pg_stat_replication ORDER BY application_name, pid
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of rows: what they take up with their indices, and for how long they are kept."""

    name: str
    bytes: int
    days: int | None  # None: for ever


@dataclass(frozen=True, slots=True)
class Mirror:
    """A standby of the database's server; None is what our role there may not see."""

    name: str
    state: str | None
    is_synchronous: bool | None
    lag_bytes: int | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Database:
    """The canonical ledger; ``migrations`` tells the newest of each app."""

    server: str
    database: str
    bytes: int
    kept: Sequence[Kept]
    migrations: Sequence[str]
    missing_migrations: Sequence[str]
    mirrors: Sequence[Mirror]


@dataclass(frozen=True, slots=True)
class StoredBars:
    """One series of a store."""

    exchange: str
    pair: str
    timeframe_seconds: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class StoredTape:
    """What one engine was told, kept for making its decisions again."""

    engine_id: UUID
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything that outlives a process."""

    ledger: Database
    bars: Sequence[StoredBars]
    recorded: Sequence[StoredBars]
    tapes: Sequence[StoredTape]


def describe_storage() -> Storage:
    """As it stands now."""
    return Storage(
        ledger=_database(),
        bars=_series(open_store()),
        recorded=_series(open_recordings()),
        tapes=_tapes(),
    )


def tape_folder(engine_id: str | UUID) -> Path:
    """Where the tape of one engine lies."""
    return Path(settings.TAPE_DIR) / str(engine_id)


def _database() -> Database:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_database(),"
            " pg_database_size(current_database())"
        )
        version, name, size = cursor.fetchone()
        cursor.execute(MIRRORS)
        mirrors = [Mirror(*found) for found in cursor.fetchall()]
    loader = MigrationLoader(connection)
    applied, known = set(loader.applied_migrations), set(loader.disk_migrations)
    newest: dict[str, str] = {}
    for app, migration in sorted(applied & known):
        newest[app] = migration
    return Database(
        server=f"PostgreSQL {version}",
        database=name,
        bytes=size,
        kept=_kept(),
        migrations=_names(newest.items()),
        missing_migrations=_names(known - applied),
        mirrors=mirrors,
    )


def _kept() -> list[Kept]:
    """Everything in the database, by what is done with it when it is old."""
    days = {
        "notices": settings.NOTICES_KEPT_DAYS,
        "invitations": settings.NOTICES_KEPT_DAYS,
        "answers": StoredAnswer.KEPT.days,
        "sessions": settings.SESSION_COOKIE_AGE // 86_400,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        sizes = dict.fromkeys(("trading", "people", "audit", *days), 0)
        for table, size in cursor.fetchall():
            sizes[_kind_of(table)] += size
    return [Kept(name, size, days.get(name)) for name, size in sizes.items()]


def _kind_of(table: str) -> str:
    return KINDS.get(table) or ("trading" if table.startswith("trading_") else "people")


def _names(found: Any) -> list[str]:
    return [f"{app}.{migration}" for app, migration in sorted(found)]


def _series(store: BarStore) -> list[StoredBars]:
    return [
        StoredBars(key.venue, key.symbol, key.timeframe_seconds, *store.weigh(key))
        for key in store.stored_keys()
    ]


def _tapes() -> list[StoredTape]:
    """Of the workspace in scope; of an engine that has none too."""
    found = []
    for engine_id in Engine.objects.order_by("id").values_list("id", flat=True):
        sizes = list(_sizes(list_segments(tape_folder(engine_id))))
        found.append(StoredTape(engine_id, len(sizes), sum(sizes)))
    return found


def _sizes(paths: Sequence[Path]) -> Iterator[int]:
    for path in paths:
        with suppress(FileNotFoundError):  # its engine has just pruned it
            yield path.stat().st_size
