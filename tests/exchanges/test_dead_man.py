"""The venue's dead-man switch: over untouched entries alone, gone before a stop, and ours dead or alive."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.exchanges.bench import WireBench, seat
from tests.exchanges.street import oracle
from trading.chaos.checker import Books, compare
from trading.chaos.wires import KRAKEN_SOCKET, KRAKEN_SWITCH
from trading.core.codes import Purpose
from trading.engine.errors import NotSent
from trading.exchanges.kraken.dead_man import DeadMan, SwitchState
from trading.exchanges.simulator.rules import Wish

ENTRY, PROTECT = Purpose.ENTRY, Purpose.PROTECT
METHOD = "CancelAllOrdersAfter"
NS = 1_000_000_000


@pytest.fixture
async def bench() -> AsyncIterator[WireBench]:
    async with seat(KRAKEN_SWITCH) as made:
        await made.listen()
        yield made


def switch(bench: WireBench) -> DeadMan:
    return bench.venue._desk.dead_man  # type: ignore[attr-defined]


def is_on(bench: WireBench) -> bool:
    """At the venue."""
    return bench.account.dead_man_ns > 0


async def quote(bench: WireBench) -> str:
    """An entry so far below the market that it does not fill."""
    order = bench.order(ENTRY, 400, price_ticks=bench.last_ticks * 8 // 10)
    return await bench.venue.submit(order)


def place_foreign_stop(bench: WireBench) -> None:
    trigger = Decimal(bench.last_ticks - 9000) / 10
    wish = Wish("BTC/USD", "sell", "stop-loss", Decimal("0.5"), trigger, "mine")
    bench.simulator.exchange.place(bench.account, wish)


def found(bench: WireBench) -> list[str]:
    books = Books(states={}, epochs={}, fills=[], position=Decimal(0))
    return [words for words in compare(bench.simulator.exchange.oracle, books, is_settled=False)
            if "switch" in words]  # fmt: skip


async def test_an_account_that_did_not_choose_it_never_has_it() -> None:
    async with seat(KRAKEN_SOCKET) as bench:
        await bench.listen()
        await quote(bench)
        await bench.protected()

        assert [event["until_ns"] for event in oracle(bench.simulator, "dead_man")] == [0]


async def test_what_another_life_left_on_is_off_before_anything_is_sent() -> None:
    async with seat(KRAKEN_SOCKET) as bench:
        bench.simulator.exchange.set_dead_man(bench.account, 60)

        await bench.listen()

        assert not is_on(bench)


async def test_it_is_on_before_the_first_entry_rests_and_refreshed_while_it_does(
    bench: WireBench,
) -> None:
    await quote(bench)

    told = [event["kind"] for event in bench.simulator.exchange.oracle
            if event["kind"] in ("dead_man", "order")]  # fmt: skip
    assert told == ["dead_man", "dead_man", "order"]  # off at the start, on, then the entry
    for _ in range(6):
        before = bench.account.dead_man_ns
        bench.wait(25)
        await bench.until(lambda before=before: bench.account.dead_man_ns > before)
    assert len(bench.working) == 1


async def test_when_the_engine_dies_the_venue_cancels_entries_within_a_minute(
    bench: WireBench,
) -> None:
    await quote(bench)
    await bench.leave()
    bench.wait(59)
    assert len(bench.working) == 1

    bench.wait(1)

    assert bench.working == []


async def test_it_is_off_once_nothing_is_quoted(bench: WireBench) -> None:
    await quote(bench)
    assert await bench.venue.cancel(market=0, seq=bench.seq)

    await bench.until(lambda: not is_on(bench))


async def test_it_is_off_before_the_first_stop_is_placed(bench: WireBench) -> None:
    await quote(bench)
    await bench.bought(400)
    await bench.venue.submit(bench.order(PROTECT, 400, price_ticks=bench.last_ticks - 2000))

    kinds = [event for event in bench.simulator.exchange.oracle
             if event["kind"] == "dead_man" or event.get("type") == "stop-loss"]  # fmt: skip
    assert kinds[-1]["kind"] == "order"
    assert kinds[-2]["until_ns"] == 0
    bench.wait(600)
    assert [order.kind for order in bench.working].count("stop-loss") == 1
    assert found(bench) == []


@pytest.mark.parametrize("kind", ["request_lost", "reply_lost", "page_520", "error"])
async def test_no_stop_rests_under_a_switch_that_may_be_on(bench: WireBench, kind: str) -> None:
    await quote(bench)
    await bench.bought(400)
    switch(bench).state = SwitchState.UNKNOWN
    bench.arm(kind, METHOD, times=3, words="EService:Busy")
    stop = bench.order(PROTECT, 400, price_ticks=bench.last_ticks - 2000)

    with pytest.raises(NotSent, match="the dead-man switch may be on"):
        await bench.venue.submit(stop)
    assert all(order.kind != "stop-loss" for order in bench.working)

    bench.simulator.exchange.faults.armed.clear()
    await bench.venue.submit(bench.order(PROTECT, 400, price_ticks=bench.last_ticks - 2000))
    assert (is_on(bench), found(bench)) == (False, [])


async def test_an_entry_waits_for_a_switch_that_cannot_be_set(bench: WireBench) -> None:
    bench.arm("error", METHOD, words="EService:Busy")

    with pytest.raises(NotSent, match="the dead-man switch cannot be set: EService:Busy"):
        await quote(bench)

    assert bench.working == []


async def test_while_a_stop_rests_entries_are_quoted_without_it(bench: WireBench) -> None:
    await bench.protected()

    await quote(bench)
    bench.wait(30)
    await asyncio.sleep(0.1)  # several looks

    assert not is_on(bench)
    assert len(bench.working) == 2


async def test_a_customers_own_stop_is_never_under_it(bench: WireBench) -> None:
    place_foreign_stop(bench)

    await quote(bench)
    bench.wait(30)
    await asyncio.sleep(0.1)

    assert not is_on(bench)
    assert found(bench) == []


async def test_a_stop_without_an_answer_keeps_it_off_until_it_would_be_listed(
    bench: WireBench,
) -> None:
    await bench.bought(400)
    bench.arm("request_lost", "add_order")
    with pytest.raises(Exception, match="orders"):
        await bench.venue.submit(bench.order(PROTECT, 400, price_ticks=bench.last_ticks - 2000))

    await quote(bench)
    assert not is_on(bench)

    bench.wait(21)
    await bench.until(lambda: is_on(bench))  # it is not listed: there is none


async def test_a_partly_filled_entry_is_no_mere_quote(bench: WireBench) -> None:
    await quote(bench)
    (order,) = bench.venue._desk.known.working()
    order.filled_lots = 1

    await bench.until(lambda: not is_on(bench))


def test_the_judge_finds_stops_under_the_switch() -> None:
    stop = {"kind": "order", "order_id": "S", "client_id": "s", "type": "stop-loss",
            "side": "sell", "quantity": "1", "price": "9"}  # fmt: skip
    on = {"kind": "dead_man", "until_ns": 60 * NS, "at_ns": 0}
    off = {"kind": "dead_man", "until_ns": 0, "at_ns": 1}
    fired = {"kind": "end", "order_id": "S", "status": "canceled", "reason": "Dead man's switch"}
    books = Books(states={"s": "WORKING"}, epochs={}, fills=[], position=Decimal(0))

    def judged(*events: dict[str, object]) -> list[str]:
        oracle_ = [{"at_ns": 2, **event} for event in events]
        return [words for words in compare(oracle_, books, is_settled=False) if "switch" in words]

    assert judged(on, off, stop) == []
    assert judged(on, stop, fired) == [
        "stop S was placed under the dead-man switch",
        "stop S was cancelled by the dead-man switch",
    ]
    assert judged(stop, {**on, "at_ns": 3}) == ["the dead-man switch was turned on over stop S"]
    assert judged({**on, "until_ns": 1}, stop) == []  # it has fired before
