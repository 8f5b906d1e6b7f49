"""PostgreSQL crashes under a fleet with real orders, again and again; the venue's log is the judge."""

import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.factories import EngineRows
from tests.faults.crashing import CrashingDatabase, database_of_its_own
from tests.faults.processes import decisions, ended_afterwards, engine_row, wait_for
from tests.faults.simulated import Venue
from tests.faults.test_wire import (
    FILL_NAMES,
    SHORTLY_BEFORE_AN_ENTRY,
    UNHURRIED,
    rows_of,
    told_by,
    workspace,
)
from tests.forking import Program
from trading.fleet import MOST_CRASHES
from trading.models import Engine, Fill, OrderIntent, Position

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
            venue.ask("/simulator/note", {"words": "down"})
            time.sleep(0.2 + 0.6 * (number % 3))
            venue.ask("/simulator/note", {"words": "up"})
            database.start()
            wait_for(lambda: is_leading(rows, epoch), "it trades again", seconds=60)  # noqa: B023
        assert fleet.poll() is None
        venue.ask("/simulator/freeze", {"on": True})  # books are compared while nothing moves
        time.sleep(2.0)
        fleet.send_signal(signal.SIGTERM)
        assert fleet.wait(30) == 0

    oracle = venue.ask("/simulator/oracle")["oracle"]
    assert_nothing_was_sent_while_it_was_down(oracle)
    sent = [event["client_id"] for event in oracle if event["kind"] == "order"]
    intents = {str(one.client_order_id): one for one in rows_of(rows, OrderIntent)}
    assert len(sent) == len(set(sent)), "an order was sent twice"
    assert set(sent) <= intents.keys(), "an order whose intent was lost, or never committed"
    name = FILL_NAMES[side]
    theirs = {name(e["trade_id"]): Decimal(e["quantity"]) for e in oracle if e["kind"] == "fill"}
    assert {one.venue_trade_id: one.quantity for one in rows_of(rows, Fill)} == theirs
    assert theirs
    assert [one for one in intents.values() if one.state == "UNKNOWN"] == []
    (proof,) = told_by("prove_ledger", environment)
    assert (proof["differences"], proof["holds"]) == ([], True)
    assert told_by("verify_audit", environment)["whole"]


def assert_nothing_was_sent_while_it_was_down(oracle: list[dict[str, str]]) -> None:
    is_down, meanwhile = False, []
    for event in oracle:
        if event["kind"] == "note":
            is_down = event["words"] == "down"
        elif is_down and event["kind"] == "order":
            meanwhile.append(event)
    assert sum(event["kind"] == "note" for event in oracle) == 2 * CRASHES
    assert meanwhile == []
