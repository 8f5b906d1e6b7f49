"""Makes one decision again from the tape: the segment that holds its bar, from its start up to it."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from trading.core.codes import ExitReason
from trading.core.jit import CORE_HASH
from trading.engine.state import CoreState, layout_hash
from trading.tape.entries import (
    BarTold,
    BookTold,
    DustLeft,
    Entry,
    ExitAsked,
    FillTold,
    Start,
    StopTold,
    TickTold,
)
from trading.tape.segments import (
    Segment,
    UnreadableSegment,
    list_segments,
    read_segment,
    read_start,
)

SHOWN_HASH = 16
TOLD = BarTold | BookTold | TickTold | FillTold | StopTold | DustLeft | ExitAsked


class NotOnTape(Exception):
    """The tape no longer, or never, had what the decision was made of; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decision: of which bot's revision, on which instrument, on which bar."""

    revision_id: str
    instrument_id: int
    bar_open_ns: int


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A decision made again, and where on the tape it stood."""

    record: bytes
    segment: str
    epoch: int
    sequence: int
    at_ns: int
    holds: int
    inputs: int  # told to the core in this segment up to and with the bar


def rebuild(folder: Path, wanted: Wanted, *, stored: bytes) -> Rebuilt:
    """The decision made again; the newest telling of its bar, or an older one that equals ``stored``.

    A bar is told twice where a leader died before it could commit what it had decided.

    Raises:
        NotOnTape: an input is missing, or another version of the core decided.
    """
    starts, found = _starts(folder), None
    for path, start in reversed(starts):
        market = _market(start, wanted)
        if market is None or start.cursors[market] >= wanted.bar_open_ns:
            continue
        segment = read_segment(path)
        at = _place(segment.entries, market, wanted.bar_open_ns)
        if at is None:
            continue
        one = _play(segment, at)
        if one.record == stored:
            return one
        found = found or one
    if found is None:
        raise NotOnTape(_missing(starts, wanted))
    return found


def _starts(folder: Path) -> list[tuple[Path, Start]]:
    found = []
    for path in list_segments(folder):
        try:
            found.append((path, read_start(path)))
        except UnreadableSegment:
            continue  # torn at its very beginning: it tells nothing, and nothing follows it
    return found


def _market(start: Start, wanted: Wanted) -> int | None:
    key = (wanted.revision_id, wanted.instrument_id)
    for spec in start.specs:
        if (spec.revision_id, spec.instrument_id) == key:
            return spec.index
    return None


def _place(entries: tuple[Entry, ...], market: int, open_ns: int) -> int | None:
    """Where the bar is told."""
    for at, entry in enumerate(entries):
        if isinstance(entry, BarTold) and (entry.told.market, entry.told.open_ns) == (
            market,
            open_ns,
        ):
            return at
    return None


def _play(segment: Segment, at: int) -> Rebuilt:
    """Tell a core everything up to and with the entry ``at``."""
    start, last = segment.start, segment.entries[at]
    assert isinstance(last, BarTold)
    core = core_of(start)
    record, inputs = b"", 0
    for entry in segment.entries[: at + 1]:
        inputs += isinstance(entry, TOLD)
        record = tell(core, entry) or record
    return Rebuilt(
        record=record,
        segment=segment.path.name,
        epoch=start.epoch,
        sequence=start.first_sequence + at,
        at_ns=last.at_ns,
        holds=last.holds,
        inputs=inputs,
    )


def core_of(start: Start) -> CoreState:
    """The core as it stood where a segment starts.

    Raises:
        NotOnTape: it was another version of the core.
    """
    if (start.core_hash, start.layout_hash) != (CORE_HASH, layout_hash()):
        raise NotOnTape(
            f"core {start.core_hash[:SHOWN_HASH]} decided, this is {CORE_HASH[:SHOWN_HASH]}: "
            "replay it with the version that decided"
        )
    core = CoreState(engine_id=start.engine_id, specs=start.specs, params=start.params)
    core.load(markets=zlib.decompress(start.markets), account=start.account)
    return core


def tell(core: CoreState, entry: Entry) -> bytes:
    """Tell the core one entry; the decision's bytes where it was a bar."""
    match entry:
        case BarTold():
            return core.on_bar(entry.told, holds=entry.holds)[0]
        case BookTold():
            core.on_book(entry.told)
        case TickTold():
            core.on_tick(entry.told)
        case FillTold():
            core.on_fill(entry.told)
        case StopTold():
            core.on_stop(entry.told)
        case DustLeft():
            core.on_dust(entry.market, entry.time_ns)
        case ExitAsked():
            core.request_exit(entry.market, ExitReason(entry.reason))
    return b""


def _missing(starts: list[tuple[Path, Start]], wanted: Wanted) -> str:
    bar = f"the bar of {moment(wanted.bar_open_ns)}"
    if not starts:
        return f"{bar} is missing: this engine has no tape here"
    known = [(start, m) for _, start in starts if (m := _market(start, wanted)) is not None]
    if not known:
        return f"{bar} is missing: no segment of the tape has this revision on this instrument"
    first, market = known[0]
    if first.cursors[market] >= wanted.bar_open_ns:
        return (
            f"{bar} is missing: the tape no longer reaches back to it; it begins after the bar of "
            f"{moment(first.cursors[market])}"
        )
    torn = [path.name for path, _ in starts if read_segment(path).is_torn]
    ends = f"; torn at the end: {', '.join(torn)}" if torn else ""
    return f"{bar} is missing: none of {len(starts)} segments has it{ends}"


def moment(time_ns: int) -> str:
    """Nanoseconds as people write a time."""
    return f"{datetime.fromtimestamp(time_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC"
