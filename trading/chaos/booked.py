"""The order books of a day: heard over a connection of their own, as an engine hears them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from trading.chaos.conductor import PAUSE_SECONDS, STEP_NS, Conductor
from trading.exchanges.book_watch import BookWatch
from trading.exchanges.booked_feed import BookedFeed
from trading.exchanges.books import Books
from trading.exchanges.coinbase.books import CoinbaseBooks
from trading.exchanges.coinbase.names import PRODUCTS
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.kraken.books import KrakenBooks, read_book
from trading.exchanges.kraken.names import TABLE
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.tables import OwnTable
from trading.exchanges.venue_clock import VenueClock

FRESH_NS = 3 * STEP_NS  # the newest book may still be on its way when a bar is told
BARS_WITHOUT, MOST_SECONDS = 10, 5.0
Close = Callable[[], Awaitable[None]]


def with_books(
    feed: Conductor, *, venue: str, address: str, symbols: Sequence[str], clock: VenueClock
) -> tuple[BookedFeed, Close]:
    """The day's bars with the books of that venue, and how to hang up."""
    watch, close = _watch(venue, address, Books(symbols), clock)
    feed.before_bar = partial(_wait_now_and_then, watch, feed.before_bar)
    return BookedFeed(feed, watch=watch), close


async def _wait_now_and_then(
    watch: BookWatch, before_bar: Callable[[int], Awaitable[None]], number: int
) -> None:
    """Books that are lost come back within seconds, which are most of a day."""
    await before_bar(number)
    if number % BARS_WITHOUT == 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_SECONDS):
                while watch.seen(0) is None:
                    await asyncio.sleep(PAUSE_SECONDS)


def _watch(venue: str, address: str, books: Books, clock: VenueClock) -> tuple[BookWatch, Close]:
    socket = address.replace("http", "ws", 1)
    watch = partial(BookWatch, venue, books=books, clock=clock, fresh_ns=FRESH_NS)
    if venue == "coinbase":
        coinbase = CoinbaseRest(url=f"{address}/api/v3/brokerage", clock=clock)
        converse = partial(CoinbaseBooks, OwnTable(coinbase, PRODUCTS), books, clock, {})
        return watch(url=f"{socket}/coinbase/ws", converse=converse), coinbase.close
    kraken = KrakenRest(url=address)
    talk = partial(KrakenBooks, OwnTable(kraken, TABLE), books, clock, {})
    return watch(url=f"{socket}/v2", converse=talk, read=read_book), kraken.close
