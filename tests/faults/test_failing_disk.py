"""The disk under PostgreSQL's log fails, is full or is slow while a fleet or engine has real orders."""

import errno
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from novapulse import places
from novapulse.postgres_server import PostgresServer
from tenants.scoping import tenant_scope
from tests.factories import EngineRows
from tests.faults.crashing import CrashingDatabase, database_of_its_own
from tests.faults.failing_disk import WELL, FailingDisk, Fault, ServerOnDisk, failing_disk
from tests.faults.judged import (
    assert_books_and_venue_agree,
    assert_nothing_was_sent_while_it_was_down,
    still_the_market,
    tell_the_log,
)
from tests.faults.processes import decisions, ended_afterwards, engine_row, wait_for
from tests.faults.simulated import Venue
from tests.faults.test_database_crash import is_leading
from tests.faults.test_wire import (
    SHORTLY_BEFORE_AN_ENTRY,
    UNHURRIED,
    open_holds,
    rows_of,
    start_engine,
    stops_at,
    told_by,
    workspace,
)
from tests.forking import Program
from trading import operations
from trading.engine.guards import PAUSE
from trading.engine.slow import SLOW
from trading.models import Alert, Engine, Position

pytestmark = pytest.mark.faults
SIDE = "simulator"
# A copy has thousands of files; to sync each of them by itself takes a busy machine minutes.
SERVER = {"wal_level": "replica", "recovery_init_sync_method": "syncfs"}
LONGER_THAN_THE_LEASE = 4.0  # seconds
HANGING_DISK, SLOW_DISK = Fault(seconds=3600), Fault(seconds=3)
BAD_DISK, FULL_DISK = Fault(sync_error=errno.EIO), Fault(write_error=errno.ENOSPC)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FailingDisk]:
    where = PostgresServer(places.settle(data_dir=tmp_path / "own"))
    with failing_disk(where.data / "pg_wal") as made:
        yield made


@pytest.fixture
def database(
    fresh_database, environment, venue: Venue, disk: FailingDisk, tmp_path: Path
) -> Iterator[CrashingDatabase]:
    with database_of_its_own(
        fresh_database.name,
        environment,
        tmp_path / "own",
        make_server=lambda where: ServerOnDisk(where, SERVER, disk=disk),
    ) as made:
        yield made
        disk.suffer(WELL)


def takes_nobody(database: CrashingDatabase) -> bool:
    """PostgreSQL has ended every session and tries to recover, which its disk does not let it."""
    try:
        database.server.connect().close()
    except psycopg.OperationalError:
        return True
    return False


def test_a_fleet_outlives_a_disk_that_fails_and_one_that_is_full(
    environment, venue: Venue, database: CrashingDatabase, disk: FailingDisk, tmp_path: Path
) -> None:
    rows = workspace(SIDE, "LIVE", key=venue.key(SIDE))
    venue.kill()
    venue.restart("--from", str(SHORTLY_BEFORE_AN_ENTRY), "--speed", UNHURRIED)
    venue.ask("/simulator/freeze", {"on": True})  # the entry waits for the fleet
    fleet = Program(
        "manage.py", "run_fleet", environment=environment, output=tmp_path / "fleet.log"
    )
    with ended_afterwards(fleet):
        wait_for(lambda: decisions(rows) > 500, "it has warmed up", seconds=120)
        venue.ask("/simulator/freeze", {"on": False})
        wait_for(lambda: bool(rows_of(rows, Position)), "it holds a position", seconds=300)
        for fault in (BAD_DISK, FULL_DISK):
            epoch = engine_row(rows).epoch
            disk.suffer(fault)
            wait_for(lambda: takes_nobody(database), "PostgreSQL has ended all sessions")
            connections.close_all()
            time.sleep(0.5)  # what was committed before may still be sent
            tell_the_log(venue, "down")
            time.sleep(3.0)
            tell_the_log(venue, "up")
            assert disk.met > 0
            disk.suffer(WELL)
            database.server.wait_until_ready()  # it has recovered by itself
            wait_for(lambda: is_leading(rows, epoch), "it trades again", seconds=60)  # noqa: B023
        assert fleet.poll() is None
        still_the_market(venue, rows)
        fleet.send_signal(signal.SIGTERM)
        assert fleet.wait(30) == 0

    oracle = venue.ask("/simulator/oracle")["oracle"]
    assert_nothing_was_sent_while_it_was_down(oracle, times=2)
    assert_books_and_venue_agree(oracle, rows, environment, side=SIDE)


def test_an_engine_outlasts_a_disk_that_hangs_and_is_slow_and_protects_meanwhile(
    environment, venue: Venue, database: CrashingDatabase, disk: FailingDisk
) -> None:
    rows = workspace(SIDE, "LIVE", key=venue.key(SIDE))
    venue.kill()
    venue.restart("--from", str(SHORTLY_BEFORE_AN_ENTRY), "--speed", UNHURRIED)
    engine = start_engine(environment, SIDE)
    with ended_afterwards(engine):
        wait_for(lambda: bool(rows_of(rows, Position)), "it holds a position", seconds=300)
        wait_for(lambda: bool(stops_at(venue)), "its stop rests", seconds=60)
        epoch = engine_row(rows).epoch

        disk.suffer(HANGING_DISK)
        ask_to_close_all(rows)
        wait_for(lambda: disk.met > 0, "a commit waits")
        time.sleep(0.5)  # what was committed before may still be sent
        tell_the_log(venue, "down")
        time.sleep(LONGER_THAN_THE_LEASE)
        told = [one for one in told_by("doctor", environment) if one["check"] == "commits"]
        tell_the_log(venue, "up")
        disk.suffer(SLOW_DISK)
        wait_for(lambda: SLOW in open_holds(rows), "a hold for it stands")
        wait_for(lambda: not rows_of(rows, Position, closed_at=None), "it has sold", seconds=120)
        disk.suffer(WELL)
        wait_for(lambda: open_holds(rows) == {PAUSE}, "what it did itself is lifted")
        led = engine_row(rows)
        assert (led.epoch, led.observed) == (epoch, Engine.Observed.RUNNING)
        assert engine.poll() is None
        venue.ask("/simulator/freeze", {"on": True})  # books are compared while nothing moves
        engine.send_signal(signal.SIGTERM)
        assert engine.wait(30) == 0

    (waiting,) = told
    assert waiting["verdict"] == "fail"
    assert "s for the database's disk; no order leaves before its commit" in waiting["words"]
    oracle = venue.ask("/simulator/oracle")["oracle"]
    assert_nothing_was_sent_while_it_was_down(oracle, times=1)
    assert_books_and_venue_agree(oracle, rows, environment, side=SIDE)
    (alert,) = rows_of(rows, Alert, cause=SLOW)
    assert "s for a commit, accepted is 2 s; entries wait" in alert.words


def ask_to_close_all(rows: EngineRows) -> None:
    """As a person would, without waiting for the disk."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    with tenant_scope(rows.tenant_id):
        operations.close_all(
            engine_id=rows.engine_id,
            actor=None,
            reason="the disk hangs",
            idempotency_key="close",
            now=timezone.now(),
        )
    connections["default"].close()
