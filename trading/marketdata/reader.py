"""Reads a file of bars in order and within bounds, and keeps the account of what it left out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from trading.marketdata.checks import Sequencer, find_broken
from trading.marketdata.parsing import LineError
from trading.marketdata.sources import open_source
from trading.marketdata.timeframes import NS, InvalidTimeframe, format_timeframe, parse_timeframe


@dataclass(slots=True)
class ReadReport:
    """What a file held: counts of everything, the first broken lines in words."""

    layout: str = ""
    unit: str = "line"
    timeframe_seconds: int = 0
    rows: int = 0
    bars: int = 0
    broken: int = 0
    duplicates: int = 0
    order_breaks: int = 0
    shown: list[LineError] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, errors: list[LineError], *, show: int) -> None:
        """Count broken lines and keep the first in words."""
        self.broken += len(errors)
        self.shown.extend(errors[: max(0, show - len(self.shown))])
        self.reasons.update(_kind(reason) for _, reason in errors)

    def finish(self, *, damage: LineError | None, notes: list[str], show: int) -> None:
        """Take over how the file ended."""
        if damage:
            self.rows += 1
            self.add([damage], show=show)
        self.notes += notes


def _kind(reason: str) -> str:
    """The reason without its values, for counting."""
    return (
        reason.split(":")[0]
        if ":" in reason and not reason.startswith("time 2")
        else "placement in time"
    )


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the caller knows better than the file; None: to be found out."""

    layout_name: str | None = None
    day: date | None = None
    timeframe_seconds: int | None = None
    show: int = 20


class BarReader:
    """One file of bars. Format and timeframe are known after making it; iterate to read."""

    def __init__(self, path: Path, *, options: ReadOptions, now_ns: int) -> None:
        """Look at the head of the file.

        Raises:
            UnreadableFile: it does not hold bars; subclasses say what was seen instead.
            InvalidTimeframe: none was given and the data do not show one.
            OSError: it cannot be opened.
        """
        self._now_ns = now_ns
        self._show = options.show
        self._source = open_source(path, name=options.layout_name, day=options.day)
        self.report = ReadReport(layout=self._source.description, unit=self._source.unit)
        opens = np.unique(self._source.head_opens)
        self.timeframe_seconds = options.timeframe_seconds or _most_frequent_step(opens)
        self.report.timeframe_seconds = self.timeframe_seconds
        if len(opens) > 100 and not (np.diff(opens) == self.timeframe_seconds * NS).any():
            self.report.notes.append(
                f"no two of the first bars are {format_timeframe(self.timeframe_seconds)} apart: "
                "is the timeframe right?"
            )

    def __iter__(self) -> Iterator[np.ndarray]:
        report, order, source = self.report, Sequencer(unit=self._source.unit), self._source
        frame_ns = self.timeframe_seconds * NS
        for parsed in source:
            sound, broken = find_broken(
                parsed.bars, parsed.lines, frame_ns=frame_ns, now_ns=self._now_ns
            )
            bars, misplaced = order.push(parsed.bars[sound], parsed.lines[sound])
            report.rows += len(parsed.bars) + len(parsed.errors)
            report.add(sorted(parsed.errors + broken + misplaced), show=self._show)
            report.duplicates, report.order_breaks = order.duplicates, order.order_breaks
            report.bars += len(bars)
            yield bars
        report.finish(damage=source.damage, notes=source.notes, show=self._show)
        rest = order.finish()
        report.bars += len(rest)
        if order.descending:
            report.notes.append("the file runs from new to old")
        yield rest


def _most_frequent_step(opens: np.ndarray) -> int:
    steps, counts = np.unique(np.diff(opens), return_counts=True)
    if len(steps) == 0:
        raise InvalidTimeframe("fewer than two bars do not show their timeframe: give --timeframe")
    step = int(steps[np.argmax(counts)])
    try:
        return parse_timeframe(format_timeframe(step // NS) if step % NS == 0 else f"{step} ns")
    except InvalidTimeframe:
        raise InvalidTimeframe(
            f"the most frequent step between bars is {step / NS:g} seconds, which is no timeframe: "
            "give --timeframe"
        ) from None
