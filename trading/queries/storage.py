"""What is kept where: the ledger's database with its migrations, and the stores of bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
from trading.queries.bars import open_recordings, open_store

KINDS = {
    **{model._meta.db_table: "notices" for model in (Notice, Notification, Delivery)},
    **{model._meta.db_table: "audit" for model in (AuditEntry, ChainCheck)},
    StoredAnswer._meta.db_table: "answers",
    Session._meta.db_table: "sessions",
    Invitation._meta.db_table: "invitations",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of rows: what they take up with their indices, and for how long they are kept."""

    name: str
    bytes: int
    days: int | None  # None: for ever


@dataclass(frozen=True, slots=True)
class Database:
    """The canonical ledger; ``migrations`` tells the newest of each app."""

    server: str
    database: str
    bytes: int
    kept: Sequence[Kept]
    migrations: Sequence[str]
    missing_migrations: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoredBars:
    """One series of a store."""

    exchange: str
    pair: str
    timeframe_seconds: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything that outlives a process."""

    ledger: Database
    bars: Sequence[StoredBars]
    recorded: Sequence[StoredBars]


def describe_storage() -> Storage:
    """As it stands now."""
    return Storage(
        ledger=_database(), bars=_series(open_store()), recorded=_series(open_recordings())
    )


def _database() -> Database:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_database(),"
            " pg_database_size(current_database())"
        )
        version, name, size = cursor.fetchone()
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
