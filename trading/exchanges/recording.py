"""Keeps every bar an engine was told, so that charts, backtests and proofs see what it saw."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing

import numpy as np

from trading.core.records import BAR
from trading.engine.messages import BarClosed, News
from trading.engine.ports import MarketFeed
from trading.marketdata.store import BarStore, SeriesKey

MOST_AT_ONCE = 1000


class RecordingFeed:
    """Another feed, each of whose bars is stored before it is told on."""

    def __init__(self, feed: MarketFeed, *, store: BarStore, keys: Sequence[SeriesKey]) -> None:
        self._feed, self._store, self._keys = feed, store, tuple(keys)

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        """What the other feed tells."""
        async with aclosing(_in_batches(self._feed.news(after_ns=after_ns))) as batches:
            async for pieces in batches:
                await self._keep([told for told in pieces if _is_late(told)])
                for told in pieces:
                    if not _is_late(told):
                        await self._keep([told])
                    yield told

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """What the other feed has."""
        return await self._feed.history(market=market, before_ns=before_ns, count=count)

    async def close(self) -> None:
        """Close the other feed."""
        await self._feed.close()

    async def _keep(self, bars: Sequence[News]) -> None:
        rows: dict[int, list[tuple[float, ...]]] = {}
        for bar in bars:
            if isinstance(bar, BarClosed):
                row = (bar.open_ns, bar.open, bar.high, bar.low, bar.close, bar.volume)
                rows.setdefault(bar.market, []).append(row)
        for market, of_market in rows.items():
            found = np.array(of_market, dtype=BAR)
            await asyncio.to_thread(self._store.merge, self._keys[market], found)


def _is_late(told: News) -> bool:
    return isinstance(told, BarClosed) and told.late


async def _in_batches(news: AsyncIterator[News]) -> AsyncGenerator[list[News], None]:
    """Piece by piece; of a backlog, which is there at once, many together: storing is dear."""
    coming: asyncio.Task[News] | None = None
    try:
        while True:
            pieces = [await coming if coming else await anext(news)]
            coming = None
            while _is_late(pieces[-1]) and len(pieces) < MOST_AT_ONCE:
                coming = asyncio.ensure_future(_next(news))
                await asyncio.sleep(0)
                if not coming.done() or coming.exception():
                    break
                pieces.append(coming.result())
                coming = None
            yield pieces
    except StopAsyncIteration:
        return
    finally:
        if coming:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _next(news: AsyncIterator[News]) -> News:
    return await anext(news)
