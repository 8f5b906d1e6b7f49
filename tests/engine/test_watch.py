"""What looks at an account lead to: doubts, holds, strangers, answers to a person."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.core.play import plain
from tests.engine.fakes import ManualClock, Street, random_bars, spec
from trading.core.config.profiles import PROFILES
from trading.engine import reconcile
from trading.engine.errors import NoSight
from trading.engine.handler import Handler
from trading.engine.messages import OrderRequest
from trading.engine.sights import Holding, Sight, Stranger
from trading.engine.watch import NOT_SEEN, Rhythm, Watch

CASH = Decimal(10_000)
ENOUGH = {"USD": CASH, "BTC": Decimal(3)}
MINE = Stranger("V1", "BTC/USD", "SELL", Decimal("0.5"))


class Desk:
    """One engine at an account that says what the test says."""

    def __init__(self) -> None:
        self.street = Street([random_bars(1, 10)], plain(PROFILES["active"]))
        self.street.core.fund(float(CASH))
        self.street.venue.has_account = True
        self.street.venue.look = self.look  # type: ignore[method-assign]
        ports, pace = self.street.runner._ports, self.street.runner._pace
        self.handler = Handler(core=self.street.core, ports=ports, pace=pace)
        self.clock = cast(ManualClock, ports.clock)
        self.lock = asyncio.Lock()
        self.watch = Watch(self.handler, turn=self.turn, rhythm=Rhythm())
        self.watch.begin()
        self.answer: Sight | Exception = sight()
        self.while_asked = lambda: None

    @asynccontextmanager
    async def turn(self):
        async with self.lock:
            yield

    async def look(self) -> Sight:
        assert not self.lock.locked(), "the engine waits while the venue is asked"
        self.while_asked()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def sees(self, answer: Sight | Exception) -> float | None:
        self.answer = answer
        return await self.watch._look()

    def buy(self, lots: int) -> None:
        self.street.core.markets[0]["position"]["quantity_lots"] = lots

    @property
    def holds(self) -> set[tuple[str, str]]:
        return self.street.ledger.holds

    @property
    def doubts(self) -> set[str]:
        return self.handler.guards.doubts

    def enters(self) -> bool:
        return self.handler.guards.allows(order())


def order(seq: int = 1) -> OrderRequest:
    from trading.core.codes import ExitReason, Purpose, Side

    return OrderRequest(
        market=0, seq=seq, client_order_id=str(seq), at_ns=1, purpose=Purpose.ENTRY, side=Side.BUY,
        quantity_lots=1, price_ticks=0, expires_ns=0, replaces_seq=0, reason=ExitReason.NONE,
        deadline_ns=2**62,
    )  # fmt: skip


def sight(*, ahead: float = 0.0, strangers: tuple[Stranger, ...] = (), **totals: str) -> Sight:
    amounts = ENOUGH | {asset: Decimal(text) for asset, text in totals.items()}
    return Sight({name: Holding(a, a) for name, a in amounts.items()}, strangers, ahead)


async def test_nothing_is_entered_before_the_first_look() -> None:
    desk = Desk()

    assert desk.doubts == {NOT_SEEN}
    assert not desk.enters()
    assert await desk.sees(NoSight("no answer")) == Rhythm().confirm
    assert not desk.enters()
    assert await desk.sees(sight()) == Rhythm().look
    assert desk.enters()


async def test_one_look_is_a_doubt_and_the_second_a_hold_until_a_look_agrees() -> None:
    desk = Desk()

    await desk.sees(sight(USD="9000"))
    assert desk.doubts == {"drift:USD"}
    assert desk.holds == set()
    assert not desk.enters()
    await desk.sees(NoSight("no answer"))
    assert desk.holds == set()
    await desk.sees(sight(USD="9000"))
    assert desk.doubts == set()
    assert desk.holds == {("BREAKER", "drift:USD")}
    assert not desk.enters()
    await desk.sees(sight(USD="8000"))
    assert desk.holds == {("BREAKER", "drift:USD")}
    await desk.sees(sight())
    assert desk.holds == set()
    assert desk.enters()


async def test_a_difference_that_the_next_look_does_not_find_was_a_fill_on_its_way() -> None:
    desk = Desk()

    await desk.sees(sight(USD="9000"))
    await desk.sees(sight())

    assert desk.holds == set()
    assert desk.enters()
    assert not [key for key in desk.street.sink.latest if key.startswith("alert")]


async def test_a_look_during_which_something_was_booked_proves_nothing() -> None:
    desk = Desk()

    for lots in range(1, 4):
        desk.while_asked = lambda lots=lots: desk.buy(lots)
        await desk.sees(sight(BTC="0"))

    assert desk.holds == set()


async def test_a_position_that_the_account_does_not_cover_is_told_with_both_numbers() -> None:
    desk = Desk()
    desk.buy(5000)

    for _ in range(2):
        await desk.sees(sight(BTC="0.4999"))

    assert desk.holds == {("BREAKER", "drift:BTC")}
    (told,) = [v for key, v in desk.street.sink.latest.items() if key.startswith("alert")]
    assert told["words"] == "BTC: our books need 0.5, the account has 0.4999"


async def test_an_operators_hold_is_not_lifted_by_a_look_and_a_drift_not_by_another_cause() -> None:
    desk = Desk()
    desk.handler.hold("OPERATOR", "operator", "news", open=True)
    desk.handler.hold("BREAKER", "exchange key", "bad", open=True)

    await desk.sees(sight())

    assert desk.handler.guards.is_open("OPERATOR", "operator")
    assert desk.handler.guards.is_open("BREAKER", "exchange key")


@pytest.mark.parametrize(
    ("ahead", "is_held"), [(1.9, False), (-2.0, False), (2.1, True), (-60, True)]
)
async def test_a_clock_more_than_two_seconds_off_is_a_hold(ahead: float, is_held: bool) -> None:
    desk = Desk()

    for _ in range(2):
        await desk.sees(sight(ahead=ahead))

    assert (("BREAKER", "clock") in desk.holds) == is_held
    await desk.sees(sight())
    assert desk.holds == set()


async def test_orders_of_others_are_written_when_they_change_only() -> None:
    desk = Desk()

    for strangers in ((), (MINE,), (MINE,), ()):
        await desk.sees(sight(strangers=strangers))

    assert desk.street.ledger.strangers == [(), (MINE,), ()]
    assert desk.enters()


async def test_a_person_is_told_what_the_look_found() -> None:
    desk = Desk()
    desk.buy(1)

    for name, answer in (("a", sight()), ("b", sight(USD="1")), ("c", NoSight("it is closed"))):
        desk.watch.ask(name)
        await desk.sees(answer)

    assert desk.street.ledger.outcomes == {
        "a": "the account covers our books: 10000 USD, 0.0001 BTC",
        "b": "USD: our books need 10000, the account has 1",
        "c": "the venue does not say: it is closed",
    }


async def test_an_order_without_an_outcome_for_a_minute_is_a_hold_until_it_has_one() -> None:
    desk = Desk()

    await desk.watch.note_unclear([order()])
    desk.clock.seconds += 59
    await desk.watch.note_unclear([order()])
    assert desk.holds == set()
    desk.clock.seconds += 1
    await desk.watch.note_unclear([order(), order(2)])
    assert desk.holds == {("BREAKER", "unknown order")}
    await desk.watch.note_unclear([order(2)])
    assert desk.holds == set()


async def test_a_paper_account_answers_that_there_is_nothing_to_compare() -> None:
    desk = Desk()
    desk.street.venue.has_account = False

    desk.watch.ask("a")
    assert await desk.watch._look() is None

    assert desk.street.ledger.outcomes == {"a": "a paper account: its books are the venue's own"}


lots = some.integers(min_value=-10, max_value=10**6)


@given(held=lots, own=some.decimals(min_value=0, max_value=100, places=4), taken=lots)
def test_only_what_the_books_need_and_the_account_lacks_is_drift(
    held: int, own: Decimal, taken: int
) -> None:
    one = spec()
    markets = np.zeros(1, [("position", [("quantity_lots", "i8")])])
    markets["position"]["quantity_lots"] = held
    account = np.zeros(1, [("cash", "f8")])

    needed = reconcile.needs(specs=[one], markets=markets, account=account)
    there = max(Decimal(0), own + one.lot_size * (max(held, 0) - taken))
    found = reconcile.find_drift(needed, {"BTC": Holding(there, there)}, quote="USD")

    assert set(found) == ({"drift:BTC"} if there < one.lot_size * held else set())
