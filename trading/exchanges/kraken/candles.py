"""Candles of WebSocket and REST -> closed bars, each told once and in order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trading.core.records import BAR
from trading.engine.messages import BarClosed
from trading.exchanges.venue_clock import read_stamp

NS = 1_000_000_000
GRACE_NS = 1_500_000_000  # a trade of the last moment may be told a little later
Values = tuple[float, float, float, float, float]  # open, high, low, close, volume
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)  # minutes


@dataclass
class Candles:
    """Candles of several markets of one timeframe that are not told yet."""

    timeframe_ns: int
    markets: int
    told_ns: dict[int, int] = field(default_factory=dict)  # open time of the last told bar
    _rows: dict[int, dict[int, Values]] = field(default_factory=dict)  # open time -> market -> row

    def put(self, market: int, open_ns: int, values: Values) -> None:
        """A candle as it stands; one that was told is never taken back."""
        if open_ns > self.told_ns.get(market, 0):
            self._rows.setdefault(open_ns, {})[market] = values

    def holes(self) -> list[tuple[int, int]]:
        """(market, last told open) where the next candle does not follow: quiet, or never heard of."""
        first: dict[int, int] = {}
        for open_ns in sorted(self._rows, reverse=True):
            first |= dict.fromkeys(self._rows[open_ns], open_ns)
        told = self.told_ns
        return [
            (market, told[market])
            for market, open_ns in first.items()
            if told.get(market) and open_ns > told[market] + self.timeframe_ns
        ]

    def close(self, now_ns: int) -> list[BarClosed]:
        """Bars that are final, in (open time, market) order.

        Final is an interval that has been over for a moment, or after which every market traded on.
        A bar after which another had already begun to close is late.
        """
        closed: list[BarClosed] = []
        for open_ns in sorted(self._rows):
            over = now_ns >= open_ns + self.timeframe_ns + GRACE_NS
            later = {m for at, rows in self._rows.items() if at > open_ns for m in rows}
            if not over and len(later) != self.markets:
                break
            is_late = now_ns >= open_ns + 2 * self.timeframe_ns
            for market, values in sorted(self._rows.pop(open_ns).items()):
                if open_ns > self.told_ns.get(market, 0):
                    self.told_ns[market] = open_ns
                    closed.append(BarClosed(market, open_ns, *values, late=is_late))
        return closed


def ws_candles(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, int, Values]]:
    """(symbol, open time, values) of the entries of an ohlc message; unreadable ones are left out."""
    found = []
    for row in rows:
        try:
            values = _values(row[name] for name in ("open", "high", "low", "close", "volume"))
            found.append((str(row["symbol"]), read_stamp(str(row["interval_begin"])), values))
        except (KeyError, ValueError, TypeError):
            continue
    return found


def rest_candles(result: Mapping[str, Any], *, now_ns: int, timeframe_ns: int) -> np.ndarray:
    """Committed candles of an OHLC answer; the running one is left out. Quiet intervals are no bars."""
    rows: Sequence[Any] = next((rows for name, rows in result.items() if name != "last"), [])
    bars = [
        (int(row[0]) * NS, *_values((row[1], row[2], row[3], row[4], row[6])))
        for row in rows
        if int(row[7]) > 0 and int(row[0]) * NS + timeframe_ns <= now_ns
    ]
    return np.array(bars, dtype=BAR)


def _values(given: Iterable[Any]) -> Values:
    opened, high, low, close, volume = (float(value) for value in given)
    return opened, high, low, close, volume


def interval_of(timeframe_ns: int) -> int:
    """Minutes of the timeframe.

    Raises:
        ValueError: Kraken has no candles of it.
    """
    minutes, rest = divmod(timeframe_ns, 60 * NS)
    if rest or minutes not in INTERVALS:
        accepted: Sequence[str] = [f"{minute} m" for minute in INTERVALS]
        raise ValueError(f"timeframe of {timeframe_ns // NS} s: Kraken has {', '.join(accepted)}")
    return int(minutes)
