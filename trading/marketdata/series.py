"""Bars to replay or test over: a stored series, or one rolled up on the way; read piece by piece."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from trading.core.records import BAR
from trading.marketdata.store import CHUNK, BarStore, SeriesKey, SeriesNotFound
from trading.marketdata.timeframes import NS, format_timeframe, resample


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


def choose_bars(
    store: BarStore, *, venue: str, symbol: str, timeframe_seconds: int, chunk: int = CHUNK
) -> StoredBars:
    """The stored series for a timeframe: its own, or the coarsest that can be rolled up to it.

    Raises:
        SeriesNotFound: there is none; the text names near misses and what is stored.
    """
    keys = store.stored_keys()
    fitting = [
        key
        for key in keys
        if (key.venue, key.symbol) == (venue, symbol)
        and timeframe_seconds % key.timeframe_seconds == 0
    ]
    if fitting:
        best = max(fitting, key=lambda key: key.timeframe_seconds)
        return StoredBars(store, best, timeframe_seconds, chunk)
    wanted = f"{symbol} {format_timeframe(timeframe_seconds)} of {venue}"
    if not keys:
        raise SeriesNotFound(
            f"{wanted}: no bars are stored in {store.root}; use import_bars or download_bars first"
        )
    near = [key for key in keys if key.symbol == symbol and key.venue == venue]
    near = near or [
        key for key in keys if key.symbol in get_close_matches(symbol, [k.symbol for k in keys], 3)
    ]
    hint = f"; near is {', '.join(map(str, near[:5]))}" if near else ""
    raise SeriesNotFound(
        f"{wanted} is not stored{hint}; stored are {', '.join(map(str, keys[:20]))}"
    )
