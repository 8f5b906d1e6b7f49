"""Engine and venue as processes of their own, over either wire: killed, taken over, and compared."""

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.factories import NOW, EngineRows
from tests.faults.processes import (
    decisions,
    ended_afterwards,
    engine_row,
    wait_for,
)
from tests.faults.simulated import Venue
from tests.forking import Program, answer_of
from trading.exchanges.simulator.coinbase_tickets import entry_id
from trading.exchanges.synthetic import START_NS
from trading.models import Bot, Engine, Fill, Hold, OrderIntent, Position
from trading.wiring.parity import check_parity

pytestmark = pytest.mark.faults
BOTH_SIDES = pytest.mark.parametrize("side", ["simulator", "simulator_coinbase"])
STOPS = ("stop-loss", "stop-limit")
UNHURRIED = "30"  # of an entry: at a quicker pace a busy machine is told bars when they are late
SHORTLY_BEFORE_AN_ENTRY = START_NS // 1_000_000_000 + 47 * 60  # in the 53rd minute
FILL_NAMES: Mapping[str, Callable[[str], str]] = {
    "simulator": str,
    "simulator_coinbase": entry_id,
}  # as customers are told them


def workspace(side: str, mode: str, *, key: dict[str, str] | None = None) -> EngineRows:
    """A customer of the simulator; with small risk and many trades."""
    instrument = factories.make_instrument(side, "BTC/USD")
    instrument.lot_size = Decimal("1e-8")  # the simulator's own
    instrument.save()
    rows = factories.make_engine("acme", instrument, venue=side)
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.filter(id=rows.account_id).update(mode=mode)
        Bot.objects.filter(account_id=rows.account_id).update(stage=mode)
        if key is not None:
            tenant_operations.seal_key(account_id=rows.account_id, actor=None, now=NOW, **key)
    return rows


def start_engine(environment: dict[str, str], side: str) -> Program:
    command = ("manage.py", "run_engine", "--tenant", "acme")
    return Program(*command, "--exchange", side, environment=environment)


def rows_of(rows: EngineRows, model: Any, **chosen: Any) -> list[Any]:
    with tenant_scope(rows.tenant_id):
        return list(model.objects.filter(**chosen))


def open_holds(rows: EngineRows) -> set[str]:
    return {hold.cause for hold in rows_of(rows, Hold, cleared_at=None)}


@BOTH_SIDES
def test_real_orders_outlive_the_engine_that_sent_them(environment, venue: Venue, side) -> None:
    """kill -9 again and again while it trades; the venue's own log is the judge."""
    rows = workspace(side, "LIVE", key=venue.key(side))
    venue.kill()
    venue.restart("--from", str(SHORTLY_BEFORE_AN_ENTRY), "--speed", UNHURRIED)
    venue.ask("/simulator/freeze", {"on": True})  # the entry waits for the engine
    kills = 0
    engine = start_engine(environment, side)
    try:
        wait_for(lambda: decisions(rows) > 500, "it has warmed up", seconds=120)
        venue.ask("/simulator/freeze", {"on": False})
        wait_for(lambda: bool(rows_of(rows, Position)), "it holds a position", seconds=300)
        wait_for(lambda: bool(stops_at(venue)), "its stop rests", seconds=20)
        kill_the_venue(rows, venue)
        for _ in range(3):
            os.kill(engine.pid, signal.SIGKILL)
            engine.wait()
            kills += 1
            engine = start_engine(environment, side)
            wait_for(lambda: engine_row(rows).epoch == kills + 1, "the next one leads", seconds=30)  # noqa: B023
            time.sleep(1.0 + 0.3 * kills)
        venue.ask("/simulator/freeze", {"on": True})  # books are compared while nothing moves
        time.sleep(2.0)
    finally:
        with ended_afterwards(engine):
            pass

    oracle = venue.ask("/simulator/oracle")["oracle"]
    sent = [event["client_id"] for event in oracle if event["kind"] == "order"]
    intents = {str(one.client_order_id): one for one in rows_of(rows, OrderIntent)}
    assert kills == 3
    assert len(sent) == len(set(sent)), "an order was sent twice"
    assert set(sent) <= intents.keys(), "an order without a committed intent"
    name = FILL_NAMES[side]
    theirs = {name(e["trade_id"]): (e["side"].upper(), Decimal(e["quantity"]), Decimal(e["price"]),
                              Decimal(e["fee"])) for e in oracle if e["kind"] == "fill"}  # fmt: skip
    ours = {
        fill.venue_trade_id: (fill.side, fill.quantity, fill.price, fill.fee)
        for fill in rows_of(rows, Fill)
    }
    assert ours == theirs
    held = sum(q if side == "BUY" else -q for side, q, _, _ in ours.values())
    (position,) = rows_of(rows, Position, closed_at=None) or [None]
    assert (position.quantity if position else Decimal(0)) == held
    assert [i for i in intents.values() if i.state == "UNKNOWN"] == []
    (proof,) = told_by("prove_ledger", environment)
    assert (proof["differences"], proof["fills"]) == ([], len(theirs))
    assert (proof["holds"], proof["since"] is not None) == (True, True)  # its own books were read
    assert told_by("verify_audit", environment)["whole"]


def stops_at(venue: Venue) -> set[str]:
    """Stops that rest there, as its own log says."""
    ended, stops = set(), {}
    for event in venue.ask("/simulator/oracle")["oracle"]:
        if event["kind"] == "order" and event["type"] in STOPS:
            stops[event["order_id"]] = Decimal(event["quantity"])
        elif event["kind"] == "fill" and event["order_id"] in stops:
            stops[event["order_id"]] -= Decimal(event["quantity"])
        elif event["kind"] == "end":
            ended.add(event["order_id"])
    return {order_id for order_id, left in stops.items() if left > 0} - ended


def kill_the_venue(rows: EngineRows, venue: Venue) -> None:
    """kill -9 while a stop rests, and another process: it knows everything, and the engine goes on."""
    before, stops = venue.ask("/simulator/oracle")["oracle"], stops_at(venue)
    venue.kill()
    venue.restart("--speed", UNHURRIED)
    after = venue.ask("/simulator/oracle")["oracle"]

    traffic = ("request", "stream", "unauthorized", "too_many")
    told = [event for event in before if event["kind"] not in traffic]
    assert after[: len(told)] == told
    ended = {event["order_id"] for event in after if event["kind"] in ("end", "fill")}
    assert stops <= stops_at(venue) | ended
    seen = decisions(rows)
    wait_for(lambda: decisions(rows) > seen + 1, "it decides at the venue's return", seconds=60)
    wait_for(lambda: open_holds(rows) == set(), "no hold remains", seconds=60)


def told_by(command: str, environment: dict[str, str]) -> Any:
    """What an operator's command answers."""
    return json.loads(answer_of("manage.py", command, "--json", environment=environment).stdout)


@BOTH_SIDES
def test_a_paper_engine_survives_its_venue_and_itself(environment, venue: Venue, side) -> None:
    rows = workspace(side, "PAPER")
    engine = start_engine(environment, side)
    try:
        wait_for(lambda: decisions(rows) > 500, "it has warmed up")
        seen = decisions(rows)
        wait_for(lambda: decisions(rows) > seen + 2, "it decides on new bars")
        assert open_holds(rows) == set()

        venue.kill()
        wait_for(lambda: open_holds(rows) == {"candles", "book"}, "silence is a hold", seconds=20)
        found = engine_row(rows)
        assert found.heartbeat_at is not None
        assert found.priced_at is not None
        assert timedelta(0) < found.heartbeat_at - found.priced_at < timedelta(minutes=1)
        venue.restart()
        wait_for(lambda: open_holds(rows) == set(), "its return lifts the hold", seconds=30)

        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
        engine = start_engine(environment, side)
        seen = decisions(rows)
        wait_for(lambda: decisions(rows) > seen + 3, "the next one goes on", seconds=40)
    finally:
        with ended_afterwards(engine):
            pass

    with tenant_scope(rows.tenant_id):
        assert Engine.objects.get().epoch == 2
    parity = check_parity(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    assert parity.is_equal, parity.differences
    assert parity.decisions > 700  # warm-up, silence, death and all


def test_a_missing_simulator_or_a_real_live_account_is_one_sentence(environment) -> None:
    rows = workspace("simulator", "LIVE")
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.update(venue="kraken")

    done = answer_of(
        "manage.py", "run_engine", "--tenant", "acme", "--exchange", "kraken",
        environment=environment,
    )  # fmt: skip

    assert done.returncode == 4
    assert "sends real orders to the venue simulator only" in done.stderr
