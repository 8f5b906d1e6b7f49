"""PostgreSQL crashes under a fleet with real orders, again and again; the venue's log is the judge."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import EngineRows
from tests.faults.crashing import CrashingDatabase, database_of_its_own
from tests.faults.judged import (
    assert_books_and_venue_agree,
    assert_nothing_was_sent_while_it_was_down,
    still_the_market,
    tell_the_log,
)
from tests.faults.processes import decisions, ended_afterwards, engine_row, wait_for
from tests.faults.simulated import Venue
from tests.faults.test_wire import (
    SHORTLY_BEFORE_AN_ENTRY,
    UNHURRIED,
    rows_of,
    workspace,
)
from tests.forking import Program
from trading.fleet import MOST_CRASHES
from trading.models import Engine, Position

pytestmark = pytest.mark.faults
CRASHES = MOST_CRASHES + 1  # more than an engine may crash of its own


@pytest.fixture
def database(
    fresh_database, environment, venue: Venue, tmp_path: Path
) -> Iterator[CrashingDatabase]:
    with database_of_its_own(fresh_database.name, environment, tmp_path / "own") as made:
        yield made


def is_leading(rows: EngineRows, epoch: int) -> bool:
    engine = engine_row(rows)
    return engine.epoch > epoch and engine.observed == Engine.Observed.RUNNING


def test_a_fleet_outlives_a_database_that_crashes_more_often_than_an_engine_may(
    environment, venue: Venue, database: CrashingDatabase
) -> None:
    side = "simulator"
    rows = workspace(side, "LIVE", key=venue.key(side))
    venue.kill()
    venue.restart("--from", str(SHORTLY_BEFORE_AN_ENTRY), "--speed", UNHURRIED)
    venue.ask("/simulator/freeze", {"on": True})  # the entry waits for the fleet
    fleet = Program("manage.py", "run_fleet", environment=environment)
    with ended_afterwards(fleet):
        wait_for(lambda: decisions(rows) > 500, "it has warmed up", seconds=120)
        venue.ask("/simulator/freeze", {"on": False})
        wait_for(lambda: bool(rows_of(rows, Position)), "it holds a position", seconds=300)
        for number in range(CRASHES):
            epoch = engine_row(rows).epoch
            database.crash()
            time.sleep(0.5)  # what was committed before may still be sent
            tell_the_log(venue, "down")
            time.sleep(0.2 + 0.6 * (number % 3))
            tell_the_log(venue, "up")
            database.start()
            wait_for(lambda: is_leading(rows, epoch), "it trades again", seconds=60)  # noqa: B023
        assert fleet.poll() is None
        still_the_market(venue, rows)
        fleet.send_signal(signal.SIGTERM)
        assert fleet.wait(30) == 0

    oracle = venue.ask("/simulator/oracle")["oracle"]
    assert_nothing_was_sent_while_it_was_down(oracle, times=CRASHES)
    assert_books_and_venue_agree(oracle, rows, environment, side=side)
