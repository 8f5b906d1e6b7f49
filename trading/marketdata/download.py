"""Resumable history: what the store lacks of a range is asked of a venue and merged. Django-free."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

import numpy as np

from trading.core.records import BAR
from trading.marketdata.checks import find_broken
from trading.marketdata.store import BarStore, Merged, SeriesKey, SeriesNotFound
from trading.marketdata.timeframes import NS

JOINED_BARS = 240  # holes nearer to each other are asked about together
MERGE_BARS, MERGE_PAGES = 20_000, 20  # a stored file is rewritten seldom


@dataclass(frozen=True, slots=True)
class Span:
    """Bars that open from ``start_ns`` until before ``end_ns``."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What a venue says of a pair, and up to when its bars cannot change any more."""

    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    final_ns: int


@dataclass(frozen=True, slots=True)
class Page:
    """Closed bars, and the moment up to which they are all there are."""

    bars: np.ndarray
    until_ns: int


class History(Protocol):
    """The past of one pair at one venue, in bars of one timeframe."""

    async def begin(self) -> Listing:
        """Look the pair up.

        Raises:
            Exception: the venue's own: not listed, or no answer.
        """
        ...

    def pages(self, span: Span) -> AsyncIterator[Page]:
        """The closed bars of a span, oldest first; intervals without a trade are no bars.

        Raises:
            Exception: the venue's own: no answer.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(slots=True)
class Download:
    """What a download did so far; it stays true when the download breaks off."""

    key: SeriesKey
    span: Span
    listing: Listing | None = None
    merged: Merged = field(default_factory=Merged)
    left_out: int = 0  # bars of the venue's that cannot be


class NothingToAsk(Exception):
    """No bar of the range has closed yet."""


async def download(
    *,
    store: BarStore,
    history: History,
    done: Download,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Merge what the store lacks of ``done.span``; what was asked for stays when it breaks off.

    Raises:
        NothingToAsk: the range lies in the future.
        StoreError: the store cannot take them.
        Exception: the venue's own.
    """
    frame_ns = done.key.timeframe_seconds * NS
    done.listing = await history.begin()
    end_ns = min(done.span.end_ns, done.listing.final_ns) // frame_ns * frame_ns
    start_ns = -(-done.span.start_ns // frame_ns) * frame_ns
    if start_ns >= end_ns:
        raise NothingToAsk
    missing = missing_spans(store, done.key, Span(start_ns, end_ns))
    whole, asked = sum(_bars_of(span, frame_ns) for span in missing), 0
    for span in joined(missing, apart_ns=JOINED_BARS * frame_ns):
        before = asked
        wanted = [one for one in missing if span.start_ns <= one.start_ns < span.end_ns]
        merge = _Merge(store, done, wanted)
        try:
            async with aclosing(history.pages(span)) as pages:  # type: ignore[type-var]
                async for page in pages:
                    merge.take(page)
                    asked = before + _bars_until(wanted, page.until_ns, frame_ns)
                    progress(asked, whole)
        finally:
            merge.flush()
        asked = before + _bars_until(wanted, span.end_ns, frame_ns)
        progress(asked, whole)


def missing_spans(store: BarStore, key: SeriesKey, span: Span) -> list[Span]:
    """Where a range has no bars, oldest first; both its ends lie on the grid.

    Raises:
        DamagedSeries: a stored file cannot be read.
    """
    frame_ns = key.timeframe_seconds * NS
    try:
        chunks = store.iter_bars(key, start_ns=span.start_ns, end_ns=span.end_ns)
        stored = [bars["open_ns"] for bars in chunks]
    except SeriesNotFound:
        stored = []
    opens = np.concatenate([[span.start_ns - frame_ns], *stored, [span.end_ns]]).astype(np.int64)
    return [
        Span(int(opens[at]) + frame_ns, int(opens[at + 1]))
        for at in np.flatnonzero(np.diff(opens) > frame_ns).tolist()
    ]


def joined(spans: Sequence[Span], *, apart_ns: int) -> list[Span]:
    """Spans with less than ``apart_ns`` between them as one."""
    found: list[Span] = []
    for span in spans:
        if found and span.start_ns - found[-1].end_ns < apart_ns:
            found[-1] = Span(found[-1].start_ns, span.end_ns)
        else:
            found.append(span)
    return found


@dataclass(slots=True)
class _Merge:
    """Pages on their way into the store: only what is missing there, in pieces worth a write."""

    store: BarStore
    done: Download
    wanted: Sequence[Span]
    _held: list[np.ndarray] = field(default_factory=list)

    def take(self, page: Page) -> None:
        opens = page.bars["open_ns"]
        starts = np.array([span.start_ns for span in self.wanted])
        ends = np.array([span.end_ns for span in self.wanted])
        at = np.searchsorted(starts, opens, side="right") - 1
        self._held.append(page.bars[(at >= 0) & (opens < ends[at])])
        if len(self._held) >= MERGE_PAGES or sum(map(len, self._held)) >= MERGE_BARS:
            self.flush()

    def flush(self) -> None:
        bars = np.concatenate([np.empty(0, BAR), *self._held])
        _, first = np.unique(bars["open_ns"], return_index=True)
        bars = bars[first]
        assert self.done.listing is not None  # asked for before the first page
        sound, broken = find_broken(
            bars,
            np.arange(len(bars)),
            frame_ns=self.done.key.timeframe_seconds * NS,
            now_ns=self.done.listing.final_ns,
        )
        self.done.left_out += len(broken)
        self.done.merged += self.store.merge(self.done.key, bars[sound])
        self._held.clear()


def _bars_of(span: Span, frame_ns: int) -> int:
    return (span.end_ns - span.start_ns) // frame_ns


def _bars_until(spans: Sequence[Span], until_ns: int, frame_ns: int) -> int:
    return sum(max(0, min(s.end_ns, until_ns) - s.start_ns) // frame_ns for s in spans)
