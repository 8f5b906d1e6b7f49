"""A database that refuses its work is told in one sentence, and everything goes on once it works."""

import errno
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from novapulse import places
from novapulse.postgres_server import OWNER, PostgresServer
from tests.faults.crashing import COMMITS_LAST, CrashingDatabase, database_of_its_own
from tests.faults.failing_disk import WELL, FailingDisk, Fault, ServerOnDisk, failing_disk
from tests.faults.processes import decisions, ended_afterwards, engine_row, run_engine, wait_for
from tests.forking import Program, answer_of
from trading.models import Engine

pytestmark = pytest.mark.faults
FEW = {**COMMITS_LAST, "max_connections": "10", "superuser_reserved_connections": "3"}
MOST_SESSIONS = 10


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FailingDisk]:
    """Of the tables."""
    where = PostgresServer(places.settle(data_dir=tmp_path / "own"))
    with failing_disk(where.data / "base") as made:
        yield made


@pytest.fixture
def database(
    fresh_database, environment, disk: FailingDisk, tmp_path: Path
) -> Iterator[CrashingDatabase]:
    with database_of_its_own(
        fresh_database.name,
        environment,
        tmp_path / "own",
        make_server=lambda where: ServerOnDisk(where, FEW, disk=disk),
    ) as made:
        yield made
        disk.suffer(WELL)


def started(environment: dict[str, str]) -> "tuple[int, list[str]]":
    """Exit code and complaint of an engine that is started now."""
    command = ("manage.py", "run_engine", "--tenant", "acme", "--exchange", "replay")
    done = answer_of(*command, environment=environment)
    return done.returncode, done.stderr.strip().splitlines()


def test_an_engine_that_finds_no_free_connection_says_so_and_starts_when_there_is_one(
    environment, street, database: CrashingDatabase
) -> None:
    rows = street(300)
    connections.close_all()
    with ExitStack() as sessions:
        with suppress(psycopg.OperationalError):  # there is room for no other
            for _ in range(MOST_SESSIONS):
                sessions.enter_context(psycopg.connect(environment["NOVA_DATABASE_APP_URL"]))
        code, (sentence,) = started(environment)
    again = run_engine(rows, environment)
    with ended_afterwards(again):
        assert again.wait(60) == 0

    assert code == 4
    assert sentence.startswith("PostgreSQL takes no more connections (")
    assert sentence.endswith(
        "). Raise its max_connections, or end some of the programs that use it."
    )


def make_read_only(database: CrashingDatabase, on: str) -> None:
    with database.server.connect() as session:
        session.execute(
            f'ALTER DATABASE "{database.name}" SET default_transaction_read_only = {on}'
        )


def test_a_database_without_writes_is_one_sentence_and_parks_nobody(
    environment, street, database: CrashingDatabase, tmp_path: Path
) -> None:
    rows, log = street(3000, speed="6000"), tmp_path / "fleet.log"
    log.touch()
    make_read_only(database, "on")
    code, (sentence,) = started(environment)
    fleet = Program("manage.py", "run_fleet", environment=environment, output=log)
    with ended_afterwards(fleet):
        wait_for(
            lambda: log.read_text().count('"code": 5') == 2, "an engine waits for its database"
        )
        assert '"why": "The database takes no writes (' in log.read_text()
        assert engine_row(rows).observed != Engine.Observed.PARKED
        make_read_only(database, "off")
        wait_for(lambda: decisions(rows) > 0, "it trades by itself")
        assert fleet.poll() is None

    assert code == 4
    assert sentence.startswith("The database takes no writes (cannot execute ")
    assert "Point DATABASE_URL at the primary" in sentence


def test_a_disk_that_fills_during_a_migration_is_one_sentence_and_the_next_run_completes_it(
    environment, database: CrashingDatabase, disk: FailingDisk
) -> None:
    with database.server.connect() as session:
        session.execute(f"CREATE DATABASE empty OWNER {OWNER}")
    ours = {
        key: value.replace(f"/{database.name}?", "/empty?") for key, value in environment.items()
    }
    errors = Path(environment["NOVA_BARS_DIR"]).parent / "migrate.log"
    migrate = Program("manage.py", "migrate", environment=ours, errors=errors)
    with ended_afterwards(migrate), database.server.connect("empty") as session:
        begun = "SELECT to_regclass('django_migrations') IS NOT NULL"
        wait_for(lambda: session.execute(begun).fetchone() == (True,), "it has begun")
        disk.suffer(Fault(write_error=errno.ENOSPC))
        code = migrate.wait(60)
    disk.suffer(WELL)
    again = answer_of("manage.py", "migrate", environment=ours)

    (sentence,) = errors.read_text().strip().splitlines()
    assert code == 4
    assert sentence.startswith("The database's disk is full (could not extend file ")
    assert sentence.endswith("). Free some space there, then do the same again.")
    assert again.returncode == 0, again.stderr
