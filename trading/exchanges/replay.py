"""MarketFeed over bars that exist already (stored or synthetic), at any speed. Django-free."""

import heapq
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from trading.engine.messages import BarClosed
from trading.engine.ports import Clock

FOREVER = np.iinfo(np.int64).max
ROWS_AT_ONCE = 1024
BREATH_BARS = 64
NS = 1_000_000_000

Row = tuple[int, int, tuple[float, float, float, float, float]]


class BarSource(Protocol):
    """Closed bars of one market, in time order."""

    def iter_bars(self, *, start_ns: int, end_ns: int) -> Iterator[np.ndarray]:
        """Bars with ``start_ns <= open_ns < end_ns``, in pieces of bounded size."""
        ...

    def tail(self, *, before_ns: int, count: int) -> np.ndarray:
        """The last ``count`` bars that opened before a moment, oldest first."""
        ...


@dataclass(slots=True)
class ArrayBars:
    """A source of bars in memory."""

    bars: np.ndarray

    def iter_bars(self, *, start_ns: int, end_ns: int) -> Iterator[np.ndarray]:
        """Those that opened from ``start_ns`` until before ``end_ns``."""
        low, high = np.searchsorted(self.bars["open_ns"], [start_ns, end_ns])
        if high > low:
            yield self.bars[low:high]

    def tail(self, *, before_ns: int, count: int) -> np.ndarray:
        """The last ``count`` that opened before a moment."""
        return self.bars[: np.searchsorted(self.bars["open_ns"], before_ns)][-count:]


class InvalidSpeed(ValueError):
    """A speed that is neither a positive number nor ``max``."""


def parse_speed(text: str) -> float:
    """Market seconds per wall second; ``max`` is infinity: never wait.

    Raises:
        InvalidSpeed: something else.
    """
    try:
        speed = float("inf") if text.strip().lower() == "max" else float(text)
    except ValueError:
        speed = float("nan")
    if not speed > 0 or (speed == float("inf") and text.strip().lower() != "max"):
        raise InvalidSpeed(f"speed {text!r}: accepted is a number above 0, or max")
    return speed


@dataclass(frozen=True, slots=True)
class ReplayFeed:
    """Plays the bars of several markets of one timeframe, each at the moment it would have closed.

    The pace is anchored at the first bar given, so waiting errors do not add up; a consumer that
    falls behind gets the bars it missed without waiting until it has caught up.
    """

    sources: Sequence[BarSource]
    clock: Clock
    speed: float
    start_ns: int = 0
    end_ns: int = FOREVER

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[BarClosed]:
        """Closed bars in (open time, market) order; ends where the bars end."""
        rows = [self._rows(market, after_ns.get(market, 0)) for market in range(len(self.sources))]
        anchor_ns, anchor_s = None, 0.0
        for number, (open_ns, market, values) in enumerate(heapq.merge(*rows)):
            if anchor_ns is None:
                anchor_ns, anchor_s = open_ns, self.clock.monotonic()
            wait = anchor_s + (open_ns - anchor_ns) / NS / self.speed - self.clock.monotonic()
            if wait > 0:
                await self.clock.sleep(wait)
            elif number % BREATH_BARS == 0:
                await self.clock.sleep(0)
            yield BarClosed(market, open_ns, *values)

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last ``count`` bars that opened before a moment, oldest first."""
        return self.sources[market].tail(before_ns=before_ns, count=count)

    async def close(self) -> None:
        """Nothing is held."""

    def _rows(self, market: int, after_ns: int) -> Iterator[Row]:
        start_ns = max(self.start_ns, after_ns + 1 if after_ns else 0)
        for bars in self.sources[market].iter_bars(start_ns=start_ns, end_ns=self.end_ns):
            for position in range(0, len(bars), ROWS_AT_ONCE):
                for row in bars[position : position + ROWS_AT_ONCE].tolist():
                    yield row[0], market, row[1:]
