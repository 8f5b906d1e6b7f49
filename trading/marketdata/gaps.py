"""Holes of a series: where bars are missing, how many, and what share of the span that is."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from trading.marketdata.timeframes import NS


@dataclass(frozen=True, slots=True, order=True)
class Hole:
    """Missing bars in a row: the first would have opened at ``from_ns``, the next is at ``to_ns``."""

    missing: int
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class GapReport:
    """The holes of a span; ``longest`` first, the earlier of two equally long ones first."""

    bars: int
    holes: int
    missing: int
    longest: tuple[Hole, ...]

    @property
    def share_missing(self) -> float:
        """Missing bars among all the span could hold."""
        return self.missing / (self.bars + self.missing) if self.bars else 0.0


def find_holes(chunks: Iterable[np.ndarray], *, timeframe_seconds: int) -> Iterator[Hole]:
    """Every hole between bars in time order, oldest first."""
    frame_ns, last = timeframe_seconds * NS, None
    for bars in chunks:
        if len(bars) == 0:
            continue
        opens = bars["open_ns"] if last is None else np.r_[last, bars["open_ns"]]
        last = int(opens[-1])
        steps = np.diff(opens)
        for at in np.flatnonzero(steps > frame_ns).tolist():
            begins, ends = int(opens[at]) + frame_ns, int(opens[at + 1])
            yield Hole(missing=(ends - begins) // frame_ns, from_ns=begins, to_ns=ends)


def count_duplicates(chunks: Iterable[np.ndarray]) -> int:
    """How many bars do not come after the bar before them; a sound store has none."""
    count, last = 0, None
    for bars in chunks:
        if len(bars):
            opens = bars["open_ns"] if last is None else np.r_[last, bars["open_ns"]]
            count, last = count + int((np.diff(opens) <= 0).sum()), int(opens[-1])
    return count


def report_gaps(chunks: Iterable[np.ndarray], *, timeframe_seconds: int, longest: int) -> GapReport:
    """Count the holes and keep the longest, in bounded memory."""
    bars, missing = 0, 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal bars
        for chunk in chunks:
            bars += len(chunk)
            yield chunk

    count, kept = 0, list[tuple[int, int, Hole]]()
    for hole in find_holes(counted(), timeframe_seconds=timeframe_seconds):
        count, missing = count + 1, missing + hole.missing
        heapq.heappush(kept, (hole.missing, -hole.from_ns, hole))
        if len(kept) > longest:
            heapq.heappop(kept)
    ordered = tuple(hole for *_, hole in sorted(kept, reverse=True))
    return GapReport(bars=bars, holes=count, missing=missing, longest=ordered)
