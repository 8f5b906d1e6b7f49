"""`manage.py run_simulator` begins where the last run ended: its clock, its memory, its refusals."""

import time
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from trading.exchanges.simulator.accounts import STOP
from trading.exchanges.simulator.journal import CannotRemember
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.synthetic import START_NS
from trading.management.commands.run_simulator import (
    now_ns,
    open_journal,
    open_simulator,
    remembered,
)
from trading.management.simulated_markets import Markets
from trading.wiring.simulator_state import read_state

NS = 1_000_000_000
OPTIONS = {"pairs": ["BTC/USD"], "bars": None, "trades": None, "books": None, "start": None,
           "forget": False, "memory": True}  # fmt: skip
FAR = Decimal("100.0")  # no market falls so low while this test runs


@pytest.fixture(autouse=True)
def _place(tmp_path, settings) -> None:
    settings.DATA_DIR = tmp_path


def run(*, speed: float = 60.0, sells: bool = False, **given: Any) -> Simulator:
    """One run without sockets that ends at once; ``sells`` leaves a stop behind."""
    options = {**OPTIONS, **given}
    markets = Markets.chosen(options)
    with open_journal(markets) if options["memory"] else nullcontext() as journal:
        simulator, state = open_simulator(journal, markets, speed=speed, options=options)
        if sells:
            account = simulator.exchange.accounts[state["key"]]
            wish = Wish("BTC/USD", "sell", STOP, Decimal("0.5"), FAR, client_id="stop")
            simulator.exchange.place(account, wish)
            simulator.exchange.settle()
    return simulator


def stops(simulator: Simulator) -> list[str]:
    account = simulator.exchange.accounts[read_state()["key"]]
    assert account.balances == {"USD": Decimal(100_000), "BTC": Decimal(1)}
    return [order.client_id for order in account.orders.values() if order.is_open]


def test_orders_outlive_runs_until_they_are_forgotten() -> None:
    assert stops(run(sells=True)) == ["stop"]
    assert stops(run()) == ["stop"]
    assert stops(run(speed=1.0)) == ["stop"]
    assert stops(run(memory=False)) == []
    assert stops(run()) == ["stop"]
    assert stops(run(forget=True)) == []
    assert stops(run()) == []


def test_time_goes_on_where_the_last_run_would_be_and_never_back() -> None:
    first = run(sells=True).clock.now_ns()
    again = run().clock.now_ns()
    slower = run(speed=1.0).clock.now_ns()
    faster = run(speed=600.0).clock.now_ns()
    later = run(start=faster // NS + 7 * 86_400).clock.now_ns()

    assert START_NS <= first <= again <= slower <= faster < later - 6 * 86_400 * NS
    assert faster < time.time_ns() - 86_400 * NS  # the invented past, whatever the pace


def test_time_before_what_orders_have_seen_is_refused() -> None:
    run(sells=True)
    state = read_state()

    with pytest.raises(
        CannotRemember, match=r"--from 1: its orders have seen \d+; --forget begins"
    ):
        run(start=1)

    assert read_state() == state
    assert stops(run()) == ["stop"]
    assert run(start=1, forget=True).clock.now_ns() < 3600 * NS


def test_a_clock_that_was_lost_goes_on_from_what_the_memory_has_seen(tmp_path) -> None:
    stood = run(sells=True).clock.now_ns()
    (tmp_path / "run" / "simulator.json").unlink()

    assert now_ns(remembered(speed=1.0, start_s=None, stood_ns=stood)) >= stood


def test_a_memory_of_another_market_ends_the_command_with_a_sentence() -> None:
    run(pairs=["BTC/USD", "ETH/USD"], sells=True)

    with pytest.raises(CommandError, match="knows ETH/USD, which --pairs does not list") as caught:
        call_command("run_simulator", "--pairs", "BTC/USD", "--speed", "60")

    assert caught.value.returncode == 4


def test_bars_that_are_not_stored_are_named_whatever_memory_is_kept() -> None:
    run(sells=True)

    with pytest.raises(
        CommandError, match=r"^--bars: BTC/USD 1m of nowhere: no bars are"
    ) as caught:
        call_command("run_simulator", "--pairs", "BTC/USD", "--bars", "nowhere")

    assert caught.value.returncode == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pairs": ["BTC/USD", "ETH/USD"]}, "a file holds one pair alone; --pairs names 2"),
        ({"bars": "kraken"}, "a file holds one pair alone; --bars is given, too"),
        ({}, "No such file"),
    ],
)
def test_a_recording_that_cannot_be_played_is_refused(given: Any, words: str, tmp_path) -> None:
    with pytest.raises(CommandError, match=words) as error:
        run(trades=tmp_path / "none.csv", **given)

    assert error.value.returncode == 4


def test_time_begins_with_the_recording_and_its_memory_is_its_own(tmp_path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(
        "ts,id,price,amount\n1700179206662,1,36160.9,0.1\n1700179213246,2,36153.2,0.2\n"
    )

    simulator = run(trades=path, sells=True)

    began = simulator.clock.now_ns()
    assert 0 <= began - 1_700_179_206 * NS < 3600 * NS
    last = simulator.exchange.markets["BTC/USD"].last_price()
    assert last in (Decimal("36160.9"), Decimal("36153.2"))
    assert stops(run(trades=path)) == ["stop"]
    with pytest.raises(CannotRemember, match=r"its orders met the trades of trades\.csv"):
        run()
