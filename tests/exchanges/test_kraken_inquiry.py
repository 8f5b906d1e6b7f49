"""What became of Kraken's orders, asked by REST: whatever fails on the way, no news is lost."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.fakes import spec
from tests.exchanges.street import KEY, SECRET, SimulatedTime, open_simulator
from trading.chaos.stormy import stormy_bars
from trading.chaos.wires import uncounted
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.batches import Known, OpenIntent
from trading.engine.messages import FillReport, OrderRequest
from trading.exchanges.forgotten import LAG_NS, UNLISTED_NS
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.errors import ApiError, NoAnswer
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.server import Simulator


def entry(seq: int) -> OrderRequest:
    """A market buy of a hundred lots."""
    return OrderRequest(
        market=0, seq=seq, client_order_id=f"00000000-0000-4000-8000-00000000000{seq}", at_ns=0,
        purpose=Purpose.ENTRY, side=Side.BUY, quantity_lots=100, price_ticks=0, expires_ns=0,
        replaces_seq=0, reason=ExitReason.NONE, deadline_ns=2**62,
    )  # fmt: skip


@pytest.fixture
async def bench():
    """A venue, and a desk with two orders there that have filled, of which nothing was told."""
    simulator = await open_simulator(stormy_bars(7, 10))
    rest = KrakenRest(url=simulator.address, key=KEY, secret=SECRET, calls=uncounted())
    made = KrakenDesk(rest=rest, specs=[spec()], clock=SimulatedTime(simulator))
    await made.open()
    (market,) = simulator.exchange.markets.values()
    made.last_prices[0] = market.last_price()
    for seq in (1, 2):
        await made.submit(entry(seq))
    yield simulator, made
    await rest.close()
    await simulator.stop()


@pytest.fixture
def desk(bench: tuple[Simulator, KrakenDesk]) -> KrakenDesk:
    """The desk alone."""
    return bench[1]


def fail_at(desk: KrakenDesk, number: int, change: Any = None) -> None:
    """Let the n-th QueryTrades fail, or have its answer changed."""
    read, asked = desk.rest.read, iter(range(1, 1000))

    async def spoiled(method: str, **params: Any) -> Any:
        told = await read(method, **params)
        if method == "QueryTrades" and next(asked) == number:
            if change is None:
                raise ApiError("EAPI:Rate limit exceeded")
            return change(told)
        return told

    desk.rest.read = spoiled  # type: ignore[method-assign]


async def test_a_look_that_fails_on_its_way_loses_nothing(desk: KrakenDesk) -> None:
    fail_at(desk, 2)

    with pytest.raises(ApiError):
        await desk.inquiry.catch_up()
    told = await desk.inquiry.catch_up()

    assert [(one.intent_seq, one.quantity_lots, one.final) for one in told] == [
        (1, 100, 1),
        (2, 100, 1),
    ]
    assert await desk.inquiry.catch_up() == []


async def test_an_order_whose_trades_are_not_listed_yet_has_not_ended(desk: KrakenDesk) -> None:
    fail_at(desk, 1, change=lambda told: {})

    first = await desk.inquiry.catch_up()
    second = await desk.inquiry.catch_up()

    assert [one.intent_seq for one in first] == [2]
    assert [(one.intent_seq, one.quantity_lots) for one in second] == [(1, 100)]


async def test_an_order_whose_facts_cannot_be_read_loses_no_news_of_any(desk: KrakenDesk) -> None:
    read, spoiled = desk.rest.read, [True]

    async def without_a_status(method: str, **params: Any) -> Any:
        told = await read(method, **params)
        if method == "QueryOrders" and spoiled.pop() if spoiled else False:
            del list(told.values())[-1]["status"]
        return told

    desk.rest.read = without_a_status  # type: ignore[method-assign]

    with pytest.raises(KeyError):
        await desk.inquiry.catch_up()
    told = await desk.inquiry.catch_up()

    assert [(one.intent_seq, one.quantity_lots, one.final) for one in told] == [
        (1, 100, 1),
        (2, 100, 1),
    ]


async def test_orders_forgotten_one_after_the_other_end_each(
    bench: tuple[Simulator, KrakenDesk],
) -> None:
    simulator, desk = bench
    first, second = desk.known.working()
    orders = simulator.exchange.accounts[KEY].orders

    del orders[first.venue_id]
    with pytest.raises(NoAnswer, match=first.venue_id):
        await desk.inquiry.catch_up()
    simulator.clock.jump(simulator.clock.now_ns() + UNLISTED_NS)
    del orders[second.venue_id]
    with pytest.raises(NoAnswer, match=second.venue_id):
        await desk.inquiry.catch_up()
    simulator.clock.jump(simulator.clock.now_ns() + UNLISTED_NS)

    ends = await desk.inquiry.catch_up()

    assert [(one.intent_seq, one.quantity_lots, one.final) for one in ends] == [
        (1, 0, 1),
        (2, 0, 1),
    ]


async def test_an_order_that_was_listed_once_is_forgotten_sooner(
    bench: tuple[Simulator, KrakenDesk],
) -> None:
    simulator, desk = bench
    known = desk.known.by_id[await desk.submit(stop(3))]
    await desk.inquiry.look_at(known)

    del simulator.exchange.accounts[KEY].orders[known.venue_id]
    with pytest.raises(NoAnswer, match=known.venue_id):
        await desk.inquiry.look_at(known)
    simulator.clock.jump(simulator.clock.now_ns() + LAG_NS)
    await desk.inquiry.look_at(known)

    assert known.is_over


async def test_an_order_that_another_list_still_knows_is_not_over(
    bench: tuple[Simulator, KrakenDesk],
) -> None:
    simulator, desk = bench
    name, read = await desk.submit(stop(3)), desk.rest.read_at_once

    async def does_not_know(method: str, **asked: Any) -> Any:
        if method == "QueryOrders":
            raise ApiError("EOrder:Unknown order")
        return await read(method, **asked)

    desk.rest.read_at_once = does_not_know  # type: ignore[method-assign]
    known = desk.known.by_id[name]
    with pytest.raises(NoAnswer, match=name):
        await desk.inquiry.look_at(known)
    simulator.clock.jump(simulator.clock.now_ns() + UNLISTED_NS)

    await desk.inquiry.look_at(known)

    assert not known.is_over


def stop(seq: int) -> OrderRequest:
    """A first stop of a position, well below the market."""
    return replace(
        entry(seq),
        purpose=Purpose.PROTECT,
        side=Side.SELL,
        price_ticks=100_000,
        reason=ExitReason.STOP,
    )


async def test_a_first_stop_is_not_taken_for_an_earlier_one_that_has_ended(
    desk: KrakenDesk,
) -> None:
    former = await desk.submit(stop(3))
    assert await desk.cancel(market=0, seq=3)
    name = await desk.submit(stop(4))
    later = KrakenDesk(rest=desk.rest, specs=desk.specs, clock=desk.clock)
    intents = [OpenIntent(stop(3), "WORKING", former), OpenIntent(stop(4), "PLANNED")]
    later.known.adopt(intents, (), open_={"WORKING", "PLANNED"})
    told: list[FillReport] = []
    later.inquiry.tell = told.append

    evidence = await later.inquiry.lookup(stop(4))

    assert (evidence.known, evidence.venue_order_id) == (Known.WORKING, name)
    assert [(one.intent_seq, one.final) for one in told] == [(3, 1)]
    assert [one.venue_id for one in later.known.working()] == [name]
