"""What must be put right first, told by the real command before anything is sent: one sentence each."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from novapulse import health
from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.factories import NOW, EngineRows
from tests.faults.processes import (
    ROOT,
    SHORT_LEASE,
    ended_afterwards,
    engine_row,
    wait_for,
)
from tests.forking import NOWHERE, Program
from trading import operations
from trading.chaos.wires import COINBASE, KEY, KRAKEN, Wire
from trading.core import params as core_params
from trading.core.config.profiles import PROFILES
from trading.exchanges.simulator.accounts import RIGHTS, Account
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.synthetic import SyntheticBars
from trading.models import Bot, Engine
from trading.queries.findings import Verdict
from trading.wiring.directory import list_engines
from trading.wiring.doctor import examine
from trading.wiring.starts import note_preparation

pytestmark = pytest.mark.faults
FUNDS = {"USD": Decimal(10_000), "BTC": Decimal(3)}
GRID = Grid(Decimal("0.1"), Decimal("0.0001"), Decimal("0.0001"), Decimal("0.5"))
PRIVATE = {"kraken": "WS_AUTH_URL", "coinbase": "WS_USER_URL"}
SIDES = ("kraken", "coinbase")
BOTH = pytest.mark.parametrize("wire", [KRAKEN, COINBASE], ids=SIDES)


@dataclass
class Place:
    """A customer's account at a venue that stands in for the real one, and the engine's rows."""

    wire: Wire
    environment: dict[str, str]
    simulator: Simulator
    account: Account
    rows: EngineRows

    @property
    def command(self) -> tuple[str, ...]:
        return ("manage.py", "run_engine", "--tenant", self.rows.slug, "--exchange", self.wire.name)

    def start(self, *, errors: Path = NOWHERE) -> Program:
        """`manage.py run_engine` in a process of its own."""
        return Program(*self.command, environment=self.environment, errors=errors)

    def sentence(self) -> str:
        """What the command says as it refuses; the row says the same, and nothing was sent."""
        with pytest.raises(CommandError) as refused:
            call_command("run_engine", tenant=self.rows.slug, exchange=self.wire.name)
        words = str(refused.value)
        assert refused.value.returncode == 4
        return self.refused(words)

    def refused(self, words: str) -> str:
        engine = engine_row(self.rows)
        assert (engine.observed, engine.detail) == (Engine.Observed.FAILED, words)
        assert self.orders() == []
        return words

    def orders(self) -> list[object]:
        return [event for event in self.simulator.exchange.oracle if event["kind"] == "order"]


def open_place(wire: Wire, environment: dict[str, str], *, ahead_seconds: float) -> Place:
    simulator = Simulator(start_ns=time.time_ns() + int(ahead_seconds * 1e9))
    simulator.list_pair("BTC/USD", source=SyntheticBars(1, "BTC/USD"), grid=GRID)
    account = wire.open_account(simulator, FUNDS)
    instrument = factories.make_instrument(wire.name, "BTC/USD")
    rows = factories.make_engine("acme", instrument, venue=wire.name)
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.update(mode="LIVE")
        Bot.objects.update(stage="LIVE")
        tenant_operations.seal_key(
            account_id=rows.account_id, key=KEY, secret=wire.secret, actor=None, now=NOW
        )
    return Place(wire, environment, simulator, account, rows)


@pytest.fixture
def open_at(
    environment: dict[str, str], tmp_path: Path, settings: Any
) -> Iterator[Callable[..., Place]]:
    """Open the venue on a thread of its own, under the real one's name."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    opened: list[Simulator] = []

    def make(wire: Wire, *, ahead_seconds: float = 0.0) -> Place:
        place = open_place(wire, environment, ahead_seconds=ahead_seconds)
        asyncio.run_coroutine_threadsafe(place.simulator.start(), loop).result(10)
        opened.append(place.simulator)
        http = place.simulator.address
        socket = http.replace("http", "ws", 1)
        urls = {
            "kraken": (http, f"{socket}/v2", f"{socket}/v2/auth"),
            "coinbase": (f"{http}/api/v3/brokerage", f"{socket}/coinbase/ws",
                         f"{socket}/coinbase/ws/user"),
        }  # fmt: skip
        settings.ALLOW_LIVE, settings.DATA_DIR = True, tmp_path / "data"
        settings.RECORDED_DIR = tmp_path / "data" / "bars-recorded"
        settings.KRAKEN_URLS, settings.COINBASE_URLS = urls["kraken"], urls["coinbase"]
        environment.update(SHORT_LEASE, NOVA_ALLOW_LIVE="yes", NOVA_DATA_DIR=str(settings.DATA_DIR))
        for name, told in urls.items():
            for url, address in zip(("REST_URL", "WS_URL", PRIVATE[name]), told, strict=True):
                environment[f"NOVA_{name.upper()}_{url}"] = address
        return place

    yield make
    for simulator in opened:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (KRAKEN, "Kraken does not accept the key: EAPI:Invalid key"),
        (COINBASE, "Coinbase does not accept the key: "),
    ],
    ids=SIDES,
)
def test_a_wrong_key_is_one_sentence(open_at, wire: Wire, words: str) -> None:
    place = open_at(wire)
    place.account.key = "another"
    place.simulator.coinbase.rest.keys.clear()

    assert words in place.sentence()


@pytest.mark.parametrize(
    ("wire", "rights", "words"),
    [
        (KRAKEN, [right for right in RIGHTS if right != "modify-trades"],
         "the key lacks modify-trades; grant it at Kraken"),
        (KRAKEN, [*RIGHTS, "withdraw-funds"],
         "the key may withdraw-funds; make one at Kraken that cannot"),
        (COINBASE, ["view"], "the key may not trade; grant it at Coinbase"),
        (COINBASE, ["view", "trade", "transfer"],
         "the key may transfer money away; make one at Coinbase that cannot"),
    ],
)  # fmt: skip
def test_a_right_too_few_or_too_many_is_one_sentence(
    open_at, wire: Wire, rights: list[str], words: str
) -> None:
    place = open_at(wire)
    place.account.rights = tuple(rights)

    assert place.sentence() == words


@BOTH
def test_a_pair_the_venue_does_not_list_is_one_sentence(open_at, wire: Wire) -> None:
    place = open_at(wire)
    del place.simulator.exchange.markets["BTC/USD"]
    grid, bars = GRID, SyntheticBars(1, "ETH/USD")
    place.simulator.list_pair("BTC/EUR", source=bars, grid=grid)

    name = wire.name.capitalize()
    assert place.sentence() == f"{name} does not list BTC/USD; it lists BTC/EUR"


@BOTH
def test_the_process_ends_with_the_sentence_alone_and_its_own_code(open_at, wire: Wire) -> None:
    place = open_at(wire)
    place.simulator.exchange.markets.clear()

    done = subprocess.run(
        [sys.executable, *place.command], cwd=ROOT, env=place.environment, capture_output=True,
        text=True, check=False, timeout=90,
    )  # fmt: skip

    assert done.returncode == 4
    assert done.stderr == f"CommandError: {wire.name.capitalize()} does not list BTC/USD\n"
    place.refused(f"{wire.name.capitalize()} does not list BTC/USD")


@BOTH
def test_a_pair_that_does_not_trade_now_is_one_sentence(open_at, wire: Wire) -> None:
    place = open_at(wire)
    place.simulator.exchange.mode = "cancel_only"

    words = f"BTC/USD is 'cancel_only' at {wire.name.capitalize()} now; accepted is 'online'"
    assert words in place.sentence()


@BOTH
def test_a_capital_below_the_least_order_is_one_sentence_and_says_by_how_much(
    open_at, wire: Wire
) -> None:
    place = open_at(wire)
    place.simulator.exchange.markets["BTC/USD"].grid = Grid(
        GRID.tick_size, GRID.lot_size, GRID.min_quantity, Decimal(5000)
    )

    told = place.sentence()

    assert told == (
        "BTC/USD: bot 'Bot' can buy for 1000.00 USD at most, by sizing.max_position "
        f"of a capital of 10000.00; {wire.name.capitalize()} takes no order below 5000.00 USD, "
        "4000.00 more; accepted is a capital of at least 50000.00 USD, or a larger "
        "sizing.max_position"
    )


@BOTH
@pytest.mark.parametrize(("ahead", "words"), [(30.0, "behind"), (-30.0, "ahead of")])
def test_a_wrong_clock_is_one_sentence(open_at, wire: Wire, ahead: float, words: str) -> None:
    place = open_at(wire, ahead_seconds=ahead)

    told = place.sentence()

    assert "this machine's clock is " in told
    assert f" s {words} the venue's; at most 2 s are accepted; set the clock" in told


@BOTH
def test_commits_that_may_not_outlive_the_machine_are_one_sentence(
    open_at, wire: Wire, settings: Any
) -> None:
    """Tests' own server waits for no disk; in production none with real orders may."""
    place = open_at(wire)
    settings.PRODUCTION = True

    told = place.sentence()

    assert told == (
        "PostgreSQL has fsync, full_page_writes, synchronous_commit off; accepted is on: "
        "a commit that is acted on must outlive a crash of the machine"
    )
    (finding,) = [one for one in examine() if one.check == "commits"]
    assert (finding.verdict, finding.words) == (Verdict.WARN, told)


@BOTH
def test_a_second_engine_says_that_another_leads_and_sends_nothing(
    open_at, wire: Wire, tmp_path: Path
) -> None:
    place = open_at(wire)
    first = place.start()
    with ended_afterwards(first):
        wait_for(lambda: engine_row(place.rows).epoch == 1, "the first one leads", seconds=90)
        log = tmp_path / "second.log"
        log.touch()
        second = place.start(errors=log)
        with ended_afterwards(second):
            wait_for(lambda: "takes over when" in log.read_text(), "the second one says so")

            (told,) = [line for line in log.read_text().splitlines() if "standing_by" in line]
            assert "engine runs on" in told
            assert "sends nothing and takes over when that one ends" in told
            second.send_signal(signal.SIGTERM)
            assert second.wait(30) == 0
        assert engine_row(place.rows).epoch == 1
        assert engine_row(place.rows).observed == Engine.Observed.RUNNING


@pytest.mark.parametrize("venue", ["replay", "synthetic"])
def test_bars_that_are_replayed_are_held_against_the_capital_too(street, venue: str) -> None:
    rows = street(50)
    params = core_params.to_mapping(PROFILES["active"])
    params["sizing"]["max_position"] = 0.01
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.update(venue=venue)
        bot = Bot.objects.get()
        operations.revise_bot(bot=bot, timeframe_seconds=60, params=params, actor=None, now=NOW)
        rows.instrument.min_quantity = Decimal(10)
        rows.instrument.save()

    words = r"bot 'Bot' can buy for 100.00 USD at most, by sizing.max_position .* \(10 of it\)"
    with pytest.raises(CommandError, match=words):
        call_command("run_engine", tenant="acme", exchange=venue)


def test_status_and_doctor_say_why_it_does_not_run(street) -> None:
    rows = street(50)
    words = "Kraken does not list DOGE/USD"
    with tenant_scope(rows.tenant_id):
        operations.note_refusal(engine_id=str(rows.engine_id), words=words, silent_since=NOW)

    status = StringIO()
    call_command("engine", "status", tenant="acme", exchange="replay", stdout=status)
    (told,) = [one.told for one in examine() if one.check == "engine"]

    assert f"observed: FAILED\ndetail: {words}" in status.getvalue()
    assert told == f"acme: Paper failed: {words}"


def test_a_refusal_never_overwrites_what_a_leader_says(street) -> None:
    rows = street(50)
    with tenant_scope(rows.tenant_id):
        Engine.objects.update(observed=Engine.Observed.RUNNING, heartbeat_at=NOW)

        noted = operations.note_refusal(
            engine_id=str(rows.engine_id), words="wrong", silent_since=NOW
        )

        assert not noted
        assert Engine.objects.get().detail == ""


def test_what_an_engine_waits_for_is_told_until_somebody_leads_it(street) -> None:
    rows, words = street(50), "Getting ready."
    (listed,) = list_engines()

    note_preparation(listed, words)
    status = StringIO()
    call_command("engine", "status", tenant="acme", exchange="replay", stdout=status)
    getting_ready = health.engines_get_ready()
    with tenant_scope(rows.tenant_id):
        Engine.objects.update(
            observed=Engine.Observed.RUNNING, detail="", heartbeat_at=timezone.now()
        )
    note_preparation(listed, words)

    assert f"observed: STARTING\ndetail: {words}" in status.getvalue()
    assert getting_ready
    assert not health.engines_get_ready()
    with tenant_scope(rows.tenant_id):
        assert Engine.objects.get().detail == ""
