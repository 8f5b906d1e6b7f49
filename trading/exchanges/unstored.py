"""Recording on a disk that is full: what cannot be stored waits, and entries wait with it."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import numpy as np
import structlog

from trading.engine.messages import FeedChange, News
from trading.engine.ports import MarketFeed
from trading.marketdata.store import BarStore, Merged, SeriesKey, StoreError

log = structlog.get_logger(__name__)

CHANNEL = "recording"
MOST_WAITING = 10_000  # bars of one series; the oldest go first


class PatientStore(BarStore):
    """A store of bars that keeps what it could not write, and writes it with what comes next."""

    def __init__(self, root: str | Path) -> None:
        super().__init__(root)
        self._waiting: dict[SeriesKey, np.ndarray] = {}
        self._problems: dict[SeriesKey, str] = {}

    @property
    def problem(self) -> str:
        """Why bars wait; empty when none does."""
        return next(iter(self._problems.values()), "")

    def merge(self, key: SeriesKey, bars: np.ndarray) -> Merged:
        """Add bars to a series, with those that wait for it; a disk that takes none raises nothing."""
        waiting = self._waiting.pop(key, bars[:0])
        wanted = _newest_of_each(np.concatenate([waiting, bars]))
        try:
            merged = super().merge(key, wanted)
        except (OSError, StoreError) as error:
            self._waiting[key] = wanted[-MOST_WAITING:]
            self._problems[key] = f"{key} is not stored: {error}"
            log.error("bars_not_stored", series=str(key), waiting=len(wanted), why=str(error))
            return Merged()
        self._problems.pop(key, None)
        return merged


def _newest_of_each(bars: np.ndarray) -> np.ndarray:
    """In the order of their times; of a time told twice what was told last."""
    later_first = bars[::-1]
    _, at = np.unique(later_first["open_ns"], return_index=True)
    return later_first[at]


class StoredOrHeldFeed:
    """A feed that records into a patient store; it tells whether entries must wait for that."""

    def __init__(self, feed: MarketFeed, *, store: PatientStore) -> None:
        self.feed, self._store = feed, store

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[News]:
        """What the other feed tells, behind the word on what was stored of it."""
        was_up: bool | None = None  # an earlier life may have ended while it was down
        async for told in self.feed.news(after_ns=after_ns):
            problem = self._store.problem
            if (is_up := not problem) != was_up:
                was_up = is_up
                words = problem or "bars are stored again"
                yield FeedChange(CHANNEL, is_up=is_up, reason=words)
            yield told

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """What the other feed has."""
        return await self.feed.history(market=market, before_ns=before_ns, count=count)

    async def close(self) -> None:
        """Nothing of its own is held."""
        await self.feed.close()
