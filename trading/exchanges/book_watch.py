"""Keeps the books of an engine's markets over connections that come and go."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from trading.engine.guards import BOOK_OF
from trading.engine.messages import BookSeen, FeedChange
from trading.exchanges.books import Books
from trading.exchanges.sockets import Broken, Conversation, Lost, Read, listen, read_frame
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

CHANNEL = "book"
TOLD_LEVELS = 25  # as many as the core reads
RESYNC_SECONDS = 5.0
QUIET_SECONDS = 60.0  # heartbeats alone do not keep a book alive
FRESH_NS = 5_000_000_000
AGAIN_SECONDS = 5.0


@dataclass(slots=True)
class Patience:
    """How long a connection may go without whole books, and without any news of them."""

    _whole_at: float = 0.0
    _news_at: float = 0.0

    def begin(self, now: float) -> None:
        """A connection begins."""
        self._whole_at = self._news_at = now

    def hear(self, now: float, *, is_book: bool, is_whole: bool) -> None:
        """Any frame came.

        Raises:
            Broken: another connection may do better.
        """
        if is_whole:
            self._whole_at = now
        elif now - self._whole_at > RESYNC_SECONDS:
            raise Broken(f"no whole book for {RESYNC_SECONDS:g} s")
        if is_book:
            self._news_at = now
        elif now - self._news_at > QUIET_SECONDS:
            raise Broken(f"no news of any book for {QUIET_SECONDS:g} s")


@dataclass(slots=True)
class BookWatch:
    """Listens for ever; says when books can be trusted, and what they are at a moment."""

    venue: str  # as sentences name it
    url: str
    books: Books
    converse: Callable[[], Conversation]
    clock: VenueClock
    fresh_ns: int = FRESH_NS  # of the venue's time
    read: Read = read_frame
    _is_up: bool | None = field(default=None)
    _lacking: dict[str, str] | None = field(default=None)  # as it was told last

    async def run(self, tell: Callable[[FeedChange], None]) -> None:
        """Keep the books for ever; what can be trusted is told as it changes, at first that none can.

        Whatever ends the keeping, a defect of ours included, ends the books only: they begin again.
        """
        while True:
            (ended,) = await asyncio.gather(self._keep(tell), return_exceptions=True)
            log.error("books_failed", exc_info=ended)
            self.books.drop_all(repr(ended))
            self._note(tell)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _keep(self, tell: Callable[[FeedChange], None]) -> None:
        self._note(tell)
        async with aclosing(listen(self.url, self.converse, read=self.read)) as frames:
            async for frame in frames:
                if isinstance(frame, Lost):
                    log.warning("books_lost", why=frame.reason)
                    self.books.drop_all(frame.reason)
                self._note(tell)

    def _note(self, tell: Callable[[FeedChange], None]) -> None:
        is_up = self.books.is_whole
        if is_up and self._lacking != self.books.lacking:
            self._note_markets(tell)
        if is_up is self._is_up:
            return
        self._is_up = is_up
        reason = f"no order book from {self.venue}: {self.books.reason}"
        tell(FeedChange(CHANNEL, is_up, "order books come again" if is_up else reason))

    def _note_markets(self, tell: Callable[[FeedChange], None]) -> None:
        """A market without two sides binds its own entries; at first all are told."""
        before, self._lacking = self._lacking, dict(self.books.lacking)
        for symbol in self.books.symbols:
            lacks = self._lacking.get(symbol, "")
            if before is None or lacks != before.get(symbol, ""):
                reason = f"order book of {symbol} at {self.venue}: {lacks or 'both sides again'}"
                tell(FeedChange(f"{BOOK_OF}{symbol}", not lacks, reason))

    def seen(self, market: int) -> BookSeen | None:
        """The book as it stands; None for one that lacks a side, or has not been told of lately."""
        book = self.books.find(self.books.symbols[market])
        if book is None or book.lacks or self.clock.now_ns() - book.told_ns > self.fresh_ns:
            return None
        return BookSeen(
            market=market,
            time_ns=book.told_ns,
            bids=book.prices(book.bids, TOLD_LEVELS),
            asks=book.prices(book.asks, TOLD_LEVELS),
        )
