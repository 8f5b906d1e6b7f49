"""Bars to replay or test over: a stored series, or one rolled up on the way; read piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trading.core.records import BAR
from trading.marketdata.store import CHUNK, BarStore, SeriesKey
from trading.marketdata.timeframes import NS, resample


@dataclass(frozen=True, slots=True)
class StoredBars:
    """One stored series, on demand rolled up to a larger timeframe."""

    store: BarStore
    key: SeriesKey
    timeframe_seconds: int
    chunk: int = CHUNK

    def iter_bars(self, *, start_ns: int, end_ns: int) -> Iterator[np.ndarray]:
        """Closed bars with ``start_ns <= open_ns < end_ns``, in pieces.

        Raises:
            SeriesNotFound, DamagedSeries: as the store says.
            InvalidTimeframe: the timeframe is not a multiple of the stored one.
        """
        if self.timeframe_seconds == self.key.timeframe_seconds:
            yield from self.store.iter_bars(
                self.key, start_ns=start_ns, end_ns=end_ns, chunk=self.chunk
            )
            return
        frame_ns = self.timeframe_seconds * NS
        aligned = -(-start_ns // frame_ns) * frame_ns
        rolled = resample(
            self.store.iter_bars(self.key, start_ns=aligned, end_ns=_bucket_end(end_ns, frame_ns)),
            from_seconds=self.key.timeframe_seconds,
            to_seconds=self.timeframe_seconds,
            known_from_ns=max(aligned, self.store.first_open_ns(self.key)),
        )
        yield from (bars[bars["open_ns"] < end_ns] for bars in rolled)

    def tail(self, *, before_ns: int, count: int) -> np.ndarray:
        """The last ``count`` closed bars that opened before a moment, oldest first.

        Raises: as ``iter_bars``.
        """
        if self.timeframe_seconds == self.key.timeframe_seconds:
            return self.store.tail(self.key, before_ns=before_ns, count=count)
        frame_ns = self.timeframe_seconds * NS
        oldest = self.store.first_open_ns(self.key)
        span = max(2 * count * frame_ns, 1)
        while True:
            start = max(oldest, before_ns - span)
            pieces = (
                list(self.iter_bars(start_ns=start, end_ns=before_ns)) if start < before_ns else []
            )
            bars = np.concatenate(pieces) if pieces else np.empty(0, BAR)
            if len(bars) >= count or start <= oldest:
                return bars[-count:] if count else bars[:0]
            span *= 2


def _bucket_end(end_ns: int, frame_ns: int) -> int:
    """End of the bucket a range's end falls into, so that its last bar is rolled up whole."""
    largest = np.iinfo(np.int64).max
    return min(int(largest), -(-end_ns // frame_ns) * frame_ns)
