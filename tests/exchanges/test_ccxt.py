"""Any venue through ccxt: its past and its closed candles, here of the simulator's Kraken."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges.past import SYMBOL, assert_same, past_bars, venue_of
from tests.marketdata.samples import JANUARY_2024_NS, MINUTE_NS
from trading.engine.messages import BarClosed, FeedChange
from trading.exchanges.ccxt.candles import read_candles
from trading.exchanges.ccxt.client import CannotOpen, CcxtClient, TooManyRequests, open_client
from trading.exchanges.ccxt.feed import CcxtFeed
from trading.exchanges.ccxt.history import CcxtHistory
from trading.exchanges.ccxt.names import FINEST, UnknownMarket, step_of
from trading.exchanges.failures import ApiError, NoAnswer
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.marketdata.download import Download, Span, download
from trading.marketdata.store import FOREVER, BarStore, SeriesKey

BARS = past_bars(400)
FIRST = 300  # bars that are the past when a feed begins


@pytest.fixture
async def venue() -> Any:
    made = venue_of(BARS)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def living() -> Any:
    """A venue that stands early in its bars, so that time can go on."""
    made = venue_of(BARS[:FIRST])
    for market in made.exchange.markets.values():
        market.source = venue_of(BARS).exchange.markets[SYMBOL].source
    await made.start()
    yield made
    await made.stop()


def client_of(venue: Simulator) -> CcxtClient:
    client = open_client("ccxt:kraken")
    client.api.urls["api"] = dict.fromkeys(client.api.urls["api"], venue.address)
    client.api.enableRateLimit = False
    return client


def feed_of(venue: Simulator, *, symbols: tuple[str, ...] = (SYMBOL,)) -> CcxtFeed:
    return CcxtFeed(
        client=client_of(venue), symbols=symbols, timeframe_ns=MINUTE_NS, poll_seconds=0.02
    )


class Listener:
    """What a feed tells, while the test moves the market."""

    def __init__(self, feed: CcxtFeed, *, after_ns: dict[int, int]) -> None:
        self.feed, self.heard = feed, list[Any]()
        self.task = asyncio.create_task(self._hear(after_ns))

    async def _hear(self, after_ns: dict[int, int]) -> None:
        async for one in self.feed.news(after_ns=after_ns):
            self.heard.append(one)

    def bars(self, market: int = 0) -> list[BarClosed]:
        return [b for b in self.heard if isinstance(b, BarClosed) and b.market == market]

    def changes(self) -> list[FeedChange]:
        return [one for one in self.heard if isinstance(one, FeedChange)]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not is_so():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.feed.close()


async def pass_minutes(venue: Simulator, listener: Listener, count: int) -> None:
    """Minute by minute, each waited for at the feed."""
    for _ in range(count):
        open_ns = venue.clock.now_ns() // MINUTE_NS * MINUTE_NS
        venue.clock.jump(open_ns + MINUTE_NS + MINUTE_NS // 10)
        venue.advance()
        if open_ns in BARS["open_ns"]:
            await listener.until(
                lambda at=open_ns: listener.bars()[-1:] and listener.bars()[-1].open_ns == at
            )


async def test_the_past_is_whole_and_a_second_download_adds_nothing(
    venue: Simulator, tmp_path: Path
) -> None:
    store, key = BarStore(tmp_path), SeriesKey("ccxt:kraken", SYMBOL, 60)
    added = []
    for _ in range(2):
        done = Download(key, Span(JANUARY_2024_NS, FOREVER))
        history = CcxtHistory(client=client_of(venue), symbol=SYMBOL, timeframe_ns=MINUTE_NS)
        await download(store=store, history=history, done=done)
        await history.close()
        added.append(done.merged.added)

    assert added == [len(BARS) - 1, 0]
    assert_same(store.read(key), BARS[:-1])
    assert done.listing is not None
    assert (done.listing.tick_size, done.listing.lot_size) == (Decimal("0.1"), Decimal("0.0001"))


async def test_history_comes_first_then_each_closed_minute_once(living: Simulator) -> None:
    listener = Listener(feed_of(living), after_ns={})
    await listener.until(lambda: len(listener.bars()) >= FIRST - 1)

    await pass_minutes(living, listener, 12)
    await listener.end()

    opens = [bar.open_ns for bar in listener.bars()]
    last = BARS["open_ns"].tolist().index(opens[-1])
    assert opens == BARS["open_ns"][: last + 1].tolist()
    assert last >= FIRST + 8
    told = [(b.open, b.high, b.low, b.close) for b in listener.bars()]
    assert told == [tuple(row)[1:5] for row in BARS[: last + 1].tolist()]
    assert [change.is_up for change in listener.changes()] == [True]
    assert not listener.bars()[-1].late


async def test_bars_of_several_pairs_are_told_in_order_of_time(living: Simulator) -> None:
    after_ns = int(BARS["open_ns"][FIRST - 20])
    feed = feed_of(living, symbols=(SYMBOL, "BTC/EUR"))
    listener = Listener(feed, after_ns={0: after_ns, 1: after_ns})
    await listener.until(lambda: len(listener.bars(1)) >= 15)

    await pass_minutes(living, listener, 5)
    await listener.end()

    told = [(bar.open_ns, bar.market) for bar in listener.heard if isinstance(bar, BarClosed)]
    assert told == sorted(told)
    assert told[0][0] > after_ns
    assert abs(len(listener.bars(0)) - len(listener.bars(1))) <= 1


async def test_silence_holds_entries_and_nothing_is_missing_afterwards(living: Simulator) -> None:
    listener = Listener(feed_of(living), after_ns={})
    await listener.until(lambda: len(listener.bars()) >= FIRST - 1)
    living.exchange.faults.arm(Fault(kind="page_520", times=10_000))
    await listener.until(lambda: listener.changes()[-1].is_up is False)
    for _ in range(7):
        living.clock.jump(living.clock.now_ns() + MINUTE_NS)
        living.advance()
    count = len(listener.bars())
    await asyncio.sleep(0.2)
    silent = len(listener.bars()) == count

    living.exchange.faults.armed.clear()
    await listener.until(lambda: listener.changes()[-1].is_up)
    await pass_minutes(living, listener, 3)
    await listener.end()

    opens = [bar.open_ns for bar in listener.bars()]
    assert silent
    assert "no candles from Kraken" in next(c.reason for c in listener.changes() if not c.is_up)
    assert opens == BARS["open_ns"][: len(opens)].tolist()
    assert len(opens) >= FIRST + 5


async def test_history_before_a_moment_is_the_newest_of_it(living: Simulator) -> None:
    feed = feed_of(living)

    found = await feed.history(market=0, before_ns=int(BARS["open_ns"][200]), count=50)
    await feed.close()

    assert_same(found, BARS[150:200])


async def test_an_unknown_pair_timeframe_or_venue_is_refused_with_near_ones(
    venue: Simulator,
) -> None:
    client = client_of(venue)

    with pytest.raises(
        UnknownMarket, match="Kraken does not list BTC/CHF; it lists BTC/EUR, BTC/USD"
    ):
        await client.market("BTC/CHF")
    with pytest.raises(ValueError, match="timeframe 3m: Kraken has 1m, 5m"):
        CcxtHistory(client=client, symbol=SYMBOL, timeframe_ns=3 * MINUTE_NS)
    await client.close()
    with pytest.raises(CannotOpen, match="'ccxt:krakn': ccxt does not know it; near are kraken"):
        open_client("ccxt:krakn")


FAILURES: list[tuple[Fault, type[Exception]]] = [
    (Fault(kind="page_520", times=9), NoAnswer),
    (Fault(kind="request_lost", times=9), NoAnswer),
    (Fault(kind="error", words="EGeneral:Invalid arguments"), ApiError),
    (Fault(kind="error", words="EAPI:Rate limit exceeded"), TooManyRequests),
]


@pytest.mark.parametrize(("fault", "error"), FAILURES)
async def test_each_failure_is_one_of_ours(
    venue: Simulator, fault: Fault, error: type[Exception]
) -> None:
    client = client_of(venue)
    venue.exchange.faults.arm(fault)

    with pytest.raises(error) as caught:
        await client.time_ns()
    await client.close()

    assert "<html" not in str(caught.value)


def test_candles_that_cannot_be_are_left_out() -> None:
    at = JANUARY_2024_NS // 1_000_000
    good = [at, 1.0, 2.0, 0.5, 1.5, 3.0]
    rows = [
        good,
        good,  # again
        [at + 60_000, 1.0, 2.0, 0.5, 1.5, 0.0],  # nobody traded
        [at + 120_000, 1.0, None, 0.5, 1.5, 3.0],
        [at + 180_000, 1.0, float("nan"), 0.5, 1.5, 3.0],
        [at + 240_001, 1.0, 2.0, 0.5, 1.5, 3.0],  # off the grid
        [at + 300_000, 1.0],
        [at + 360_000, 1.0, 2.0, 0.5, 1.5, 3.0],  # still running
        "nonsense",
    ]

    found = read_candles(rows, until_ns=JANUARY_2024_NS + 6 * MINUTE_NS, timeframe_ns=MINUTE_NS)

    assert found.tolist() == [(JANUARY_2024_NS, 1.0, 2.0, 0.5, 1.5, 3.0)]


def test_a_step_is_read_as_the_venue_tells_it() -> None:
    assert step_of(0.01, 4) == Decimal("0.01")
    assert step_of(3, 2) == Decimal("0.001")
    assert step_of(5, 3) == step_of(None, 4) == FINEST
    with pytest.raises(ValueError, match="not positive"):
        step_of(0, 4)
