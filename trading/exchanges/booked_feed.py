"""A market feed with order books: each bar is told with the book it is to be decided with."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

import numpy as np
from msgspec.structs import replace

from trading.engine.messages import BarClosed, News
from trading.engine.ports import MarketFeed
from trading.exchanges.book_watch import BookWatch


class BookedFeed:
    """Another feed; a bar whose book cannot be trusted at that moment is told as blind."""

    def __init__(self, feed: MarketFeed, *, watch: BookWatch) -> None:
        self.feed, self._watch = feed, watch
        self._queue: asyncio.Queue[News | None] = asyncio.Queue()  # None: the other feed ended

    @property
    def is_quiet(self) -> bool:
        """Whether all that was heard has been told."""
        return self._queue.empty()

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        """What the other feed tells, with books, and whether they keep coming."""
        async with aclosing(self._both(after_ns)) as both:
            async for told in both:
                if isinstance(told, BarClosed) and not told.late:
                    seen = self._watch.seen(told.market)
                    if seen is not None:
                        yield seen
                    yield replace(told, blind=seen is None)
                else:
                    yield told

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """What the other feed has."""
        return await self.feed.history(market=market, before_ns=before_ns, count=count)

    async def close(self) -> None:
        """Nothing of its own is held."""
        await self.feed.close()

    async def _both(self, after_ns: Mapping[int, int]) -> AsyncGenerator[News, None]:
        """News of the feed and of the books as they come, until the feed ends."""
        market = asyncio.create_task(self._hear_market(after_ns))
        books = asyncio.create_task(self._watch.run(self._queue.put_nowait))
        try:
            while (told := await self._queue.get()) is not None:
                yield told
            await market
        finally:
            for one in (market, books):
                one.cancel()
            await asyncio.gather(market, books, return_exceptions=True)

    async def _hear_market(self, after_ns: Mapping[int, int]) -> None:
        try:
            async for told in self.feed.news(after_ns=after_ns):
                self._queue.put_nowait(told)
        finally:
            self._queue.put_nowait(None)
