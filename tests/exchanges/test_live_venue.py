"""Real orders at the simulated venue while things go wrong: once each, booked once, never naked."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.core.play import plain
from tests.engine.fakes import random_bars
from tests.exchanges.street import (
    FUNDS,
    KEY,
    LiveStreet,
    check_books,
    open_simulator,
    oracle,
    purposes,
)
from trading.core.codes import Purpose
from trading.core.config.profiles import PROFILES
from trading.engine.errors import CannotTrade
from trading.exchanges.simulator.accounts import RIGHTS
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.simulator.server import Simulator

ACTIVE = plain(PROFILES["active"])
BARS = random_bars(69, 280)  # entries, stops that move, and exits at the market


@dataclass
class Trouble:
    """Arms a fault every few bars."""

    kind: str
    where: str
    words: str = ""
    every: int = 15
    times: int = 1
    simulator: Simulator | None = None
    armed: list[Fault] = field(default_factory=list)

    def __call__(self, number: int) -> None:
        assert self.simulator is not None
        faults = self.simulator.exchange.faults
        if number % self.every or any(f.kind == self.kind for f in faults.armed):
            return
        if self.kind == "sockets":
            self.simulator.close_sockets()
            return
        faults.arm(Fault(self.kind, self.where, times=self.times, words=self.words))


@pytest.fixture(autouse=True)
def _frequent_audits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day passes in seconds; what production looks at every half minute, too."""
    monkeypatch.setattr("trading.exchanges.wire_venue.AUDIT_SECONDS", 0.2)


async def play(trouble: Trouble | None = None, *, bars: np.ndarray = BARS) -> tuple[Any, Any]:
    """A day with this trouble; (simulator, street) after it."""
    simulator = await open_simulator(bars)
    street = LiveStreet(simulator, ACTIVE, bars)
    if trouble is not None:
        trouble.simulator = simulator
        street.before_bar = trouble
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()
    return simulator, street


async def test_a_day_without_trouble_trades_and_all_books_agree() -> None:
    simulator, street = await play()

    told = Counter(purposes(street))
    assert told[Purpose.ENTRY] >= 2
    assert told[Purpose.EXIT] >= 1
    assert told[Purpose.MOVE_STOP] >= 1
    assert told[Purpose.PROTECT] == told[Purpose.ENTRY]
    check_books(simulator, street)


TROUBLES = [
    ("request_lost", "AddOrder", ""),
    ("reply_lost", "AddOrder", ""),
    ("page_520", "AddOrder", ""),
    ("error", "AddOrder", "EService:Unavailable"),
    ("error", "AddOrder", "EOrder:Rate limit exceeded"),
    ("error", "AddOrder", "EAPI:Invalid nonce"),
    ("error", "AddOrder", "EOrder:Insufficient funds"),
    ("error", "AddOrder", "EGeneral:Internal error"),
    ("reply_lost", "AmendOrder", ""),
    ("request_lost", "AmendOrder", ""),
    ("error", "AmendOrder", "EOrder:Invalid order"),
    ("reply_lost", "CancelOrder", ""),
    ("request_lost", "CancelOrder", ""),
    ("error", "QueryOrders", "EAPI:Rate limit exceeded"),
    ("drop", "executions", ""),
    ("duplicate", "executions", ""),
    ("not_json", "executions", ""),
    ("sockets", "", ""),
]


@pytest.mark.parametrize(("kind", "where", "words"), TROUBLES)
async def test_whatever_fails_no_order_is_doubled_and_no_fill_lost(
    kind: str, where: str, words: str
) -> None:
    trouble = Trouble(kind, where, words, every=100 if kind == "sockets" else 15)
    simulator, street = await play(trouble)

    assert (
        kind == "sockets"
        or where in ("AmendOrder", "CancelOrder", "QueryOrders")
        or (simulator.exchange.faults.met)
    ), "the trouble met nothing"
    assert oracle(simulator, "order")
    check_books(simulator, street)


@pytest.mark.parametrize("seed", range(4))
async def test_troubles_together(seed: int) -> None:
    rng = np.random.default_rng(seed)

    class All(Trouble):
        def __call__(self, number: int) -> None:
            kind, where, words = TROUBLES[int(rng.integers(len(TROUBLES)))]
            if number % 7 == 0:
                self.kind, self.where, self.words = kind, where, words
                super().__call__(0)

    simulator, street = await play(All("", ""), bars=random_bars(seed + 64, 280))

    check_books(simulator, street)


@pytest.mark.parametrize("seed", range(3))
async def test_an_engine_that_dies_at_any_moment_is_followed_by_one_that_knows(seed: int) -> None:
    """A life ends in the middle of whatever it does; the next leader has the journal and the venue."""
    rng = np.random.default_rng(seed)
    bars = random_bars(seed + 68, 280)
    simulator = await open_simulator(bars)
    street = LiveStreet(simulator, ACTIVE, bars)
    deaths = 0
    try:
        while True:
            life = asyncio.create_task(street.run())
            await asyncio.wait({life}, timeout=float(rng.uniform(0.1, 1.0)) if deaths < 8 else 90)
            if life.done():
                life.result()
                break
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            deaths += 1
    finally:
        await simulator.stop()

    assert deaths >= 3
    check_books(simulator, street)


async def test_foreign_orders_stay_untouched() -> None:
    simulator = await open_simulator(BARS)
    account = simulator.exchange.accounts[KEY]
    simulator.exchange.place(
        account, Wish("BTC/USD", "sell", "limit", Decimal("0.5"), Decimal("99999.9"), "mine")
    )
    street = LiveStreet(simulator, ACTIVE, BARS[:150])
    try:
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    (foreign,) = [order for order in account.orders.values() if order.client_id == "mine"]
    assert foreign.is_open


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ((*RIGHTS, "withdraw-funds"), "withdraw-funds"),
        (tuple(r for r in RIGHTS if r != "modify-trades"), "lacks modify-trades"),
    ],
)
async def test_a_key_with_a_wrong_right_trades_nothing(rights: tuple[str, ...], words: str) -> None:
    simulator = await open_simulator(BARS)
    simulator.exchange.accounts[KEY].rights = rights
    street = LiveStreet(simulator, ACTIVE, BARS[:50])
    try:
        with pytest.raises(CannotTrade, match=words):
            await asyncio.wait_for(street.run(), 30)
    finally:
        await simulator.stop()

    assert oracle(simulator, "order") == []


async def test_a_wrong_key_trades_nothing() -> None:
    simulator = await open_simulator(BARS)
    simulator.exchange.accounts["other"] = simulator.exchange.accounts.pop(KEY)
    street = LiveStreet(simulator, ACTIVE, BARS[:50])
    try:
        with pytest.raises(CannotTrade, match="EAPI:Invalid key"):
            await asyncio.wait_for(street.run(), 30)
    finally:
        await simulator.stop()


async def test_a_venue_that_forgot_our_orders_is_a_hold() -> None:
    simulator = await open_simulator(BARS)
    street = LiveStreet(simulator, ACTIVE, BARS)
    account = simulator.exchange.accounts[KEY]

    def forget(number: int) -> None:
        if account.orders and number % 20 == 0:
            account.orders.clear()
            simulator.close_sockets()

    street.before_bar = forget
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()

    assert ("DATA", "orders") in street.ledger.holds


async def test_nobody_elses_coins_are_ever_sold() -> None:
    simulator, _ = await play()

    lowest = min(Decimal(event["balance"]) for event in oracle(simulator, "fill"))
    assert lowest >= FUNDS["BTC"]
