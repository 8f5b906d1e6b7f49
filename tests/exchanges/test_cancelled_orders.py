"""Kraken confirms a cancellation without a word on what had filled: that is known before anything follows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.fakes import spec
from tests.exchanges.street import GRID, KEY, SECRET, SimulatedTime, open_simulator, oracle
from tests.exchanges.test_kraken_inquiry import entry
from trading.chaos.stormy import stormy_bars
from trading.chaos.wires import uncounted
from trading.core.codes import Purpose, Side
from trading.engine.batches import Known, OpenIntent
from trading.engine.errors import OutcomeUnknown
from trading.engine.messages import FillReport, OrderRequest
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.replay import ArrayBars
from trading.exchanges.simulator.server import Simulator

BARS = stormy_bars(7, 10)
LOTS = 100


@dataclass
class Bench:
    """A desk whose stream tells nothing, and what REST told instead."""

    simulator: Simulator
    desk: KrakenDesk
    heard: list[FillReport] = field(default_factory=list)

    @property
    def last_ticks(self) -> int:
        (market,) = self.simulator.exchange.markets.values()
        return int(market.last_price() / GRID.tick_size)

    def order(self, seq: int, purpose: Purpose, ticks: int = 0) -> OrderRequest:
        side = Side.BUY if purpose == Purpose.ENTRY else Side.SELL
        return replace(entry(seq), purpose=purpose, side=side, price_ticks=ticks)

    async def stopped(self) -> str:
        """A position with its stop, all of it booked; the venue's name of the stop."""
        await self.desk.submit(self.order(1, Purpose.ENTRY))
        self.book(await self.desk.inquiry.catch_up())
        return await self.desk.submit(self.order(2, Purpose.PROTECT, self.last_ticks - 2000))

    def book(self, reports: list[FillReport]) -> None:
        for report in reports:
            self.desk.known.booked(report)

    def fill(self, venue_id: str, lots: int) -> None:
        """So much of it, unheard."""
        exchange, account = self.simulator.exchange, self.simulator.exchange.accounts[KEY]
        quantity, now_ns = lots * GRID.lot_size, exchange.clock.now_ns()
        price = self.last_ticks * GRID.tick_size
        exchange._fill(account, account.orders[venue_id], price, quantity, now_ns, is_maker=True)

    @property
    def told(self) -> list[tuple[int, int, int]]:
        return [(one.intent_seq, one.quantity_lots, one.final) for one in self.heard]


def desk_at(simulator: Simulator) -> KrakenDesk:
    rest = KrakenRest(url=simulator.address, key=KEY, secret=SECRET, calls=uncounted())
    return KrakenDesk(rest=rest, specs=[spec()], clock=SimulatedTime(simulator))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = await open_simulator(BARS)
    made = Bench(simulator, desk_at(simulator))
    made.desk.inquiry.tell = made.heard.append
    await made.desk.open()
    made.desk.last_prices[0] = made.last_ticks * GRID.tick_size
    yield made
    await made.desk.rest.close()
    await simulator.stop()


@pytest.mark.parametrize("lots", [1, 40, LOTS])
async def test_an_exit_sells_nothing_while_what_its_stop_sold_is_not_booked(
    bench: Bench, lots: int
) -> None:
    bench.fill(await bench.stopped(), lots)
    leaving = bench.order(3, Purpose.EXIT)

    with pytest.raises(OutcomeUnknown, match="its stop has filled"):
        await bench.desk.submit(leaving)
    assert (await bench.desk.inquiry.lookup(leaving)).known is Known.UNDECIDED
    assert [one["type"] for one in oracle(bench.simulator, "order")] == ["market", "stop-loss"]
    assert bench.told == ([(2, lots, 0), (2, 0, 1)] if lots < LOTS else [(2, lots, 1)])

    bench.book(bench.heard)
    assert (await bench.desk.inquiry.lookup(leaving)).known is Known.ABSENT


async def test_an_exit_sells_at_once_where_its_stop_sold_nothing(bench: Bench) -> None:
    await bench.stopped()

    await bench.desk.submit(bench.order(3, Purpose.EXIT))

    assert oracle(bench.simulator, "fill")[-1]["quantity"] == "0.01"
    assert bench.told == [(2, 0, 1)]


async def test_an_exit_waits_where_nobody_says_what_its_stop_sold(bench: Bench) -> None:
    await bench.stopped()
    act = bench.desk.rest.act

    async def mute(method: str, **params: Any) -> Any:
        if method == "QueryOrders":
            return await act("QueryOrders", txid="unknown")
        return await act(method, **params)

    bench.desk.rest.act = mute  # type: ignore[method-assign]
    leaving = bench.order(3, Purpose.EXIT)
    with pytest.raises(OutcomeUnknown, match="may have"):
        await bench.desk.submit(leaving)
    assert (await bench.desk.inquiry.lookup(leaving)).known is Known.UNDECIDED

    bench.desk.rest.act = act  # type: ignore[method-assign]
    assert (await bench.desk.inquiry.lookup(leaving)).known is Known.ABSENT


@pytest.mark.parametrize("lots", [0, 30])
async def test_a_cancelled_entry_is_settled_only_where_nothing_of_it_waits_to_be_booked(
    bench: Bench, lots: int
) -> None:
    name = await bench.desk.submit(bench.order(1, Purpose.ENTRY, bench.last_ticks - 500))
    if lots:
        bench.fill(name, lots)

    is_settled = await bench.desk.cancel(market=0, seq=1)

    assert is_settled == (lots == 0)
    assert bench.told == ([(1, lots, 0)] if lots else []) + [(1, 0, 1)]


async def test_an_order_whose_fills_are_not_all_listed_has_not_ended(bench: Bench) -> None:
    name = await bench.desk.submit(bench.order(1, Purpose.ENTRY, bench.last_ticks - 500))
    bench.fill(name, 30)
    read = bench.desk.rest.read_at_once

    async def behind(method: str, **params: Any) -> Any:
        told = await read(method, **params)
        return {key: {**row, "trades": []} for key, row in told.items()}

    bench.desk.rest.read_at_once = behind  # type: ignore[method-assign]
    assert not await bench.desk.cancel(market=0, seq=1)
    assert bench.told == []

    assert [(one.quantity_lots, one.final) for one in await bench.desk.inquiry.catch_up()] == [
        (30, 0),
        (0, 1),
    ]


async def test_what_an_earlier_life_booked_is_not_missed_when_its_order_ends(bench: Bench) -> None:
    order = bench.order(1, Purpose.ENTRY, bench.last_ticks - 500)
    name = await bench.desk.submit(order)
    bench.fill(name, 30)
    booked = [one.venue_trade_id for one in await bench.desk.inquiry.catch_up()]
    account = bench.simulator.exchange.accounts[KEY]
    bench.simulator.exchange.cancel(account, account.orders[name], reason="by hand")

    later = desk_at(bench.simulator)
    later.known.adopt([OpenIntent(order, "WORKING", name)], booked, open_={"WORKING"})
    told = await later.inquiry.catch_up()

    assert [(one.quantity_lots, one.final) for one in told] == [(0, 1)]
    await later.rest.close()


@pytest.mark.parametrize(("cum_qty", "ends"), [(Decimal(0), True), (Decimal("0.003"), False)])
async def test_an_end_that_tells_more_than_was_heard_is_asked_about(
    bench: Bench, cum_qty: Decimal, ends: bool
) -> None:
    feed = ArrayBars([BARS])
    venue = KrakenVenue(desk=bench.desk, feed=feed, ws_url="")
    name = await bench.desk.submit(bench.order(1, Purpose.ENTRY, bench.last_ticks - 500))

    venue._hear({"order_id": name, "exec_type": "canceled", "cum_qty": cum_qty})

    assert bench.desk.known.by_id[name].is_over == ends
    assert venue._is_due.is_set() != ends
