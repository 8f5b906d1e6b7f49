"""Candles of several markets -> closed bars, each told once and in order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from trading.engine.messages import BarClosed

GRACE_NS = 1_500_000_000  # a trade of the last moment may be told a little later
Values = tuple[float, float, float, float, float]  # open, high, low, close, volume


def read_values(given: Iterable[Any]) -> Values:
    """Open, high, low, close and volume as a venue tells them.

    Raises:
        ValueError, TypeError: no market can have traded so.
    """
    opened, high, low, close, volume = map(float, given)
    is_bar = 0 < low <= opened <= high < inf and low <= close <= high and 0 <= volume < inf
    if not is_bar:  # of a number that is none every comparison is false
        raise ValueError(f"candle {opened, high, low, close, volume}: impossible")
    return opened, high, low, close, volume


@dataclass
class Candles:
    """Candles of several markets of one timeframe that are not told yet."""

    timeframe_ns: int
    markets: int
    told_ns: dict[int, int] = field(default_factory=dict)  # open time of the last told bar
    begun_ns: int = 0  # the venue's time when the connection could be followed
    _rows: dict[int, dict[int, Values]] = field(default_factory=dict)  # open time -> market -> row

    def put(self, market: int, open_ns: int, values: Values) -> None:
        """A candle as it stands; one that was told is never taken back.

        It only grows: of REST's and the stream's, read in any order, the later has more volume.
        """
        known = self.find(market, open_ns)
        is_older = known is not None and values[-1] < known[-1]
        if open_ns > self.told_ns.get(market, 0) and not is_older:
            self._rows.setdefault(open_ns, {})[market] = values

    def find(self, market: int, open_ns: int) -> Values | None:
        """A candle as it stands."""
        return self._rows.get(open_ns, {}).get(market)

    def put_all(self, market: int, bars: np.ndarray) -> None:
        """Candles as REST has them."""
        for open_ns, *values in bars.tolist():
            self.put(market, open_ns, tuple(values))

    def holes(self) -> list[tuple[int, int, int]]:
        """(market, last told open, next open) where a candle does not follow: quiet, or never heard of."""
        first: dict[int, int] = {}
        for open_ns in sorted(self._rows, reverse=True):
            first |= dict.fromkeys(self._rows[open_ns], open_ns)
        told = self.told_ns
        return [
            (market, told[market], open_ns)
            for market, open_ns in first.items()
            if told.get(market) and open_ns > told[market] + self.timeframe_ns
        ]

    def drop(self) -> None:
        """Forget what is not told yet."""
        self._rows.clear()

    def close(self, now_ns: int) -> list[BarClosed]:
        """Bars that are final, in (open time, market) order.

        Final is an interval that has been over for a moment, or after which every market traded on.
        A bar after which another had already begun to close is late, as is one of which that was so
        when the connection could be followed, whatever was heard since.
        """
        closed: list[BarClosed] = []
        late_ns = max(now_ns, self.begun_ns) - 2 * self.timeframe_ns
        for open_ns in self._final_opens(now_ns):
            is_late = open_ns <= late_ns
            for market, values in sorted(self._rows.pop(open_ns).items()):
                if open_ns > self.told_ns.get(market, 0):
                    self.told_ns[market] = open_ns
                    closed.append(BarClosed(market, open_ns, *values, late=is_late))
        return closed

    def final(self, now_ns: int) -> list[tuple[int, int, Values]]:
        """(market, open time, values) of what ``close`` would tell now."""
        return [
            (market, open_ns, values)
            for open_ns in self._final_opens(now_ns)
            for market, values in self._rows[open_ns].items()
        ]

    def _final_opens(self, now_ns: int) -> list[int]:
        opens, over_ns = sorted(self._rows), now_ns - self.timeframe_ns - GRACE_NS
        if len(opens) < 2 and not (opens and opens[0] <= over_ns):
            return []  # the running one, which nothing has followed
        newest = {market: open_ns for open_ns in opens for market in self._rows[open_ns]}
        followed_ns = min(newest.values()) if len(newest) == self.markets else 0
        return [open_ns for open_ns in opens if open_ns <= over_ns or open_ns < followed_ns]
