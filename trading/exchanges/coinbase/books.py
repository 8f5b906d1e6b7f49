"""Coinbase's level2 channel: whole books without a checksum; the count of frames shows what is missing."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from trading.exchanges.book_watch import Patience
from trading.exchanges.books import BadBook, Book, Books, Level, decimals_of
from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.sockets import Subscriptions, events_of
from trading.exchanges.failures import FAILS
from trading.exchanges.sockets import Broken, Connected, Frame
from trading.exchanges.tables import Table
from trading.exchanges.venue_clock import VenueClock, read_stamp

BID, ASK = "bid", "offer"
DECIMALS = 8  # at least, whatever the grid


def take(book: Book, event: Frame, *, is_snapshot: bool) -> bool:
    """Bring a book up to one event of the channel; whether both sides are there.

    Raises:
        BadBook: it cannot be read, or makes no book.
    """
    sides: dict[str, list[Level]] = {BID: [], ASK: []}
    try:
        for row in event["updates"]:
            sides[row["side"]].append(Level(row["price_level"], row["new_quantity"]))
        for side, levels in ((book.bids, sides[BID]), (book.asks, sides[ASK])):
            if is_snapshot:
                side.replace(levels)
            elif levels:
                side.change(levels)
    except (KeyError, TypeError) as error:
        raise BadBook(f"an event of the book cannot be read: {error!r}") from None
    return book.check()


@dataclass(slots=True)
class CoinbaseBooks:
    """What the level2 channel makes of one connection; what is spoilt begins again with another."""

    table: Table
    books: Books
    clock: VenueClock
    products: dict[str, names.Product]  # by the names market data comes under; kept
    _talk: Subscriptions = field(init=False)
    _patience: Patience = field(default_factory=Patience)

    async def requests(self) -> Sequence[Frame]:
        """The books of all symbols that are listed, and heartbeats."""
        if not self.products or self.books.absent:
            self.products |= await self._listed()
        wanted = dict.fromkeys(product.product_id for product in self.products.values())
        self._talk = Subscriptions("level2", list(wanted))
        self._patience.begin(asyncio.get_running_loop().time())
        return await self._talk.requests()

    async def _listed(self) -> dict[str, names.Product]:
        try:
            told = await self.table.rows(self.books.symbols)
        except FAILS as error:
            raise OSError(f"no list of products: {error}") from None
        listed = names.read_list(told)
        chosen = [listed[symbol] for symbol in self.books.leave_out(listed)]
        return {name: one for one in chosen for name in (one.product_id, one.alias) if name}

    def hear(self, frame: Frame) -> Frame | Connected | None:
        """Books as they change."""
        told = self._talk.hear(frame)
        is_book = frame.get("channel") == "l2_data"
        self._patience.hear(
            asyncio.get_running_loop().time(), is_book=is_book, is_whole=self.books.is_whole
        )
        if isinstance(told, dict) and is_book:
            for event in events_of(told):
                self._hear(event, self._stamp(told))
        return told

    def _hear(self, event: Frame, time_ns: int) -> None:
        product = self.products.get(str(event.get("product_id")))
        if product is None:
            return
        is_snapshot = _is_snapshot(event)
        book = _new_book(product) if is_snapshot else self.books.find(product.symbol)
        if book is None:
            return  # until the snapshot comes
        try:
            has_both = take(book, event, is_snapshot=is_snapshot)
        except BadBook as error:
            self.books.drop(product.symbol, str(error))
            raise Broken(f"book of {product.symbol}: {error}") from None
        book.told = time_ns
        if is_snapshot:
            self.books.put(product.symbol, book)
        self.books.note_sides(product.symbol, has_both=has_both)

    def _stamp(self, frame: Frame) -> int:
        """When the venue said it; never later than its clock stands."""
        with suppress(ValueError):
            stamp_ns = read_stamp(str(frame.get("timestamp", "")))
            self.clock.hear(stamp_ns)
            return min(stamp_ns, self.clock.now_ns())
        return self.clock.now_ns()


def _is_snapshot(event: Frame) -> bool:
    """Raises:
    Broken: it is neither that nor a change; without a checksum nothing may be guessed.
    """
    kind = event.get("type")
    if kind not in ("snapshot", "update"):
        raise Broken(f"event {kind!r} of a book: known are snapshot and update")
    return bool(kind == "snapshot")


def _new_book(product: names.Product) -> Book:
    """Old orders may rest on a finer grid than new ones are taken on."""
    tick, lot = decimals_of(product.tick_size), decimals_of(product.lot_size)
    return Book(max(tick, DECIMALS), max(lot, DECIMALS))
