"""Real orders over either wire while things go wrong: once each, booked once, never naked."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.exchanges.street import (
    FUNDS,
    KEY,
    JournalWithNames,
    LiveStreet,
    check_books,
    open_simulator,
    oracle,
    purposes,
)
from trading.chaos.days import LASTS
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import COINBASE, KRAKEN, KRAKEN_SOCKET, KRAKEN_SWITCH, Wire
from trading.core.codes import Purpose
from trading.core.config.pipeline import PipelineParams
from trading.engine.errors import CannotTrade
from trading.exchanges.simulator.accounts import RIGHTS
from trading.exchanges.simulator.coinbase_account import ALL_RIGHTS
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator

EAGER = eager_params(with_limits=False)
BARS = stormy_bars(5, 200)  # entries, stops that move, and exits at the market
A_MORNING = BARS[:80]  # one of each but the exit
ROADS = (KRAKEN, KRAKEN_SOCKET, COINBASE)
ALL = pytest.mark.parametrize("wire", ROADS, ids=[wire.name for wire in ROADS])


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
        seconds = LASTS.get(self.kind, 0.0)
        faults.arm(Fault(self.kind, self.where, self.times, seconds, self.words))


async def play(
    trouble: Trouble | None = None,
    *,
    wire: Wire = KRAKEN,
    bars: np.ndarray = BARS,
    params: PipelineParams = EAGER,
) -> tuple[Any, Any]:
    """A day with this trouble; (simulator, street) after it."""
    simulator = await open_simulator(bars, wire=wire)
    street = LiveStreet(simulator, params, bars, wire)
    if trouble is not None:
        trouble.simulator = simulator
        street.before_bar = trouble
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()
    return simulator, street


@ALL
async def test_a_day_without_trouble_trades_and_all_books_agree(wire: Wire) -> None:
    simulator, street = await play(wire=wire)

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
    trouble = Trouble(kind, where, words, every=35 if kind == "sockets" else 15)
    simulator, street = await play(trouble)

    assert (
        kind == "sockets"
        or where in ("AmendOrder", "CancelOrder", "QueryOrders")
        or (simulator.exchange.faults.met)
    ), "the trouble met nothing"
    assert oracle(simulator, "order")
    check_books(simulator, street)


BY_SOCKET = [
    ("request_lost", "add_order", ""),
    ("reply_lost", "add_order", ""),
    ("request_late", "add_order", ""),
    ("request_late", "amend_order", ""),
    ("request_late", "cancel_order", ""),
    ("reply_dropped", "add_order", ""),
    ("reply_late", "add_order", ""),
    ("reply_twice", "add_order", ""),
    ("error", "add_order", "EAPI:Invalid token"),
    ("error", "add_order", "EOrder:Rate limit exceeded"),
    ("error", "add_order", "EService:Deadline elapsed"),
    ("reply_lost", "amend_order", ""),
    ("reply_dropped", "amend_order", ""),
    ("reply_late", "cancel_order", ""),
    ("drop", "executions", ""),
    ("sockets", "", ""),
]


@pytest.mark.parametrize(("kind", "where", "words"), BY_SOCKET)
async def test_whatever_fails_on_the_socket_no_order_is_doubled_and_no_fill_lost(
    kind: str, where: str, words: str
) -> None:
    trouble = Trouble(kind, where, words, every=35 if kind == "sockets" else 4)

    simulator, street = await play(trouble, wire=KRAKEN_SOCKET, bars=A_MORNING)

    met = simulator.exchange.faults.met
    heard = [one for one in oracle(simulator, "request") if one["method"] == "add_order"]
    swallowed = [fault for fault in met if fault.where == "add_order"]  # lost ones leave no trace
    assert heard or swallowed, "nothing went over the socket"
    assert kind == "sockets" or where == "cancel_order" or met
    check_books(simulator, street)


@pytest.mark.parametrize("kind", ["", "reply_lost", "request_lost"])
async def test_a_day_of_limits_under_the_switch_never_has_a_stop_under_it(kind: str) -> None:
    trouble = Trouble(kind, "CancelAllOrdersAfter", every=2) if kind else None

    simulator, street = await play(
        trouble, wire=KRAKEN_SWITCH, bars=BARS[:120], params=eager_params(with_limits=True)
    )

    assert any(event["until_ns"] for event in oracle(simulator, "dead_man"))
    assert any(event["type"] == "stop-loss" for event in oracle(simulator, "order"))
    check_books(simulator, street)


AT_COINBASE = [
    ("request_lost", "orders"),
    ("reply_lost", "orders"),
    ("server_error", "orders"),
    ("rate_limited", "orders"),
    ("reply_lost", "orders/batch_cancel"),
    ("request_lost", "orders/batch_cancel"),
    ("late_fill", "orders/batch_cancel"),
    ("rate_limited", "orders/historical/{order_id}"),
    ("unknown_enum", "orders/historical/{order_id}"),
    ("reply_lost", "orders/historical/fills"),
    ("drop", "user"),
    ("replay", "user"),
    ("close", "user"),
]


@pytest.mark.parametrize(("kind", "where"), AT_COINBASE)
async def test_whatever_fails_at_coinbase_no_order_is_doubled_and_no_fill_lost(
    kind: str, where: str
) -> None:
    trouble = Trouble(kind, where, every=7)  # oftener, and it meets each of the few entries

    simulator, street = await play(trouble, wire=COINBASE, bars=A_MORNING)

    assert simulator.exchange.faults.met, "the trouble met nothing"
    assert oracle(simulator, "fill")
    check_books(simulator, street)


@pytest.mark.parametrize("seed", range(2))
async def test_troubles_together(seed: int) -> None:
    rng = np.random.default_rng(seed)

    class All(Trouble):
        def __call__(self, number: int) -> None:
            kind, where, words = TROUBLES[int(rng.integers(len(TROUBLES)))]
            if number % 7 == 0:
                self.kind, self.where, self.words = kind, where, words
                super().__call__(0)

    simulator, street = await play(All("", ""), bars=stormy_bars(seed + 64, 200))

    check_books(simulator, street)


@ALL
async def test_foreign_orders_stay_untouched(wire: Wire) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    account = simulator.exchange.accounts[KEY]
    wire.place_foreign(simulator)
    street = LiveStreet(simulator, EAGER, A_MORNING, wire)
    try:
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    (foreign,) = [order for order in account.orders.values() if order.client_id == "mine"]
    assert foreign.is_open


@pytest.mark.parametrize(
    ("wire", "rights", "words"),
    [
        (KRAKEN, (*RIGHTS, "withdraw-funds"), "withdraw-funds"),
        (KRAKEN, tuple(r for r in RIGHTS if r != "modify-trades"), "lacks modify-trades"),
        (COINBASE, ALL_RIGHTS, "may transfer money away"),
        (COINBASE, ("view",), "may not trade"),
    ],
)
async def test_a_key_with_a_wrong_right_trades_nothing(
    wire: Wire, rights: tuple[str, ...], words: str
) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    simulator.exchange.accounts[KEY].rights = rights
    street = LiveStreet(simulator, EAGER, BARS[:50], wire)
    try:
        with pytest.raises(CannotTrade, match=words):
            await asyncio.wait_for(street.run(), 30)
    finally:
        await simulator.stop()

    assert oracle(simulator, "order") == []


@pytest.mark.parametrize(
    ("wire", "words"), [(KRAKEN, "EAPI:Invalid key"), (COINBASE, "does not accept the key")]
)
async def test_a_wrong_key_trades_nothing(wire: Wire, words: str) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    simulator.exchange.accounts[KEY].key = "other"
    simulator.coinbase.rest.keys.clear()
    street = LiveStreet(simulator, EAGER, BARS[:50], wire)
    try:
        with pytest.raises(CannotTrade, match=words):
            await asyncio.wait_for(street.run(), 30)
    finally:
        await simulator.stop()


class HoldsKept(JournalWithNames):
    """Also remembers the holds that were lifted."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[tuple[str, str]] = set()

    async def commit(self, batch: Any) -> None:
        await super().commit(batch)
        self.held |= self.holds


@pytest.mark.parametrize("wire", [KRAKEN, COINBASE], ids=["kraken", "coinbase"])
async def test_a_venue_that_forgot_our_orders_is_a_hold_and_what_it_forgot_is_over(
    wire: Wire,
) -> None:
    simulator = await open_simulator(BARS, wire=wire)
    ledger = HoldsKept()
    street = LiveStreet(simulator, EAGER, BARS, wire, ledger=ledger)
    account, forgotten = simulator.exchange.accounts[KEY], set[str]()

    def forget(number: int) -> None:
        if account.orders and number % 20 == 0 and number < len(BARS) - 20:
            forgotten.update(order.order_id for order in account.working())
            account.orders.clear()
            simulator.coinbase.rest.desk.tickets.clear()
            simulator.close_sockets()

    street.before_bar = forget
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        await simulator.stop()

    over = {ledger.names.get(key): word for key, (_, word) in ledger.intents.items()}
    assert ("DATA", "orders") in ledger.held
    assert forgotten
    assert {over[name] for name in forgotten} == {"DONE"}


@ALL
async def test_nobody_elses_coins_are_ever_sold(wire: Wire) -> None:
    simulator, _ = await play(wire=wire)

    lowest = min(Decimal(event["balance"]) for event in oracle(simulator, "fill"))
    assert lowest >= FUNDS["BTC"]
