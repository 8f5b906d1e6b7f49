"""No network between an engine and its venue, or its database, while the other side goes on."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.factories import EngineRows
from tests.faults.partition import hole_to_port, hole_to_sockets
from tests.faults.processes import decisions, ended_afterwards, engine_row, wait_for
from tests.faults.simulated import Venue
from tests.faults.test_wire import (
    SHORTLY_BEFORE_AN_ENTRY,
    UNHURRIED,
    open_holds,
    rows_of,
    start_engine,
    stops_at,
    workspace,
)
from tests.pages import free_port
from trading.models import OrderIntent, Position

pytestmark = pytest.mark.faults
SPEED = int(UNHURRIED)
TEN_MINUTES = 600 / SPEED  # seconds of ours
STALE_SECONDS = 15.0  # ten of silence, and a look
MOST_CONNECTS = 60  # in ten minutes; Kraken bans near 150


def asked_for(venue: Venue) -> list[dict[str, Any]]:
    """Orders in the venue's own log, oldest first."""
    oracle = venue.ask("/simulator/oracle")["oracle"]
    return [event for event in oracle if event["kind"] == "order"]


def bring_to_a_position(rows: EngineRows, venue: Venue) -> None:
    """Warmed up, in a position whose stop rests, and the venue's time goes on."""
    wait_for(lambda: decisions(rows) > 500, "it has warmed up", seconds=120)
    venue.ask("/simulator/freeze", {"on": False})
    wait_for(lambda: bool(rows_of(rows, Position)), "it holds a position", seconds=300)
    wait_for(lambda: bool(stops_at(venue)), "its stop rests", seconds=20)


def begin(venue: Venue) -> EngineRows:
    """A customer with real orders, before an entry that waits for the engine."""
    rows = workspace("simulator", "LIVE", key=venue.key())
    venue.kill()
    venue.restart("--from", str(SHORTLY_BEFORE_AN_ENTRY), "--speed", UNHURRIED)
    venue.ask("/simulator/freeze", {"on": True})
    return rows


def lead_over(port: int, environment: dict[str, str]) -> None:
    """Engines that start from now on find the venue there."""
    path = Path(environment["NOVA_DATA_DIR"], "run", "simulator.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "port": port}))


def test_ten_minutes_without_the_venue_stop_entries_and_nothing_else(
    environment: dict[str, str], venue: Venue
) -> None:
    rows, port = begin(venue), free_port()
    lead_over(port, environment)
    with hole_to_port(port, venue.port) as hole:
        engine = start_engine(environment, "simulator")
        with ended_afterwards(engine):
            bring_to_a_position(rows, venue)
            stops, before, connects = stops_at(venue), asked_for(venue), hole.connects

            hole.open()
            began = time.monotonic()
            wait_for(lambda: "candles" in open_holds(rows), "it is held", seconds=STALE_SECONDS)
            time.sleep(max(0.0, TEN_MINUTES - (time.monotonic() - began)))
            assert len(asked_for(venue)) == len(before)  # nothing reached the venue
            filled = {e["order_id"] for e in venue.ask("/simulator/oracle")["oracle"]
                      if e["kind"] == "fill"}  # fmt: skip
            assert stops <= stops_at(venue) | filled
            assert hole.connects - connects <= MOST_CONNECTS
            hole.close()

            wait_for(lambda: open_holds(rows) == set(), "it has caught up", seconds=90)
            seen = decisions(rows)
            wait_for(lambda: decisions(rows) > seen + 1, "it decides again", seconds=60)
            wait_for(lambda: is_protected(rows, venue), "what it holds has a stop", seconds=30)
            assert engine.poll() is None
            sent = [one["client_id"] for one in asked_for(venue)]
            assert len(sent) == len(set(sent))


def is_protected(rows: EngineRows, venue: Venue) -> bool:
    held = rows_of(rows, Position, closed_at=None)
    return not held or bool(stops_at(venue))


@contextmanager
def cut_off_database(environment: dict[str, str]) -> Iterator[tuple[Any, dict[str, str]]]:
    """A way to the test's PostgreSQL that can be cut, and an environment that leads over it."""
    postgres = servers.SERVERS.postgres
    assert postgres is not None
    far = Path(postgres.socket_directory)
    with tempfile.TemporaryDirectory() as folder, hole_to_sockets(Path(folder), far) as hole:
        yield hole, {key: value.replace(str(far), folder) for key, value in environment.items()}


def test_a_leader_without_its_database_ends_and_what_it_said_into_the_hole_is_fenced(
    environment: dict[str, str], venue: Venue
) -> None:
    rows = begin(venue)
    with cut_off_database(environment) as (hole, behind):
        first = start_engine(behind, "simulator")
        with ended_afterwards(first):
            bring_to_a_position(rows, venue)
            second = start_engine(environment, "simulator")
            with ended_afterwards(second):
                time.sleep(1.0)
                hole.open()
                wait_for(lambda: engine_row(rows).epoch == 2, "the standby leads", seconds=60)
                seen = decisions(rows)
                wait_for(lambda: decisions(rows) > seen + 5, "it decides", seconds=60)
                assert open_holds(rows) == set()

                assert first.wait(timeout=30) != 0  # it does not wait for what never comes
                sent_by_then = len(asked_for(venue))

                hole.close()

                seen = decisions(rows)
                wait_for(lambda: decisions(rows) > seen + 5, "it goes on", seconds=60)
                assert engine_row(rows).epoch == 2
                venue.ask("/simulator/freeze", {"on": True})
                time.sleep(1.0)

    epochs = {str(one.client_order_id): one.epoch for one in rows_of(rows, OrderIntent)}
    sent = [epochs[one["client_id"]] for one in asked_for(venue)]
    assert sent == sorted(sent)
    assert set(sent[sent_by_then:]) <= {2}
    assert len({one["client_id"] for one in asked_for(venue)}) == len(sent)
