"""What is kept where: the ledger's database with its migrations, and the stores of bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from trading.marketdata.store import BarStore
from trading.queries.bars import open_recordings, open_store


@dataclass(frozen=True, slots=True)
class Database:
    """The canonical ledger; ``migrations`` tells the newest of each app."""

    server: str
    database: str
    bytes: int
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
        migrations=_names(newest.items()),
        missing_migrations=_names(known - applied),
    )


def _names(found: Any) -> list[str]:
    return [f"{app}.{migration}" for app, migration in sorted(found)]


def _series(store: BarStore) -> list[StoredBars]:
    return [
        StoredBars(key.venue, key.symbol, key.timeframe_seconds, *store.weigh(key))
        for key in store.stored_keys()
    ]
