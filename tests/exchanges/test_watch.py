"""The engine beside its account: what does not fit keeps entries back until it fits again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from tests.exchanges.street import FUNDS, KEY, LiveStreet, check_books, open_simulator, oracle
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.core.codes import Purpose
from trading.engine.messages import Command
from trading.engine.watch import Rhythm
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.simulator.server import Simulator

EAGER = eager_params(with_limits=False)
BARS = stormy_bars(5, 200)
QUICK_LOOKS = Rhythm(look=0.01, confirm=0.005)


@dataclass
class Day:
    """A day at the simulator during which the engine looks all the time."""

    simulator: Simulator
    street: LiveStreet
    held_at: list[tuple[int, frozenset[tuple[str, str]]]] = field(default_factory=list)

    def entries(self, *, after_bar: int = 0, before_bar: int = 10**6) -> int:
        """Entries that the venue took between two bars."""
        first, last = (int(BARS["open_ns"][min(n, len(BARS) - 1)]) for n in (after_bar, before_bar))
        planned = [order for order, _ in self.street.ledger.intents.values()]
        return sum(
            order.purpose == Purpose.ENTRY and first <= order.at_ns < last for order in planned
        )

    def causes(self) -> set[str]:
        """What breakers stood for at any bar."""
        return {cause for _, holds in self.held_at for kind, cause in holds if kind == "BREAKER"}


async def play(happen: Callable[[int, Simulator], None], *, bars: int = 200) -> Day:
    simulator = await open_simulator(BARS)
    day = Day(simulator, LiveStreet(simulator, EAGER, BARS[:bars], rhythm=QUICK_LOOKS))

    def before_bar(number: int) -> None:
        happen(number, simulator)
        day.held_at.append((number, frozenset(day.street.ledger.holds)))

    day.street.before_bar = before_bar
    try:
        await asyncio.wait_for(day.street.run(), 120)
    finally:
        await simulator.stop()
    return day


def nothing(_: int, __: Simulator) -> None:
    """All is well."""


async def test_a_day_of_looks_finds_no_drift_where_there_is_none() -> None:
    day = await play(nothing)

    assert day.causes() == set()
    assert day.entries() >= 2
    check_books(day.simulator, day.street)


async def test_the_customers_own_coins_are_no_drift_and_may_come_and_go() -> None:
    def move(number: int, simulator: Simulator) -> None:
        simulator.exchange.accounts[KEY].balances["BTC"] += (
            Decimal(5) if number % 2 else Decimal(-1)
        )

    day = await play(move, bars=60)

    assert day.causes() == set()


async def test_cash_that_is_missing_holds_entries_and_its_return_lifts_the_hold() -> None:
    def take_and_give(number: int, simulator: Simulator) -> None:
        change = {10: -FUNDS["USD"] / 2, 120: FUNDS["USD"] / 2}.get(number, Decimal(0))
        simulator.exchange.accounts[KEY].balances["USD"] += change

    day = await play(take_and_give)

    assert day.causes() == {"drift:USD"}
    assert day.entries(after_bar=20, before_bar=119) == 0
    assert day.entries(after_bar=121) >= 1
    assert day.street.ledger.holds == set()
    (words,) = {told["words"] for key, told in day.street.sink.latest.items() if "alert" in key}
    assert "our books need 10000, the account has 5000" in words


async def test_a_position_that_the_account_does_not_cover_is_a_hold_and_sells_nothing_else() -> (
    None
):
    def take(number: int, simulator: Simulator) -> None:
        account = simulator.exchange.accounts[KEY]
        bought = account.balances["BTC"] > FUNDS["BTC"]
        if bought and not taken:
            taken.append(number)
            account.balances["BTC"] = Decimal(0)

    taken: list[int] = []
    day = await play(take)

    assert taken
    assert "drift:BTC" in day.causes()
    bought, sold = (
        sum(Decimal(e["quantity"]) for e in oracle(day.simulator, "fill") if e["side"] == side)
        for side in ("buy", "sell")
    )
    assert sold <= bought


async def test_orders_of_others_are_noted_and_stay_and_are_noted_as_gone() -> None:
    def place(number: int, simulator: Simulator) -> None:
        account = simulator.exchange.accounts[KEY]
        if number == 5:
            wish = Wish("BTC/USD", "sell", "limit", Decimal("0.5"), Decimal("99999.9"), "mine")
            simulator.exchange.place(account, wish)
        if number == 30:
            (order,) = [one for one in account.orders.values() if one.client_id == "mine"]
            assert order.is_open
            simulator.exchange.cancel(account, order, reason="User requested")

    day = await play(place, bars=60)

    told = [tuple((o.symbol, o.side, o.quantity) for o in s) for s in day.street.ledger.strangers]
    assert told == [(), (("BTC/USD", "SELL", Decimal("0.5")),), ()]


@pytest.mark.parametrize(
    ("ahead", "is_held"), [(0.5, False), (-1.5, False), (4.5, True), (-4, True)]
)
async def test_a_clock_more_than_two_seconds_off_holds_entries(ahead: float, is_held: bool) -> None:
    simulator = await open_simulator(BARS)
    street = LiveStreet(simulator, EAGER, BARS[:120], rhythm=QUICK_LOOKS)
    street.wall_ns = lambda: simulator.clock.now_ns() + int(ahead * 1e9)
    try:
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    assert (("BREAKER", "clock") in street.ledger.holds) == is_held
    assert bool(oracle(simulator, "order")) != is_held


async def test_an_account_that_is_not_told_is_not_traded() -> None:
    from trading.exchanges.simulator.faults import Fault

    def hide(number: int, simulator: Simulator) -> None:
        if not simulator.exchange.faults.armed:
            simulator.exchange.faults.arm(
                Fault("error", "BalanceEx", times=10**6, words="EGeneral:Permission denied")
            )

    day = await play(hide, bars=120)

    assert oracle(day.simulator, "order") == []


async def test_a_person_who_asks_is_told_what_a_look_found() -> None:
    def ask(number: int, _: Simulator) -> None:
        if number == 3:
            street.inbox.commands.append(Command("look", "RECONCILE", ""))

    simulator = await open_simulator(BARS)
    street = LiveStreet(simulator, EAGER, BARS[:40], rhythm=Rhythm(look=3600, confirm=0.005))
    street.before_bar = lambda number: ask(number, simulator)
    try:
        await asyncio.wait_for(street.run(), 60)
    finally:
        await simulator.stop()

    assert street.ledger.outcomes["look"].startswith("the account covers our books: 10000 USD")


async def test_an_entry_beyond_what_the_account_has_free_is_refused_beside_the_signer() -> None:
    def spend(number: int, simulator: Simulator) -> None:
        account = simulator.exchange.accounts[KEY]
        if number == 1:
            wish = Wish("BTC/USD", "buy", "limit", Decimal(1), FUNDS["USD"] - 100, "mine")
            account.balances["USD"] = FUNDS["USD"]
            simulator.exchange.place(account, wish)

    day = await play(spend, bars=150)

    assert any("USD where the account has" in why for why in day.street.ledger.reasons)
