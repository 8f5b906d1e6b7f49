"""The simulated venue remembers: whatever was done, a new process stands where the old one stood."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from tests.engine.fakes import random_bars
from tests.exchanges.coinbase_customer import Customer
from tests.exchanges.street import FUNDS, GRID, ArrayBars
from trading.exchanges.kraken.sign import signature
from trading.exchanges.simulator import door
from trading.exchanges.simulator.accounts import LIMIT, MARKET, STOP, Account
from trading.exchanges.simulator.coinbase_asked import Asked, HttpRefusal
from trading.exchanges.simulator.coinbase_edits import Edits
from trading.exchanges.simulator.coinbase_jwt import make_key
from trading.exchanges.simulator.images import Change
from trading.exchanges.simulator.journal import CannotRemember, Journal
from trading.exchanges.simulator.keeper import Keeper
from trading.exchanges.simulator.memory import Memory, recall
from trading.exchanges.simulator.past import STEP_NS, live_through
from trading.exchanges.simulator.rules import Rejected, Wish
from trading.exchanges.simulator.server import Simulator

SECOND_NS = 1_000_000_000
BARS = random_bars(3, 500)
BEGAN_NS = int(BARS["open_ns"][0]) + SECOND_NS
SYMBOL, MARKET_NAME = "BTC/USD", "the bars of a test"
CUSTOMER, KEY = "customer", make_key()


def new_venue(*, stood_ns: int = BEGAN_NS) -> Simulator:
    """A venue without sockets whose time stands, and that knows nobody."""
    simulator = Simulator(start_ns=stood_ns)
    simulator.clock.jump(stood_ns)
    simulator.list_pair(SYMBOL, source=ArrayBars(BARS), grid=GRID)
    return simulator


def journal_in(
    folder: Path, *, market: str = MARKET_NAME, pairs: tuple[str, ...] = (SYMBOL,)
) -> Journal:
    return Journal(folder, market=market, pairs=pairs)


def everything(simulator: Simulator) -> Change:
    """All that customers could ever ask, and the log."""
    told = Memory(simulator.exchange, simulator.coinbase).news()
    assert told is not None
    return told


class Kept:
    """A venue with a customer of either wire, and its journal."""

    def __init__(self, folder: Path) -> None:
        self.journal = journal_in(folder)
        self.simulator = new_venue()
        self.simulator.add_account(key=CUSTOMER, secret="c2VjcmV0", balances=FUNDS)
        self.simulator.coinbase.add_account(key=KEY.name, secret=KEY.secret, balances=FUNDS)
        self.keep()

    def keep(self) -> None:
        simulator = self.simulator
        Keeper(self.journal, exchange=simulator.exchange, coinbase=simulator.coinbase).begin()

    @property
    def kraken(self) -> Account:
        return self.simulator.exchange.accounts[CUSTOMER]

    def asked(self, **body: Any) -> Asked:
        return Asked(self.simulator.exchange.accounts[KEY.name], {}, {}, body)

    def price(self, steps: int) -> Decimal:
        return self.simulator.exchange.markets[SYMBOL].last_price() + steps * GRID.tick_size

    def act(self, name: str, *values: Any) -> None:
        """As a request does it: refused or done, then written down."""
        self.simulator.exchange.log("request", method=name, key=CUSTOMER)
        try:
            getattr(self, name)(*values)
        except (Rejected, HttpRefusal):
            pass
        finally:
            self.simulator.exchange.settle()

    def place(self, number: int, kind: str, side: str, lots: int, steps: int) -> None:
        price = None if kind == MARKET else self.price(steps)
        wish = Wish(SYMBOL, side, kind, lots * GRID.lot_size, price, client_id=f"mine-{number}")
        self.simulator.exchange.place(self.kraken, wish)

    def amend(self, number: int, lots: int, steps: int) -> None:
        order = self.kraken.find(client_id=f"mine-{number}")
        quantity, price = lots * GRID.lot_size, self.price(steps)
        self.simulator.exchange.amend(self.kraken, order, quantity=quantity, price=price)

    def cancel(self, number: int) -> None:
        order = self.kraken.find(client_id=f"mine-{number}")
        self.simulator.exchange.cancel(self.kraken, order, reason="User requested")

    def move(self, cents: int) -> None:
        self.simulator.exchange.move(self.kraken, "USD", Decimal(cents) / 100)

    def restrict(self, status: str) -> None:
        door.act(self.simulator.exchange, "pair", {"symbol": SYMBOL, "status": status})

    def switch(self, seconds: int) -> None:
        self.simulator.exchange.set_dead_man(self.kraken, seconds)

    def ticket(self, number: int, style: str, side: str, lots: int, steps: int, stop: int) -> None:
        up = "STOP_DIRECTION_STOP_UP" if stop > 0 else "STOP_DIRECTION_STOP_DOWN"
        settings_ = {"base_size": str(lots * GRID.lot_size), "limit_price": str(self.price(steps)),
                     "stop_price": str(self.price(stop)), "stop_direction": up,
                     "stop_trigger_price": str(self.price(stop))}  # fmt: skip
        self.simulator.coinbase.rest.desk.place(
            self.asked(client_order_id=f"theirs-{number}", product_id="BTC-USD", side=side,
                       order_configuration={style: settings_})
        )  # fmt: skip

    def _theirs(self, number: int) -> str:
        tickets = self.simulator.coinbase.rest.desk.tickets.values()
        named = [t for t in tickets if t.order.client_id == f"theirs-{number}"]
        return named[0].order.order_id if named else "none"

    def edit(self, number: int, lots: int, steps: int) -> None:
        size, price = str(lots * GRID.lot_size), str(self.price(steps))
        Edits(self.simulator.coinbase.rest.desk).edit(
            self.asked(order_id=self._theirs(number), size=size, price=price)
        )

    def withdraw(self, number: int) -> None:
        self.simulator.coinbase.rest.desk.cancel(self.asked(order_ids=[self._theirs(number)]))

    def wait(self, seconds: int) -> None:
        clock = self.simulator.clock
        clock.jump(clock.now_ns() + seconds * SECOND_NS)
        self.simulator.exchange.advance()

    def die(self) -> None:
        """kill -9, and a new process that recalls and lives through what was not written down."""
        until_ns = self.simulator.clock.now_ns()
        self.journal.close()
        self.journal = journal_in(self.journal.path.parent)
        changes = self.journal.read()
        self.simulator = new_venue(stood_ns=changes[-1].seen_ns)
        recall(changes, exchange=self.simulator.exchange, coinbase=self.simulator.coinbase)
        if until_ns > changes[-1].seen_ns:
            self.wait((until_ns - changes[-1].seen_ns) // SECOND_NS)
        self.keep()


@contextmanager
def kept() -> Iterator[Kept]:
    with TemporaryDirectory() as folder:
        made = Kept(Path(folder))
        yield made
        made.journal.close()


NUMBERS, LOTS, STEPS = st.integers(0, 6), st.integers(1, 4_000), st.integers(-60, 60)
SIDES = ("buy", "sell")
STYLES = [
    "market_market_ioc",
    "limit_limit_gtc",
    "stop_limit_stop_limit_gtc",
    "trigger_bracket_gtc",
]
ACTS = st.one_of(
    st.tuples(st.just("place"), NUMBERS, st.sampled_from([LIMIT, MARKET, STOP]),
              st.sampled_from(SIDES), LOTS, STEPS),
    st.tuples(st.just("amend"), NUMBERS, LOTS, STEPS),
    st.tuples(st.just("cancel"), NUMBERS),
    st.tuples(st.just("move"), st.integers(-5_000, 5_000)),
    st.tuples(st.just("restrict"), st.sampled_from(["online", "cancel_only", "limit_only"])),
    st.tuples(st.just("switch"), st.integers(0, 90)),
    st.tuples(st.just("ticket"), NUMBERS, st.sampled_from(STYLES),
              st.sampled_from([side.upper() for side in SIDES]), LOTS, STEPS, STEPS),
    st.tuples(st.just("edit"), NUMBERS, LOTS, STEPS),
    st.tuples(st.just("withdraw"), NUMBERS),
    st.tuples(st.just("wait"), st.integers(0, 120)),
)  # fmt: skip


RESTING = [("ticket", 1, "limit_limit_gtc", "BUY", 100, -50, 5),
           ("ticket", 2, "stop_limit_stop_limit_gtc", "SELL", 100, -50, -40),
           ("ticket", 3, "trigger_bracket_gtc", "SELL", 100, 50, -40),
           ("place", 1, STOP, "sell", 100, -40), ("place", 2, LIMIT, "buy", 100, -30)]  # fmt: skip


@settings(max_examples=100, deadline=None)
@example(acts=[*RESTING, ("edit", 1, 120, -45), ("withdraw", 2)], pause=60)
@example(acts=[*RESTING, ("switch", 60), ("wait", 30)], pause=600)
@given(acts=st.lists(st.one_of(ACTS, st.just(("die",))), max_size=40), pause=st.integers(1, 600))
def test_a_venue_that_was_killed_goes_on_as_one_that_was_not(
    acts: list[tuple[Any, ...]], pause: int
) -> None:
    with kept() as house:
        for name, *values in acts:
            house.act(name, *values)
        before, whole = everything(house.simulator), house.simulator

        house.die()
        after = everything(house.simulator)
        for one in (whole, house.simulator):
            one.exchange.settle = lambda: None
            one.clock.jump(one.clock.now_ns() + pause * SECOND_NS)
            one.exchange.advance()

        assert after == before
        assert everything(house.simulator) == everything(whole)


@settings(max_examples=50, deadline=None)
@given(acts=st.lists(ACTS, min_size=3, max_size=20), cut=st.integers(1, 4_000), fill=st.booleans())
def test_what_was_torn_at_the_end_never_happened_and_the_rest_stands(
    acts: list[tuple[Any, ...]], cut: int, fill: bool
) -> None:
    with kept() as house:
        for name, *values in acts:
            house.act(name, *values)
        whole, text = house.journal.read(), house.journal.path.read_bytes()
        first = text.index(b"\n", text.index(b"\n") + 1) + 1  # heading and opening are never torn
        left = text[: max(len(text) - cut, first)]
        zeros = b"\0" * cut if fill else b""  # as some file systems leave it

        house.journal.path.write_bytes(left + zeros)
        told = house.journal.read()

        assert len(told) == left.count(b"\n") - 1
        assert told == whole[: len(told)]


async def ask(simulator: Simulator, method: str, nonce: int) -> dict[str, Any]:
    """One private request at Kraken's side, with this nonce."""
    path, body = f"/0/private/{method}", f"nonce={nonce}".encode()
    headers = {
        "API-Key": CUSTOMER,
        "API-Sign": signature(path, nonce=nonce, body=body, secret="c2VjcmV0"),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(simulator.address + path, content=body, headers=headers)
    told: dict[str, Any] = answer.json()
    return told


async def test_keys_nonces_and_tokens_are_those_of_before(tmp_path) -> None:
    house = Kept(tmp_path)
    await house.simulator.start()
    token = (await ask(house.simulator, "GetWebSocketsToken", 7))["result"]["token"]
    await house.simulator.stop()
    house.die()
    await house.simulator.start()
    try:
        again = await ask(house.simulator, "Balance", 7)
        next_ = await ask(house.simulator, "Balance", 8)
        subscribe = {"method": "subscribe", "params": {"channel": "executions", "token": token}}
        async with connect(f"ws://127.0.0.1:{house.simulator.port}/v2/auth") as socket:
            await socket.send(json.dumps(subscribe))
            frames = [json.loads(await socket.recv()) for _ in range(2)]
        reply = await Customer(house.simulator, KEY.name, KEY.secret).ask("GET", "accounts")
    finally:
        await house.simulator.stop()
        house.journal.close()

    assert again["error"] == ["EAPI:Invalid nonce"]
    assert next_["error"] == []
    assert [frame.get("success") for frame in frames] == [None, True]
    assert reply.status == 200


def refused(journal: Journal) -> str:
    with pytest.raises(CannotRemember) as caught:
        journal.read()
    journal.close()
    return str(caught.value)


def test_a_memory_of_something_else_is_one_sentence(tmp_path) -> None:
    house = Kept(tmp_path)
    file = house.journal.path
    with pytest.raises(CannotRemember, match="another simulator that still runs"):
        journal_in(tmp_path)
    house.journal.close()

    assert "met the bars of a test, not the bars of others; --forget begins anew" in refused(
        journal_in(tmp_path, market="the bars of others")
    )
    assert "knows BTC/USD, which --pairs does not list" in refused(
        journal_in(tmp_path, pairs=("ETH/USD",))
    )
    text = file.read_bytes()
    file.write_bytes(text.replace(b'"format":1', b'"format":7'))
    assert "written in format 7, accepted is 1" in refused(journal_in(tmp_path))
    file.write_bytes(b"?" + text)
    assert "line 1 is no heading" in refused(journal_in(tmp_path))
    file.write_bytes(text + b"?\n" + text.splitlines()[1] + b"\n")
    assert "line 3 cannot be read, though later ones can" in refused(journal_in(tmp_path))
    file.write_bytes(text)
    assert len(journal_in(tmp_path, pairs=("BTC/USD", "ETH/USD")).read()) == 1


def test_an_act_that_could_not_be_written_is_written_with_the_next(tmp_path, monkeypatch) -> None:
    """The disk is full in the middle of a line."""
    house = Kept(tmp_path)

    def full(file: int, text: bytes) -> int:
        if not text.startswith(b"{"):  # the beginning of the line found room
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, text[:20])

    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(CannotRemember, match="No space left on device"):
            house.act("place", 1, LIMIT, "buy", 100, -50)
    house.act("place", 2, LIMIT, "buy", 100, -51)
    before = everything(house.simulator)

    house.die()

    assert everything(house.simulator) == before
    assert [order.client_id for order in house.kraken.orders.values()] == ["mine-1", "mine-2"]
    house.journal.close()


def test_a_long_journal_begins_again_with_what_stands(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("trading.exchanges.simulator.journal.MOST_GROWN", 5_000)
    house = Kept(tmp_path)
    for number in range(100):
        house.act("switch", number % 60 + 1)
    before = everything(house.simulator)
    is_short = house.journal.path.stat().st_size < 50_000
    lines = len(house.journal.read())

    house.die()

    assert (is_short, lines < 50) == (True, True)
    assert everything(house.simulator) == before
    house.journal.close()


@settings(max_examples=20, deadline=None)
@example(acts=[*RESTING, ("switch", 60), ("edit", 1, 120, -45), ("withdraw", 2)], hours=8)
@given(acts=st.lists(ACTS, min_size=1, max_size=8), hours=st.integers(1, 8))
def test_minutes_that_are_skipped_are_those_in_which_nothing_happens(
    acts: list[tuple[Any, ...]], hours: int
) -> None:
    with kept() as house:
        for name, *values in acts:
            house.act(name, *values)
        slow, changes = house.simulator, house.journal.read()
        quick = new_venue(stood_ns=slow.clock.now_ns())
        recall(changes, exchange=quick.exchange, coinbase=quick.coinbase)
        end_ns = slow.clock.now_ns() + hours * 3600 * SECOND_NS

        live_through(quick.exchange, end_ns)
        quick.clock.jump(end_ns)
        while (now := slow.clock.now_ns()) < end_ns:
            slow.clock.jump(min((now // STEP_NS + 1) * STEP_NS, end_ns))
            slow.exchange.advance()

        assert everything(quick) == everything(slow)


def test_years_pass_at_once_where_nothing_waits() -> None:
    simulator = new_venue()
    market, end_ns = simulator.exchange.markets[SYMBOL], BEGAN_NS + 10**17

    live_through(simulator.exchange, end_ns)

    assert (simulator.clock.now_ns() >= end_ns, market.seen_ns) == (True, end_ns)
