"""Kraken's book channel: CRC-32 on every message; a book that fails it is asked for again."""

import asyncio
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from trading.exchanges.book_watch import Patience
from trading.exchanges.books import BadBook, Book, Books, decimals_of
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken import names
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.sockets import Ask, Broken, Connected, Frame
from trading.exchanges.venue_clock import VenueClock, read_stamp

log = structlog.get_logger(__name__)

DEPTH, CHECKED = 25, 10
MOST_FAILURES = 5  # of one symbol in a row


def checksum(book: Book) -> int:
    """CRC-32 over the ten best levels: every number's digits without point and leading zeros."""
    levels = (*book.asks.best(CHECKED), *book.bids.best(CHECKED))
    return zlib.crc32("".join([f"{price}{quantity}" for price, quantity in levels]).encode())


def take(book: Book, row: Mapping[str, Any], *, is_snapshot: bool) -> None:
    """Bring a book up to one entry of the channel.

    Raises:
        BadBook: it cannot be read, or the checksum is another.
    """
    try:
        for side, rows in ((book.bids, row["bids"]), (book.asks, row["asks"])):
            levels = [book.level(str(one["price"]), str(one["qty"])) for one in rows]
            if is_snapshot:
                side.replace(levels)
            elif levels:
                side.change(levels)
        expected = str(row["checksum"])
    except (KeyError, TypeError) as error:
        raise BadBook(f"an entry of the book cannot be read: {error!r}") from None
    found = checksum(book)
    if str(found) != expected:
        raise BadBook(f"checksum {found}, the venue's is {expected}")
    book.check()


@dataclass(slots=True)
class KrakenBooks:
    """What the book channel makes of one connection."""

    rest: KrakenRest
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
                self.pairs |= names.read_pairs(await self.rest.public("AssetPairs"))
            except FAILS as error:
                raise OSError(f"no table of pairs: {error}") from None
        self._waiting = set(self.books.symbols)
        self._patience.begin(asyncio.get_running_loop().time())
        return [_request("subscribe", self.books.symbols)]

    def hear(self, frame: Frame) -> Frame | Connected | Ask | None:
        """Books as they change; the whole book again where one cannot be trusted."""
        if frame.get("method") == "subscribe" and frame.get("success") is not True:
            raise Broken(f"no book: {frame.get('error', 'no reason given')}")
        is_book = frame.get("channel") == "book"
        self._patience.hear(
            asyncio.get_running_loop().time(), is_book=is_book, is_whole=self.books.is_whole
        )
        if not is_book:
            return None
        rows = frame.get("data")
        spoilt = [
            symbol
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict)
            and (symbol := self._hear(row, is_snapshot=frame.get("type") == "snapshot"))
        ]
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
        if symbol not in self.books.symbols:
            return ""
        book = self._new_book(symbol) if is_snapshot else self.books.find(symbol)
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
        else:
            self._failures[symbol] = 0
        return ""

    def _new_book(self, symbol: str) -> Book:
        pair = names.choose(self.pairs, symbol)
        return Book(pair.price_decimals, decimals_of(pair.lot_size), DEPTH)

    def _stamp(self, row: Mapping[str, Any]) -> int:
        """When the venue said it; never later than its clock stands."""
        with suppress(ValueError):
            stamp_ns = read_stamp(str(row.get("timestamp", "")))
            self.clock.hear(stamp_ns)
            return min(stamp_ns, self.clock.now_ns())
        return self.clock.now_ns()


def _request(method: str, symbols: Sequence[str]) -> Frame:
    params = {"channel": "book", "symbol": list(symbols), "depth": DEPTH}
    return {"method": method, "params": params}
