"""Keeps every bar an engine was told, so that charts, backtests and proofs see what it saw."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import numpy as np

from trading.core.records import BAR
from trading.engine.messages import BarClosed, News
from trading.engine.ports import MarketFeed
from trading.marketdata.store import BarStore, SeriesKey

MOST_KEPT_BACK = 1000


class RecordingFeed:
    """Another feed, each of whose bars is stored before it is told on."""

    def __init__(self, feed: MarketFeed, *, store: BarStore, keys: Sequence[SeriesKey]) -> None:
        self._feed, self._store, self._keys = feed, store, tuple(keys)
        self._waiting: dict[int, list[tuple[float, ...]]] = {}

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        """What the other feed tells."""
        try:
            async for told in self._feed.news(after_ns=after_ns):
                if isinstance(told, BarClosed):
                    await self._keep(told)
                yield told
        finally:
            await self._flush()

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """What the other feed has."""
        return await self._feed.history(market=market, before_ns=before_ns, count=count)

    async def close(self) -> None:
        """Nothing waits any more."""
        await self._flush()
        await self._feed.close()

    async def _keep(self, bar: BarClosed) -> None:
        rows = self._waiting.setdefault(bar.market, [])
        rows.append((bar.open_ns, bar.open, bar.high, bar.low, bar.close, bar.volume))
        if not bar.late or len(rows) >= MOST_KEPT_BACK:  # a backlog is written in few pieces
            await self._flush()

    async def _flush(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for market, rows in waiting.items():
            bars = np.array(rows, dtype=BAR)
            await asyncio.to_thread(self._store.merge, self._keys[market], bars)
