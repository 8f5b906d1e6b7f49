"""Bars with order books over the wire of either venue: no bar is acted on with a book in doubt."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.engine.fakes import MINUTE_NS, random_bars
from tests.exchanges.street import open_simulator
from trading.engine.messages import BarClosed, BookSeen, FeedChange
from trading.exchanges import book_watch, sockets, wire_feed
from trading.exchanges.book_watch import CHANNEL, BookWatch
from trading.exchanges.booked_feed import BookedFeed
from trading.exchanges.books import Book, Books
from trading.exchanges.coinbase.books import CoinbaseBooks
from trading.exchanges.coinbase.feed import CoinbaseFeed
from trading.exchanges.coinbase.names import PRODUCTS
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import API_PATH
from trading.exchanges.kraken.books import KrakenBooks, read_book
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.names import TABLE
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.tables import OwnTable
from trading.exchanges.venue_clock import VenueClock

BARS = random_bars(5, 60)
STEP_NS = 3_000_000_000  # of the market; a book is fresh for five seconds
Trouble = Callable[[int], Awaitable[None]]


@pytest.fixture
async def simulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulator]:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 5.0)
    monkeypatch.setattr(sockets, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(wire_feed, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(wire_feed, "RETRY_SECONDS", 0.1)
    made = await open_simulator(BARS)
    made.coinbase.rest.limits.public = 100_000
    yield made
    await made.stop()


def kraken(simulator: Simulator) -> BookedFeed:
    time, books = VenueClock(), Books(["BTC/USD"])
    rest, socket = KrakenRest(url=simulator.address), f"ws://127.0.0.1:{simulator.port}/v2"
    table = OwnTable(rest, TABLE)
    feed = KrakenFeed(
        rest=rest, ws_url=socket, symbols=books.symbols, timeframe_ns=MINUTE_NS, clock=time
    )
    return BookedFeed(
        feed,
        watch=BookWatch(
            "Kraken",
            socket,
            books,
            lambda: KrakenBooks(table, books, time, {}),
            time,
            read=read_book,
        ),
    )


def coinbase(simulator: Simulator) -> BookedFeed:
    time, books = VenueClock(), Books(["BTC/USD"])
    rest = CoinbaseRest(url=f"{simulator.address}{API_PATH}", clock=time)
    socket, table = f"ws://127.0.0.1:{simulator.port}/coinbase/ws", OwnTable(rest, PRODUCTS)
    feed = CoinbaseFeed(
        rest=rest, ws_url=socket, symbols=books.symbols, timeframe_ns=MINUTE_NS, clock=time
    )
    return BookedFeed(
        feed,
        watch=BookWatch(
            "Coinbase", socket, books, lambda: CoinbaseBooks(table, books, time, {}), time
        ),
    )


VENUES = pytest.mark.parametrize("made", [kraken, coinbase], ids=["kraken", "coinbase"])


async def listen(
    simulator: Simulator, feed: BookedFeed, *, seconds: int, trouble: Trouble | None = None
) -> list[Any]:
    """What is told while the venue's time goes on; at its end the book is compared to the venue's."""
    heard: list[Any] = []

    async def hear() -> None:
        async for one in feed.news(after_ns={0: int(BARS["open_ns"][0]) - MINUTE_NS}):
            heard.append(one)

    async def settle(wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not wanted():
                if task.done():
                    task.result()
                await asyncio.sleep(0.01)

    task = asyncio.create_task(hear())
    await settle(lambda: feed._watch.books.is_whole and states(heard)[-1:] == [True])
    for step in range(seconds * 1_000_000_000 // STEP_NS):
        if trouble is not None:
            await trouble(step)
        simulator.clock.jump(simulator.clock.now_ns() + STEP_NS)
        await asyncio.sleep(0.06)
    await settle(lambda: told_book(feed) == venue_book(simulator) and states(heard)[-1])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await feed.close()
    return heard


def states(heard: list[Any]) -> list[bool]:
    return [one.is_up for one in heard if isinstance(one, FeedChange) and one.channel == CHANNEL]


def told_book(feed: BookedFeed) -> Any:
    book = feed._watch.books.find("BTC/USD")
    return book and (book.prices(book.bids, 99), book.prices(book.asks, 99))


def venue_book(simulator: Simulator) -> Any:
    sides = simulator.exchange.markets["BTC/USD"].book()
    return tuple(tuple((float(p), float(q)) for p, q in side) for side in sides)


def bars_of(heard: list[Any]) -> list[BarClosed]:
    return [one for one in heard if isinstance(one, BarClosed) and not one.late]


@VENUES
async def test_a_bar_comes_with_the_book_as_the_venue_told_it(
    simulator: Simulator, made: Callable[[Simulator], BookedFeed]
) -> None:
    heard = await listen(simulator, made(simulator), seconds=150)

    bars = bars_of(heard)
    assert states(heard) == [False, True]
    assert len(bars) >= 2
    for bar in bars:
        seen = heard[heard.index(bar) - 1]
        assert isinstance(seen, BookSeen)
        assert not bar.blind
        assert seen.time_ns >= bar.open_ns + MINUTE_NS - book_watch.FRESH_NS
        assert seen.bids[0][0] < seen.asks[0][0]
        assert len(seen.bids) == len(seen.asks) == 25


async def test_a_wrong_checksum_is_told_at_once_and_the_book_asked_for_again(
    simulator: Simulator,
) -> None:
    async def trouble(step: int) -> None:
        if step in (4, 9):
            simulator.exchange.faults.arm(Fault("bad_checksum", "book"))

    feed = kraken(simulator)
    heard = await listen(simulator, feed, seconds=60, trouble=trouble)

    assert states(heard) == [False, True, False, True, False, True]
    reasons = [one.reason for one in heard if isinstance(one, FeedChange) and not one.is_up]
    assert all("BTC/USD: checksum" in reason for reason in reasons[1:])


@VENUES
async def test_a_lost_connection_leaves_no_book(
    simulator: Simulator, made: Callable[[Simulator], BookedFeed]
) -> None:
    async def trouble(step: int) -> None:
        if step == 5:
            simulator.close_sockets()
            await asyncio.sleep(0.3)

    heard = await listen(simulator, made(simulator), seconds=60, trouble=trouble)

    assert states(heard) == [False, True, False, True]


async def test_a_missing_message_of_coinbase_leaves_no_book(simulator: Simulator) -> None:
    async def trouble(step: int) -> None:
        if step == 5:
            simulator.exchange.faults.arm(Fault("drop", "l2_data"))

    heard = await listen(simulator, coinbase(simulator), seconds=60, trouble=trouble)

    assert states(heard) == [False, True, False, True]
    assert any("came after" in one.reason for one in heard if isinstance(one, FeedChange))


@VENUES
async def test_a_bar_is_blind_while_heartbeats_come_but_no_book(
    simulator: Simulator,
    made: Callable[[Simulator], BookedFeed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(book_watch, "QUIET_SECONDS", 1.2)
    fell_silent = 0

    async def trouble(step: int) -> None:
        nonlocal fell_silent
        if step == 18:
            fell_silent = simulator.clock.now_ns()
            for session in simulator.sessions:
                kept = {s for s in session.subscriptions if s[0] != "book"}
                session.subscriptions = kept or {("instrument", "", 0)}  # heartbeats go on
            for other in simulator.coinbase.sockets.sessions:
                other.channels.pop("level2", None)

    heard = await listen(simulator, made(simulator), seconds=120, trouble=trouble)

    after = [bar for bar in bars_of(heard) if bar.open_ns + MINUTE_NS > fell_silent + STEP_NS]
    assert after[0].blind
    assert states(heard) == [False, True, False, True]
    assert any("no news of any book" in one.reason for one in heard if isinstance(one, FeedChange))


@VENUES
async def test_a_defect_in_the_keeping_of_books_stops_no_bar(
    simulator: Simulator,
    made: Callable[[Simulator], BookedFeed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(book_watch, "AGAIN_SECONDS", 0.5)
    check, broken = Book.check, True

    def fail(book: Book) -> None:
        if broken:
            raise ZeroDivisionError("a defect")
        check(book)

    async def trouble(step: int) -> None:
        nonlocal broken
        broken = 5 <= step < 45
        monkeypatch.setattr(Book, "check", fail)

    heard = await listen(simulator, made(simulator), seconds=180, trouble=trouble)

    told = [one.reason for one in heard if isinstance(one, FeedChange) and not one.is_up]
    assert states(heard) == [False, True, False, True]
    assert "ZeroDivisionError" in told[1]
    bars = bars_of(heard)
    assert len(bars) >= 2
    assert bars[0].blind
