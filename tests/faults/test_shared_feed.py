"""Two engines over one feed process: it and the venue are killed, and nothing is missing or doubled."""

import os
import signal
from pathlib import Path

import pytest

from tenants.scoping import tenant_scope
from tests import factories
from tests.factories import EngineRows
from tests.faults.processes import decisions, ended_afterwards, wait_for
from tests.faults.simulated import Venue
from tests.faults.test_wire import open_holds
from tests.forking import Program, answer_of
from trading.ledger.rows import to_ns
from trading.marketdata.store import FOREVER, BarStore, SeriesKey
from trading.models import Decision
from trading.wiring.parity import check_parity

pytestmark = pytest.mark.faults


def start(environment: dict[str, str], *command: str) -> Program:
    return Program("manage.py", *command, environment=environment)


def start_feed(environment: dict[str, str]) -> Program:
    process = start(environment, "run_feed", "--exchange", "simulator")
    socket = Path(environment["NOVA_DATA_DIR"], "run", "feed-simulator.lock")

    def serves() -> bool:
        return socket.exists() and socket.read_text() == str(process.pid)

    wait_for(serves, "the feed serves")
    return process


def go_on(rows: tuple[EngineRows, ...], what: str) -> None:
    """Every engine decides on new bars, and nothing holds its entries."""
    seen = [decisions(one) for one in rows]
    for one, before in zip(rows, seen, strict=True):
        wait_for(lambda: decisions(one) > before + 2, what)  # noqa: B023
        wait_for(lambda: open_holds(one) == set(), what)  # noqa: B023


def is_recorded(rows: tuple[EngineRows, ...], folder: Path) -> bool:
    """Whether every bar that was decided on is stored by now."""
    stored = BarStore(folder).tail(
        SeriesKey("simulator", "BTC/USD", 60), before_ns=FOREVER, count=1
    )
    newest = []
    for one in rows:
        with tenant_scope(one.tenant_id):
            newest.append(Decision.objects.latest("bar_opened_at").bar_opened_at)
    return int(stored["open_ns"][-1]) >= max(to_ns(at) for at in newest)


def test_two_engines_outlive_their_feed_and_their_venue(
    environment: dict[str, str], venue: Venue, settings
) -> None:
    instrument = factories.make_instrument("simulator", "BTC/USD")
    rows = tuple(
        factories.make_engine(slug, instrument, venue="simulator") for slug in ("acme", "beta")
    )
    feed = start_feed(environment)
    engines = [
        start(environment, "run_engine", "--tenant", one.slug, "--exchange", "simulator")
        for one in rows
    ]
    try:
        for one in rows:
            wait_for(lambda: decisions(one) > 500, "they have warmed up", seconds=180)  # noqa: B023
        go_on(rows, "they decide")
        streams = [e for e in venue.ask("/simulator/oracle")["oracle"] if e["kind"] == "stream"]
        assert len(streams) == 1 + len(rows), (
            "one for all bars, and each engine's own for its books"
        )
        second = answer_of(
            "manage.py", "run_feed", "--exchange", "simulator", environment=environment
        )
        assert second.returncode == 1
        assert f"process {feed.pid} serves simulator at" in second.stderr

        os.kill(feed.pid, signal.SIGKILL)
        feed.wait()
        for one in rows:
            wait_for(lambda: open_holds(one) == {"candles"}, "a dead feed is a hold")  # noqa: B023
        feed = start_feed(environment)
        go_on(rows, "they go on after its return")

        venue.kill()
        for one in rows:
            wait_for(lambda: "candles" in open_holds(one), "a dead venue, too")  # noqa: B023
        venue.restart()
        go_on(rows, "they go on after the venue's return")
        status = answer_of(
            "manage.py", "run_feed", "--exchange", "simulator", "--status", environment=environment
        )
        assert status.stdout.startswith("simulator: connected; 3 listeners, 3 subscriptions")

        for engine in engines:
            engine.send_signal(signal.SIGTERM)
            assert engine.wait(timeout=30) == 0
        wait_for(
            lambda: is_recorded(rows, settings.RECORDED_DIR), "what they were told is recorded"
        )
        feed.send_signal(signal.SIGTERM)
        assert feed.wait(timeout=30) == 0
    finally:
        with ended_afterwards(feed, *engines):
            pass

    for one in rows:
        parity = check_parity(tenant_id=str(one.tenant_id), engine_id=str(one.engine_id))
        assert parity.is_equal, parity.differences
        assert parity.decisions > 700
    gone = answer_of(
        "manage.py", "run_feed", "--exchange", "simulator", "--status", environment=environment
    )
    assert (gone.returncode, gone.stderr) == (3, "no shared feed of simulator runs here\n")
