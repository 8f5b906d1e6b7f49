"""What Kraken's trades prove: which minutes were empty, and which candle was not told to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fakes import random_bars
from tests.exchanges.shared_street import Ear
from tests.exchanges.street import ArrayBars, open_simulator
from tests.exchanges.test_kraken_feed import MINUTE_NS, assert_whole, feed_of
from trading.exchanges import sockets
from trading.exchanges import wire_feed as feed_module
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.trades import KEPT, Trail, read_trades
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.trade_candles import Trade

BARS, NS = random_bars(2, 190), 1_000_000_000
MINUTES = st.integers(0, 12)


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(feed_module, "RETRY_SECONDS", 0.1)
    made = await open_simulator(BARS)
    made.clock.jump(int(BARS["open_ns"][100]))
    yield made
    await made.stop()


def traded(at_ns: int, number: int, price: int = 100, size: int = 1) -> Trade:
    return Trade(at_ns, number, str(number), Decimal(price), Decimal(size))


@st.composite
def histories(draw: Any) -> tuple[list[Trade], list[Trade]]:
    """All trades of a pair, and those that were heard: some are lost, some come twice."""
    moments = sorted(draw(st.lists(st.integers(0, 12 * 60 - 1), min_size=1, max_size=60)))
    prices = draw(st.lists(st.integers(1, 50), min_size=len(moments), max_size=len(moments)))
    there = [
        traded(second * NS, number, price, price)
        for number, (second, price) in enumerate(zip(moments, prices, strict=True), start=7)
    ]
    heard = [one for one in there for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 1, 2])))]
    return there, heard


def candle_of(trades: list[Trade]) -> tuple[float, ...]:
    prices = [float(one.price) for one in trades]
    volume = float(sum(one.size for one in trades))
    return prices[0], max(prices), min(prices), prices[-1], volume


@given(history=histories(), first=MINUTES, later=MINUTES)
def test_what_trades_prove_is_true_whatever_was_lost(
    history: tuple[list[Trade], list[Trade]], first: int, later: int
) -> None:
    there, heard = history
    trail = Trail(MINUTE_NS)
    for one in heard:
        trail.add(one)
    minutes = {
        minute: [t for t in there if t.time_ns // MINUTE_NS == minute] for minute in range(13)
    }
    opens = [minute for minute, trades in minutes.items() if trades]

    if trail.is_quiet(first * MINUTE_NS, later * MINUTE_NS):
        assert opens.index(later) == opens.index(first) + 1
    for minute in range(13):
        made = trail.whole(minute * MINUTE_NS)
        assert made is None or made == candle_of(minutes[minute])


@given(history=histories())
def test_without_a_loss_every_pause_and_every_inner_candle_is_proven(
    history: tuple[list[Trade], list[Trade]],
) -> None:
    there, _ = history
    trail = Trail(MINUTE_NS)
    for one in there:
        trail.add(one)
    opens = sorted({one.time_ns // MINUTE_NS * MINUTE_NS for one in there})

    assert all(trail.is_quiet(*pair) for pair in pairwise(opens))
    assert all(trail.whole(open_ns) for open_ns in opens[1:-1])


def test_a_trail_of_days_remembers_the_last_hour_only() -> None:
    trail = Trail(MINUTE_NS)
    for minute in range(10 * KEPT):
        trail.add(traded(minute * MINUTE_NS, minute + 1))

    assert not trail.is_quiet(MINUTE_NS, 2 * MINUTE_NS)
    assert trail.is_quiet((10 * KEPT - 2) * MINUTE_NS, (10 * KEPT - 1) * MINUTE_NS)


@given(
    row=st.fixed_dictionaries(
        {"symbol": st.just("BTC/USD"), "timestamp": st.just("2026-01-05T12:00:00.5Z")},
        optional={
            "price": st.sampled_from(["20000.1", "0", "-1", "NaN", "1e999", None, "x"]),
            "qty": st.sampled_from(["0.5", "-1", "Infinity", None]),
            "trade_id": st.sampled_from([7, "8", 1.5, None, "x"]),
        },
    )
)
def test_a_row_of_the_channel_is_read_or_left_out(row: dict[str, Any]) -> None:
    told = [(symbol, one.price, one.size) for symbol, one in read_trades([row])]

    assert told in ([], [("BTC/USD", Decimal("20000.1"), Decimal("0.5"))])


async def by_seconds(simulator: Simulator, count: int) -> None:
    for _ in range(count):
        simulator.clock.jump(simulator.clock.now_ns() + NS)
        await asyncio.sleep(0.015)


async def test_a_candle_whose_end_was_lost_is_asked_for_before_it_is_told(
    simulator: Simulator,
) -> None:
    ear = Ear(feed_of(simulator))
    await ear.until(is_up=True)
    await by_seconds(simulator, 119)
    assert not simulator.exchange.faults.met
    simulator.exchange.faults.arm(Fault("drop", "ohlc"))  # of the minute's last trade
    await by_seconds(simulator, 65)
    await ear.close()

    assert simulator.exchange.faults.met
    assert_whole(ear.heard, simulator, least=102)
    assert ear.ups == [True]


@pytest.mark.parametrize("kind", ["drop", "duplicate", "not_json"])
async def test_lost_and_doubled_trades_cost_no_bar_and_no_question(
    simulator: Simulator, kind: str
) -> None:
    rest = Counting(simulator)
    ear = Ear(feed_of(simulator, rest=rest))
    await ear.until(is_up=True)
    await by_seconds(simulator, 70)
    before = rest.asked
    simulator.exchange.faults.arm(Fault(kind, "trade", times=3))
    await by_seconds(simulator, 120)
    await ear.close()

    assert_whole(ear.heard, simulator, least=102)
    assert rest.asked == before


async def test_trades_that_rest_contradicts_are_asked_about_once(
    simulator: Simulator,
) -> None:
    spoilt = 0

    async def wrong_sizes(url: str, converse: Any) -> AsyncIterator[Any]:
        nonlocal spoilt
        async with aclosing(sockets.listen(url, converse)) as frames:
            async for frame in frames:
                if isinstance(frame, dict) and frame["channel"] == "trade":
                    spoilt += 1
                    frame["data"] = [{**row, "qty": "9.9"} for row in frame["data"]]
                yield frame

    rest = Counting(simulator)
    ear = Ear(feed_of(simulator, listen=wrong_sizes, rest=rest))
    await ear.until(is_up=True)
    before = rest.asked
    await by_seconds(simulator, 310)
    await ear.close()

    assert spoilt > 10
    assert_whole(ear.heard, simulator, least=104)
    assert rest.asked == before + 1


async def test_a_stream_that_fell_quiet_is_asked_for_its_time(simulator: Simulator) -> None:
    opens = BARS["open_ns"]
    simulator.exchange.markets["BTC/USD"].source = ArrayBars(BARS[opens <= opens[101]])
    ear = Ear(feed_of(simulator))
    await ear.until(is_up=True)
    for at_ns in (opens[101] + 30 * NS, opens[101] + 65 * NS):
        simulator.clock.jump(int(at_ns))
        await asyncio.sleep(0.1)
    async with asyncio.timeout(15):
        while ear.bars[-1].open_ns != opens[101]:
            await asyncio.sleep(0.02)
    await ear.close()

    assert_whole(ear.heard, simulator, least=101)


async def test_minutes_without_trades_are_known_without_a_question(
    simulator: Simulator,
) -> None:
    """The venue's numbers go on over a pause; the simulator's are of the second."""
    numbers = count(1)

    async def numbered(url: str, converse: Any) -> AsyncIterator[Any]:
        async with aclosing(sockets.listen(url, converse)) as frames:
            async for frame in frames:
                if isinstance(frame, dict) and frame["channel"] == "trade":
                    frame["data"] = [{**row, "trade_id": next(numbers)} for row in frame["data"]]
                yield frame

    opens = BARS["open_ns"]
    pause = (opens >= opens[102]) & (opens < opens[105])
    simulator.exchange.markets["BTC/USD"].source = ArrayBars(BARS[~pause])
    rest = Counting(simulator)
    ear = Ear(feed_of(simulator, listen=numbered, rest=rest))
    await ear.until(is_up=True)
    await by_seconds(simulator, 70)
    before = rest.asked
    await by_seconds(simulator, 310)
    await ear.close()

    told = [bar.open_ns for bar in ear.bars]
    assert told[-3:] == [opens[100], opens[101], opens[105]]
    assert rest.asked == before


class Counting(KrakenRest):
    """Counts how often candles were asked for."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(url=simulator.address)
        self.asked = 0

    async def public(self, path: str, /, **params: Any) -> Any:
        self.asked += path == "OHLC"
        return await super().public(path, **params)
