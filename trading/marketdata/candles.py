"""Trades into bars: put in order within a window, repeated ones dropped, summed as pandas sums."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trading.core.records import BAR
from trading.marketdata.checks import EARLIEST_NS, REORDER_WINDOW, moment
from trading.marketdata.formats import UnknownLayout
from trading.marketdata.lines import LineBlocks
from trading.marketdata.parsing import LineError
from trading.marketdata.reader import ReadOptions, ReadReport
from trading.marketdata.sources import no_line_end
from trading.marketdata.timeframes import NS, format_timeframe
from trading.marketdata.trades import NO_ID, TRADE, TradeLayout, parse_trades

DEFAULT_SECONDS = 60
REMEMBERED_IDS = 65_536


@dataclass(slots=True)
class TradeOrder:
    """Holds the newest trades back, so that one up to ``window`` trades late finds its place.

    Trades of the same moment keep the file's order. A trade whose id was met among those held or
    the last ``REMEMBERED_IDS`` given is a repeated one.
    """

    window: int = REORDER_WINDOW
    duplicates: int = 0
    order_breaks: int = 0
    _held: np.ndarray = field(default_factory=lambda: np.empty(0, TRADE))
    _lines: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    _given: np.ndarray = field(default_factory=lambda: np.empty(0, TRADE))
    _largest_id: int = NO_ID
    _frontier_ns: int = 0
    _last_ns: int = 0

    def push(self, trades: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, list[LineError]]:
        """Take trades in the file's order; give those whose place is certain, oldest first."""
        if len(trades) == 0:
            return trades, []
        times = trades["time_ns"]
        self.order_breaks += int((times < np.r_[self._last_ns, times[:-1]]).sum())
        self._last_ns = int(times[-1])
        trades, lines = np.concatenate([self._held, trades]), np.r_[self._lines, lines]
        trades, lines, errors = self._drop_repeated(trades, lines)
        late = trades["time_ns"] < self._frontier_ns
        errors += [
            (
                int(line),
                f"out of order: {moment(time_ns)} belongs more than {self.window} trades earlier",
            )
            for line, time_ns in zip(lines[late], trades["time_ns"][late], strict=True)
        ]
        trades, lines = trades[~late], lines[~late]
        order = np.argsort(trades["time_ns"], kind="stable")
        self._held, self._lines = trades[order], lines[order]
        return self._release(max(0, len(trades) - self.window)), errors

    def finish(self) -> np.ndarray:
        """Give what was held back."""
        return self._release(len(self._held))

    def _drop_repeated(
        self, trades: np.ndarray, lines: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, list[LineError]]:
        ids = trades["id"]
        if ids[0] == NO_ID or (ids[0] > self._largest_id and (ids[1:] > ids[:-1]).all()):
            return trades, lines, []
        known = np.concatenate([self._given, trades])
        _, first, back = np.unique(known["id"], return_index=True, return_inverse=True)
        before = first[back][len(self._given) :]
        again = before != np.arange(len(self._given), len(known))
        same = again & (trades == known[before])
        self.duplicates += int(same.sum())
        errors = [
            (int(lines[row]), f"id {trades['id'][row]} was met before with other values")
            for row in np.flatnonzero(again & ~same)
        ]
        return trades[~again], lines[~again], errors

    def _release(self, count: int) -> np.ndarray:
        given = self._held[:count]
        if count:
            self._frontier_ns = int(given["time_ns"][-1])
            if given["id"][0] != NO_ID:
                self._given = np.concatenate([self._given, given])[-REMEMBERED_IDS:]
                self._largest_id = max(self._largest_id, int(given["id"].max()))
        self._held, self._lines = self._held[count:], self._lines[count:]
        return given


@dataclass(slots=True)
class CandleBuilder:
    """Bars of trades in time order: open first, close last, a time without a trade stays absent.

    Volume is a compensated (Kahan) sum in the trades' order, as pandas and freqtrade sum, so the
    same trades give the same last digit; it is carried from piece to piece.
    """

    frame_ns: int
    _open: np.ndarray = field(default_factory=lambda: np.empty(0, BAR))
    _lost: float = 0.0

    def push(self, trades: np.ndarray) -> np.ndarray:
        """Bars that no later trade can change."""
        if len(trades) == 0:
            return np.empty(0, BAR)
        opens = trades["time_ns"] // self.frame_ns * self.frame_ns
        starts = np.flatnonzero(np.r_[True, opens[1:] != opens[:-1]])
        prices, ends = np.ascontiguousarray(trades["price"]), np.r_[starts[1:], len(trades)]
        bars = np.empty(len(starts), BAR)
        bars["open_ns"], bars["open"], bars["close"] = (
            opens[starts],
            prices[starts],
            prices[ends - 1],
        )
        bars["high"] = np.maximum.reduceat(prices, starts)
        bars["low"] = np.minimum.reduceat(prices, starts)
        amounts = trades["amount"].tolist()
        total, lost = 0.0, 0.0
        if len(self._open) and self._open[0]["open_ns"] == bars[0]["open_ns"]:
            total, lost = float(self._open[0]["volume"]), self._lost
            bars[0]["open"] = self._open[0]["open"]
            bars[0]["high"] = max(bars[0]["high"], self._open[0]["high"])
            bars[0]["low"] = min(bars[0]["low"], self._open[0]["low"])
            self._open = self._open[:0]
        for bar, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            total, lost = add_up(amounts[start:end], total, lost)
            bars[bar]["volume"], self._lost = total, lost
            total, lost = 0.0, 0.0
        bars = np.concatenate([self._open, bars])
        self._open = bars[-1:]
        return bars[:-1]

    def finish(self) -> np.ndarray:
        """The last bar, as far as its trades reach."""
        bars, self._open = self._open, self._open[:0]
        return bars


def add_up(amounts: list[float], total: float, lost: float) -> tuple[float, float]:
    """Kahan's sum continued: (total, what its last addition rounded away)."""
    for amount in amounts:
        wanted = amount - lost
        larger = total + wanted
        lost = (larger - total) - wanted
        total = larger
    return total, lost


def find_broken_trades(
    trades: np.ndarray, lines: np.ndarray, *, now_ns: int
) -> tuple[np.ndarray, list[LineError]]:
    """Mask of the trades that stand, and line and reason of each that does not."""
    sound = np.ones(len(trades), bool)
    errors: list[LineError] = []
    for name in ("price", "amount"):
        wrong = sound & ~(np.isfinite(trades[name]) & (trades[name] > 0))
        errors += [
            (int(lines[row]), f"{name} is not a positive number: {trades[name][row]}")
            for row in np.flatnonzero(wrong)
        ]
        sound &= ~wrong
    wrong = sound & ((trades["time_ns"] < EARLIEST_NS) | (trades["time_ns"] > now_ns))
    errors += [
        (int(lines[row]), f"time is before 2009 or in the future: {moment(trades['time_ns'][row])}")
        for row in np.flatnonzero(wrong)
    ]
    return sound & ~wrong, errors


class TradeReader:
    """One file of trades, given as the bars built of them; the same doors as ``BarReader``."""

    def __init__(
        self, path: Path, layout: TradeLayout, *, options: ReadOptions, now_ns: int
    ) -> None:
        """Look at the head of the file.

        Raises:
            UnreadableFile: the trades run from new to old.
        """
        self.path, self._layout, self._now_ns, self._show = path, layout, now_ns, options.show
        self.timeframe_seconds = options.timeframe_seconds or DEFAULT_SECONDS
        self.report = ReadReport(layout.describe(), timeframe_seconds=self.timeframe_seconds)
        head = next(iter(LineBlocks(path)))
        steps = np.diff(parse_trades(head, layout).trades["time_ns"])
        if (steps < 0).sum() > (steps > 0).sum():
            raise UnknownLayout("the trades run from new to old: sort them by time first")

    def __iter__(self) -> Iterator[np.ndarray]:
        report, order = self.report, TradeOrder()
        builder = CandleBuilder(self.timeframe_seconds * NS)
        blocks = LineBlocks(self.path)
        for block in blocks:
            parsed = parse_trades(block, self._layout)
            sound, broken = find_broken_trades(parsed.trades, parsed.lines, now_ns=self._now_ns)
            trades, misplaced = order.push(parsed.trades[sound], parsed.lines[sound])
            report.rows += len(parsed.trades) + len(parsed.errors)
            report.add(sorted(parsed.errors + broken + misplaced), show=self._show)
            report.duplicates, report.order_breaks = order.duplicates, order.order_breaks
            yield self._counted(builder.push(trades))
        damage = (blocks.next_line, blocks.damage) if blocks.damage else None
        notes = [no_line_end(blocks.next_line - 1)] if blocks.unterminated else []
        report.finish(damage=damage, notes=notes, show=self._show)
        yield self._counted(builder.push(order.finish()))
        yield self._counted(self._closed(builder.finish()))
        self._tell()

    def _counted(self, bars: np.ndarray) -> np.ndarray:
        self.report.bars += len(bars)
        return bars

    def _closed(self, bars: np.ndarray) -> np.ndarray:
        """The last bar, unless its time is not over yet."""
        return bars[bars["open_ns"] <= self._now_ns - self.timeframe_seconds * NS]

    def _tell(self) -> None:
        self.report.notes.append(
            f"{self.report.rows:,} trades built into {self.report.bars:,} bars of "
            f"{format_timeframe(self.timeframe_seconds)}; the first and the last hold what the "
            "file holds of them"
        )
        if self._layout.id is None:
            self.report.notes.append(
                "the trades have no comparable ids: repeated ones are not seen"
            )
