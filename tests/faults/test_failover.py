"""The primary dies and a standby that lags is promoted: commits are lost which real orders followed."""

import os
import signal
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faults.crashing import database_of_its_own, hosts
from tests.faults.processes import decisions, ended_afterwards, engine_row, wait_for
from tests.faults.simulated import Venue
from tests.faults.standby import standby_of
from tests.faults.test_wire import (
    FILL_NAMES,
    SHORTLY_BEFORE_AN_ENTRY,
    UNHURRIED,
    open_holds,
    rows_of,
    start_engine,
    stops_at,
    told_by,
    workspace,
)
from trading.engine.guards import PAUSE
from trading.engine.lost import LOST_COMMITS
from trading.ledger.lease import EPOCHS_OF_A_TIMELINE
from trading.models import Alert, Fill, OrderIntent, Position

pytestmark = pytest.mark.faults


def test_what_a_lagging_standby_never_saw_is_learned_from_the_venue(
    fresh_database, environment, venue: Venue, tmp_path: Path
) -> None:
    side = "simulator"
    rows = workspace(side, "LIVE", key=venue.key(side))
    venue.kill()
    venue.restart("--from", str(SHORTLY_BEFORE_AN_ENTRY), "--speed", UNHURRIED)
    with (
        database_of_its_own(fresh_database.name, environment, tmp_path / "own") as primary,
        standby_of(primary, tmp_path / "standby") as standby,
    ):
        first = start_engine(environment, side)
        with ended_afterwards(first):
            wait_for(lambda: decisions(rows) > 500, "it has warmed up", seconds=200)
            standby.cut_off()
            wait_for(lambda: bool(rows_of(rows, Position)), "it holds a position", seconds=300)
            wait_for(lambda: bool(stops_at(venue)), "its stop rests", seconds=60)
            primary.crash()
            os.kill(first.pid, signal.SIGKILL)
        before = [e for e in venue.ask("/simulator/oracle")["oracle"] if e["kind"] == "order"]
        standby.promote()
        with hosts(standby.host):
            assert (rows_of(rows, OrderIntent), rows_of(rows, Fill)) == ([], [])
            second = start_engine(standby.environment(), side)
            with ended_afterwards(second):
                wait_for(lambda: PAUSE in open_holds(rows), "it has learned", seconds=200)
                wait_for(
                    lambda: bool(rows_of(rows, Position)) and not stops_at(venue)
                    and not rows_of(rows, Position, closed_at=None),
                    "what was bought without a plan is sold", seconds=60,
                )  # fmt: skip
                venue.ask("/simulator/freeze", {"on": True})
                time.sleep(2.0)
                second.send_signal(signal.SIGTERM)
                assert second.wait(60) == 0
            assert_whole(rows, venue.ask("/simulator/oracle")["oracle"], before)
            (proof,) = told_by("prove_ledger", standby.environment())
            assert (proof["differences"], proof["holds"]) == ([], True)


def assert_whole(rows, oracle, before) -> None:
    assert engine_row(rows).epoch == EPOCHS_OF_A_TIMELINE + 1
    assert open_holds(rows) == {PAUSE}
    (alert,) = rows_of(rows, Alert, cause=LOST_COMMITS)
    assert "another timeline" in alert.words
    sent = [event for event in oracle if event["kind"] == "order"]
    names = [event["client_id"] for event in sent]
    assert len(names) == len(set(names)), "an order was sent twice"
    assert {event["side"] for event in sent[len(before) :]} == {"sell"}
    intents = rows_of(rows, OrderIntent)
    assert set(names) <= {str(one.client_order_id) for one in intents}
    assert [one for one in intents if one.state in ("PLANNED", "UNKNOWN", "WORKING")] == []
    name = FILL_NAMES["simulator"]
    theirs = {name(e["trade_id"]): (e["side"].upper(), Decimal(e["quantity"]))
              for e in oracle if e["kind"] == "fill"}  # fmt: skip
    ours = {one.venue_trade_id: (one.side, one.quantity) for one in rows_of(rows, Fill)}
    assert ours == theirs
    assert sum(q if side == "BUY" else -q for side, q in ours.values()) == 0
