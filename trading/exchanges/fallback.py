"""A feed that is shared while it can be, and one's own once it was gone for too long."""

from collections.abc import AsyncIterator, Callable, Mapping

import numpy as np
import structlog

from trading.engine.messages import BarClosed, News
from trading.engine.ports import MarketFeed
from trading.exchanges.shared.link import FeedGone

log = structlog.get_logger(__name__)


class FallbackFeed:
    """Another feed until that is gone; then, for good, one that is made when it is needed."""

    def __init__(self, shared: MarketFeed, *, make_own: Callable[[], MarketFeed]) -> None:
        self._feed, self._make_own = shared, make_own
        self.is_shared = True

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        """What the feed of the moment tells; the next goes on after the last told bars."""
        told_ns = dict(after_ns)
        while True:
            feed = self._feed
            try:
                async for told in feed.news(after_ns=dict(told_ns)):
                    if isinstance(told, BarClosed):
                        told_ns[told.market] = told.open_ns
                    yield told
                return
            except FeedGone as error:
                await self._change(feed, error)

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """What the feed of the moment has."""
        while True:
            feed = self._feed
            try:
                return await feed.history(market=market, before_ns=before_ns, count=count)
            except FeedGone as error:
                await self._change(feed, error)

    async def close(self) -> None:
        """Close it."""
        await self._feed.close()

    async def _change(self, gone: MarketFeed, error: FeedGone) -> None:
        if self._feed is gone:
            log.warning("feed_of_its_own", why=str(error))
            self._feed, self.is_shared = self._make_own(), False
            await gone.close()
