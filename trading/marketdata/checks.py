"""What makes a row a bar: the checks of a row by itself and of its place among the others."""

from dataclasses import dataclass, field

import numpy as np

from trading.core.records import BAR
from trading.marketdata.parsing import LineError
from trading.marketdata.timeframes import NS, format_timeframe

EARLIEST_NS = 1_230_940_800 * NS  # 2009-01-03, the first block of Bitcoin
REORDER_WINDOW = 4096


def moment(open_ns: int) -> str:
    """A time as people read it: seconds where they suffice."""
    text = str(np.datetime64(int(open_ns), "ns")).replace("T", " ")
    return text.removesuffix(".000000000")


def find_broken(
    bars: np.ndarray, lines: np.ndarray, *, frame_ns: int, now_ns: int
) -> tuple[np.ndarray, list[LineError]]:
    """Mask of the rows that stand, and line and reason of each that does not."""
    opens, high, low = bars["open_ns"], bars["high"], bars["low"]
    sound = (
        np.isfinite(bars["open"]) & np.isfinite(high) & np.isfinite(low) & np.isfinite(bars["close"])
        & np.isfinite(bars["volume"]) & (low > 0) & (bars["volume"] >= 0)
        & (low <= bars["open"]) & (low <= bars["close"])
        & (bars["open"] <= high) & (bars["close"] <= high)
        & (opens >= EARLIEST_NS) & (opens <= now_ns - frame_ns) & (opens % frame_ns == 0)
    )  # fmt: skip
    broken = np.flatnonzero(~sound)
    return sound, [
        (int(lines[row]), _reason(bars[row], frame_ns=frame_ns, now_ns=now_ns)) for row in broken
    ]


def _reason(bar: np.void, *, frame_ns: int, now_ns: int) -> str:
    for name in ("open", "high", "low", "close", "volume"):
        if not np.isfinite(bar[name]):
            return f"{name} is not a finite number"
    for name in ("open", "high", "low", "close"):
        if bar[name] <= 0:
            return f"{name} is not a positive price: {bar[name]}"
    if bar["volume"] < 0:
        return f"volume is negative: {bar['volume']}"
    if bar["high"] < bar["low"]:
        return f"high {bar['high']} is below low {bar['low']}"
    for name in ("open", "close"):
        if not bar["low"] <= bar[name] <= bar["high"]:
            return f"{name} {bar[name]} is outside low {bar['low']} and high {bar['high']}"
    opens = int(bar["open_ns"])
    if opens > now_ns:
        return f"time is in the future: {moment(opens)}"
    if opens < EARLIEST_NS:
        return f"time is before 2009-01-03: {moment(opens)}"
    if opens % frame_ns:
        return f"time {moment(opens)} is not on the {format_timeframe(frame_ns // NS)} grid"
    return f"the bar of {moment(opens)} has not closed yet"


@dataclass(slots=True)
class Sequencer:
    """Puts rows in order within a window, drops repeated rows, names what cannot be placed.

    The last rows in time order are held back, so that a row up to ``window`` rows late still finds
    its place and one row far ahead does not make all that follow it late. Files that run from new
    to old are read as such.
    """

    window: int = REORDER_WINDOW
    unit: str = "line"
    duplicates: int = 0
    order_breaks: int = 0
    descending: bool | None = None
    _bars: np.ndarray = field(default_factory=lambda: np.empty(0, BAR))
    _lines: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    _frontier: int | None = None
    _last_key: int | None = None

    def push(self, bars: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, list[LineError]]:
        """Take rows in the file's order; give those whose place is certain, oldest first."""
        if len(bars) == 0:
            return bars, []
        if self.descending is None and len(bars) > 1:
            steps = np.diff(bars["open_ns"])
            self.descending = bool((steps < 0).sum() > (steps > 0).sum())
        keys = self._keys(bars)
        before = np.r_[keys[0] if self._last_key is None else self._last_key, keys[:-1]]
        self.order_breaks += int((keys < before).sum())
        self._last_key = int(keys[-1])
        errors = self._arrange(np.concatenate([self._bars, bars]), np.r_[self._lines, lines])
        return self._release(max(0, len(self._bars) - self.window)), errors

    def finish(self) -> np.ndarray:
        """Give what was held back."""
        return self._release(len(self._bars))

    def _keys(self, bars: np.ndarray) -> np.ndarray:
        return -bars["open_ns"] if self.descending else bars["open_ns"]

    def _arrange(self, bars: np.ndarray, lines: np.ndarray) -> list[LineError]:
        keys = self._keys(bars)
        if (keys[1:] > keys[:-1]).all() and (self._frontier is None or keys[0] > self._frontier):
            self._bars, self._lines = bars, lines
            return []
        order = np.argsort(keys, kind="stable")
        bars, lines, keys = bars[order], lines[order], keys[order]
        late = np.zeros(len(bars), bool) if self._frontier is None else keys <= self._frontier
        errors = [
            (
                int(line),
                f"out of order: {moment(opens)} belongs more than {self.window} rows earlier",
            )
            for line, opens in zip(lines[late], bars["open_ns"][late], strict=True)
        ]
        bars, lines, keys = bars[~late], lines[~late], keys[~late]
        first = np.searchsorted(keys, keys)
        again = first != np.arange(len(keys))
        same = again & (bars == bars[first])
        self.duplicates += int(same.sum())
        errors += [
            (
                int(lines[row]),
                f"other values for {moment(bars['open_ns'][row])} than {self.unit} {lines[first[row]]}",
            )
            for row in np.flatnonzero(again & ~same)
        ]
        self._bars, self._lines = bars[~again], lines[~again]
        return errors

    def _release(self, count: int) -> np.ndarray:
        bars = self._bars[:count]
        if count:
            self._frontier = int(self._keys(bars[-1:])[0])
        self._bars, self._lines = self._bars[count:], self._lines[count:]
        return bars[::-1] if self.descending else bars
