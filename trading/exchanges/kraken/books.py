"""Kraken's book channel: CRC-32 on every message; a book that fails it is asked for again."""

import time
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from trading.exchanges.book_watch import Patience
from trading.exchanges.books import BadBook, Book, Books, decimals_of
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken import names
from trading.exchanges.sockets import Ask, Broken, Connected, Frame
from trading.exchanges.tables import Table
from trading.exchanges.venue_clock import VenueClock, read_stamp

log = structlog.get_logger(__name__)

DEPTH = 25
MOST_FAILURES = 5  # of one symbol in a row


def checksum(book: Book) -> int:
    """CRC-32 over the ten best levels: every number's digits without point and leading zeros."""
    return zlib.crc32((book.asks.head() + book.bids.head()).encode())


def take(book: Book, row: Mapping[str, Any], *, is_snapshot: bool) -> None:
    """Bring a book up to one entry of the channel.

    Raises:
        BadBook: it cannot be read, or the checksum is another.
    """
    try:
        for side, rows in ((book.bids, row["bids"]), (book.asks, row["asks"])):
            if is_snapshot:
                side.replace(book.levels(rows, "price", "qty"))
            elif len(rows):
                side.change(book.levels(rows, "price", "qty"))
        expected = row["checksum"]
    except (KeyError, TypeError) as error:
        raise BadBook(f"an entry of the book cannot be read: {error!r}") from None
    found = checksum(book)
    if found != expected:
        raise BadBook(f"checksum {found}, the venue's is {expected}")
    book.check()


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

    async def requests(self) -> Sequence[Frame]:
        """The books of all symbols."""
        if not self.pairs:
            try:
                self.pairs |= names.read_pairs(await self.table.rows(self.books.symbols))
            except FAILS as error:
                raise OSError(f"no table of pairs: {error}") from None
        self._waiting = set(self.books.symbols)
        self._patience.begin(time.monotonic())
        return [_request("subscribe", self.books.symbols)]

    def hear(self, frame: Frame) -> Frame | Connected | Ask | None:
        """Books as they change; the whole book again where one cannot be trusted."""
        is_book = frame.get("channel") == "book"
        self._patience.hear(time.monotonic(), is_book=is_book, is_whole=self.books.is_whole)
        if not is_book:
            if frame.get("method") == "subscribe" and frame.get("success") is not True:
                raise Broken(f"no book: {frame.get('error', 'no reason given')}")
            return None
        rows, is_snapshot = frame.get("data"), frame.get("type") == "snapshot"
        spoilt = []
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and (symbol := self._hear(row, is_snapshot=is_snapshot)):
                spoilt.append(symbol)
        if spoilt:
            again = [_request(method, spoilt) for method in ("unsubscribe", "subscribe")]
            return Ask(again)
        if self._waiting and self.books.is_whole:
            self._waiting.clear()
            return Connected()
        return frame

    def _hear(self, row: Mapping[str, Any], *, is_snapshot: bool) -> str:
        """One entry; the symbol whose book it spoilt.

        Raises:
            Broken: it was spoilt too often in a row.
        """
        symbol = str(row.get("symbol"))
        is_new = is_snapshot and symbol in self.books.symbols
        book = self._new_book(symbol) if is_new else self.books.find(symbol)
        if book is None:
            return ""  # until the snapshot comes
        try:
            take(book, row, is_snapshot=is_snapshot)
        except BadBook as error:
            self.books.drop(symbol, str(error))
            self._failures[symbol] += 1
            log.warning("book_spoilt", symbol=symbol, why=str(error), times=self._failures[symbol])
            if self._failures[symbol] >= MOST_FAILURES:
                raise Broken(f"book of {symbol}: {error}") from None
            return symbol
        book.told_ns = self._stamp(row)
        if is_snapshot:
            self.books.put(symbol, book)
        elif self._failures:
            self._failures.pop(symbol, None)
        return ""

    def _new_book(self, symbol: str) -> Book:
        pair = names.choose(self.pairs, symbol)
        return Book(pair.price_decimals, decimals_of(pair.lot_size), DEPTH)

    def _stamp(self, row: Mapping[str, Any]) -> int:
        """When the venue said it; its clock stands there or later."""
        try:
            stamp_ns = read_stamp(str(row.get("timestamp")))
        except ValueError:
            return self.clock.now_ns()
        self.clock.hear(stamp_ns)
        return stamp_ns


def _request(method: str, symbols: Sequence[str]) -> Frame:
    params = {"channel": "book", "symbol": list(symbols), "depth": DEPTH}
    return {"method": method, "params": params}
