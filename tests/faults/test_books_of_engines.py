"""Engines as processes beside the order books of their markets: decided with, and lived without."""

import os
import signal
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories import EngineRows
from tests.faults.processes import decisions, ended_afterwards, wait_for
from tests.faults.simulated import Venue
from tests.faults.test_replay import replay
from tests.faults.test_wire import (
    SHORTLY_BEFORE_AN_ENTRY,
    UNHURRIED,
    open_holds,
    rows_of,
    start_engine,
    workspace,
)
from trading.core import explain
from trading.core.codes import Abstain, Purpose
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.models import Decision, OrderIntent, Position
from trading.wiring.parity import check_parity

pytestmark = pytest.mark.faults
ORDER_FLOW = STRATEGY_NAMES.index("order_flow")
DEATHS = {
    "simulator": {"kind": "bad_checksum", "where": "book", "times": 1_000_000},
    "simulator_coinbase": {"kind": "drop", "where": "l2_data", "times": 1_000_000},
}
WIRES = pytest.mark.parametrize("wire", DEATHS)


def read(rows: EngineRows) -> list[tuple[int, Any]]:
    """(number, record) of every stored decision, oldest first."""
    stored = sorted(rows_of(rows, Decision), key=lambda one: one.id)
    return [(one.id, decision_in(bytes(one.record))) for one in stored]


@cache
def decision_in(record: bytes) -> Any:
    """Read once each, though looked at again and again."""
    return explain.read(record).decision


def with_books(rows: EngineRows) -> list[int]:
    return [number for number, record in read(rows) if record["book"]["time_ns"]]


def blind_since_it_saw(rows: EngineRows) -> int:
    """Decisions without a book after the first with one: those on their way when it went still had theirs."""
    told = [record["book"]["time_ns"] for _, record in read(rows)]
    first = next((at for at, time_ns in enumerate(told) if time_ns), len(told))
    return sum(not time_ns for time_ns in told[first:])


@WIRES
def test_a_paper_engine_decides_with_its_book_and_goes_on_without(
    environment: dict[str, str], venue: Venue, wire: str
) -> None:
    rows = workspace(wire, "PAPER")
    engine = start_engine(environment, wire)
    with ended_afterwards(engine):
        wait_for(lambda: len(with_books(rows)) >= 5, "it decides with books", seconds=90)
        venue.ask("/simulator/fault", DEATHS[wire])
        wait_for(lambda: open_holds(rows) == {"book"}, "no book is a hold", seconds=30)
        wait_for(lambda: blind_since_it_saw(rows) >= 3, "bars are decided on without", seconds=30)
        assert open_holds(rows) == {"book"}
        venue.ask("/simulator/heal", {})
        wait_for(lambda: open_holds(rows) == set(), "a book lifts the hold", seconds=60)
        seeing = len(with_books(rows))
        wait_for(lambda: len(with_books(rows)) >= seeing + 3, "it decides with books again")
        os.kill(engine.pid, signal.SIGTERM)
        engine.wait(timeout=30)

    told = read(rows)
    known = [number for number, record in told if record["book"]["time_ns"]]
    since = next(at for at, (number, _) in enumerate(told) if number == known[0])
    for _, record in told[since:]:
        has_input = record["abstain"][ORDER_FLOW] != Abstain.NO_INPUT
        assert has_input == bool(record["book"]["time_ns"])
    missed = next(number for number, _ in told[since:] if number not in known)
    for number in (known[0], known[-1], missed):
        assert "equal, byte for byte" in replay(str(number))
    parity = check_parity(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    assert parity.is_equal, parity.differences


@WIRES
def test_the_stop_rests_and_an_exit_sells_while_there_is_no_book(
    environment: dict[str, str], venue: Venue, wire: str
) -> None:
    rows = workspace(wire, "LIVE", key=venue.key(wire))
    venue.kill()
    venue.restart("--from", str(SHORTLY_BEFORE_AN_ENTRY), "--speed", UNHURRIED)
    venue.ask("/simulator/freeze", {"on": True})  # the entry waits for the engine
    engine = start_engine(environment, wire)
    with ended_afterwards(engine):
        wait_for(lambda: decisions(rows) >= 500, "it has warmed up")
        venue.ask("/simulator/freeze", {"on": False})
        wait_for(lambda: holds_position(rows), "it holds a position", seconds=150)
        assert with_books(rows)
        venue.ask("/simulator/fault", DEATHS[wire])
        wait_for(lambda: "book" in open_holds(rows), "no book is a hold", seconds=30)
        blind = decisions(rows)
        wait_for(lambda: decisions(rows) >= blind + 5, "bars are decided on without", seconds=30)
        wait_for(lambda: not holds_position(rows) or has_stop(rows), "a stop rests")
        call_command("engine", "close_all", tenant="acme", exchange=wire, wait=30.0)
        wait_for(lambda: not holds_position(rows), "the position is sold", seconds=30)
        assert "book" in open_holds(rows)

    oracle = venue.ask("/simulator/oracle")["oracle"]
    fills = [(one["side"], Decimal(one["quantity"])) for one in oracle if one["kind"] == "fill"]
    bought, sold = (sum(q for side, q in fills if side == one) for one in ("buy", "sell"))
    assert bought == sold > 0


def holds_position(rows: EngineRows) -> bool:
    return bool(rows_of(rows, Position, closed_at=None))


def has_stop(rows: EngineRows) -> bool:
    stops = (Purpose.PROTECT, Purpose.MOVE_STOP)
    return bool(rows_of(rows, OrderIntent, state="WORKING", purpose__in=stops))
