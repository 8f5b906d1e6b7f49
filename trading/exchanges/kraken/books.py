"""Kraken's book channel: CRC-32 on every message; a book that fails it is asked for again."""

import time
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import structlog

from trading.exchanges import sockets
from trading.exchanges.book_watch import Patience
from trading.exchanges.books import BadBook, Book, Books, Level, decimals_of
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken import names
from trading.exchanges.kraken.sockets import refused_symbol, why_refused
from trading.exchanges.sockets import Ask, Broken, Connected, Frame
from trading.exchanges.tables import Table
from trading.exchanges.venue_clock import VenueClock, read_stamp

log = structlog.get_logger(__name__)

DEPTH = 25
CHANGED: Frame = {"channel": "book"}  # news for the listener: a book is there again
MOST_FAILURES = 5  # of one symbol in a row
SECOND = len("2026-01-31T12:00:00")


def checksum(book: Book) -> int:
    """CRC-32 over the ten best levels: every number's digits without point and leading zeros."""
    return zlib.crc32(book.bids.head(), zlib.crc32(book.asks.head()))


class Row(Level, gc=False, rename={"quantity": "qty"}):
    """A level in the channel's words."""

    quantity: Any


class Entry(msgspec.Struct, gc=False):
    """What one message says of one book."""

    symbol: str
    bids: list[Row]
    asks: list[Row]
    checksum: int
    timestamp: str | None = None


class BookFrame(msgspec.Struct, gc=False):
    """A message of the channel, its numbers as text."""

    channel: Literal["book"]
    type: Literal["snapshot", "update"]
    data: list[Entry]


DECODER = msgspec.json.Decoder(BookFrame, float_hook=str)


def read_book(text: str | bytes) -> BookFrame | Frame | None:
    """A message of the channel; any other frame as the other conversations hear it."""
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError):
        return sockets.read_frame(text)


def take(book: Book, entry: Entry, *, is_snapshot: bool) -> bool:
    """Bring a book up to one entry of the channel; whether both sides are there.

    Of a book without any level the venue documents no checksum.

    Raises:
        BadBook: it cannot be read, or the checksum is another.
    """
    try:
        if is_snapshot:
            book.bids.replace(entry.bids)
            book.asks.replace(entry.asks)
        else:
            if entry.bids:
                book.bids.change(entry.bids)
            if entry.asks:
                book.asks.change(entry.asks)
    except TypeError as error:
        raise BadBook(f"an entry of the book cannot be read: {error!r}") from None
    found = checksum(book)
    is_told = bool(entry.bids or entry.asks) or not is_snapshot
    if found != entry.checksum and is_told:
        raise BadBook(f"checksum {found}, the venue's is {entry.checksum}")
    return book.check()


@dataclass(slots=True)
class KrakenBooks:
    """What the book channel makes of one connection."""

    table: Table
    books: Books
    clock: VenueClock
    pairs: dict[str, names.Pair]  # kept over connections
    _failures: Counter[str] = field(default_factory=Counter)
    _patience: Patience = field(default_factory=Patience)
    _waiting: set[str] = field(default_factory=set)
    _second: str = ""  # of the stamp that the clock last heard

    async def requests(self) -> Sequence[Frame]:
        """The books of all symbols that are listed."""
        if not self.pairs or self.books.absent:
            try:
                self.pairs |= names.read_pairs(await self.table.rows(self.books.symbols))
            except FAILS as error:
                raise OSError(f"no table of pairs: {error}") from None
        listed = self.books.leave_out(self.pairs)
        self._waiting = set(listed)
        self._patience.begin(time.monotonic())
        return [_request("subscribe", listed)]

    def hear(self, frame: BookFrame | Frame) -> Frame | Connected | Ask | None:
        """Books as they change; the whole book again where one cannot be trusted."""
        if not isinstance(frame, BookFrame):
            return self._hear_other(frame)
        self._patience.hear(time.monotonic(), is_book=True, is_whole=self.books.is_whole)
        is_snapshot, spoilt = frame.type == "snapshot", []
        is_news = is_snapshot
        for entry in frame.data:
            symbol = entry.symbol
            is_new = is_snapshot and symbol in self.books.symbols
            book = self._new_book(symbol) if is_new else self.books.find(symbol)
            if book is None:
                continue  # until the snapshot comes
            try:
                has_both = take(book, entry, is_snapshot=is_snapshot)
            except BadBook as error:
                self._spoil(symbol, str(error))
                spoilt.append(symbol)
                continue
            book.told = stamp = entry.timestamp or self.clock.now_ns()
            if isinstance(stamp, str) and stamp[:SECOND] != self._second:
                self._hear_time(stamp)
            if is_snapshot:
                self.books.put(symbol, book)
            elif self._failures:
                self._failures.pop(symbol, None)
            if not has_both or self.books.lacking:
                is_news |= self.books.note_sides(symbol, has_both=has_both)
        if spoilt:
            return Ask([_request(method, spoilt) for method in ("unsubscribe", "subscribe")])
        if self._waiting and self.books.is_whole:
            self._waiting.clear()
            return Connected()
        return CHANGED if is_news else None

    def _hear_other(self, frame: Frame) -> Frame | None:
        self._patience.hear(time.monotonic(), is_book=False, is_whole=self.books.is_whole)
        if frame.get("channel") == "book":
            raise Broken("a message of the book channel cannot be read")
        if frame.get("method") != "subscribe" or frame.get("success") is True:
            return None
        symbol, why = refused_symbol(frame, self.books.symbols), why_refused(frame)
        if not symbol:
            raise Broken(f"no book: {why}")
        self.books.leave(symbol, why)  # until a connection is made anew
        return CHANGED

    def _spoil(self, symbol: str, why: str) -> None:
        """Raises:
        Broken: it was spoilt too often in a row.
        """
        self.books.drop(symbol, why)
        self._failures[symbol] += 1
        log.warning("book_spoilt", symbol=symbol, why=why, times=self._failures[symbol])
        if self._failures[symbol] >= MOST_FAILURES:
            self.pairs.clear()  # its decimals may be others by now
            raise Broken(f"book of {symbol}: {why}")

    def _new_book(self, symbol: str) -> Book:
        pair = names.choose(self.pairs, symbol)
        return Book(pair.price_decimals, decimals_of(pair.lot_size), DEPTH)

    def _hear_time(self, stamp: str) -> None:
        """The clock stands there or later; once a second is enough for it."""
        self._second = stamp[:SECOND]
        with suppress(ValueError):
            self.clock.hear(read_stamp(stamp))


def _request(method: str, symbols: Sequence[str]) -> Frame:
    params = {"channel": "book", "symbol": list(symbols), "depth": DEPTH}
    return {"method": method, "params": params}
