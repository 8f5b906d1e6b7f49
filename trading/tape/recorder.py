"""Writes an engine's tape: notes in memory, written in batches before what depends on them."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from trading.core.config.pipeline import PipelineParams
from trading.engine.messages import MarketSpec
from trading.tape.entries import FORMAT, Entry, Start
from trading.tape.segments import SegmentWriter, prune

log = structlog.get_logger(__name__)

SEGMENT_BYTES = 8 << 20
SEGMENT_NS = 24 * 3600 * 1_000_000_000
NS_PER_DAY = 24 * 3600 * 1_000_000_000
STARTS_PER_SEGMENT = 4  # a segment holds at least so many times what its start takes
FAST = 1  # zlib's level


@dataclass(frozen=True, slots=True)
class TapeLimits:
    """What an engine's tape may take up; the oldest segments go first."""

    most_bytes: int
    days: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose tape it is, and by which core and clock."""

    engine_id: str
    specs: tuple[MarketSpec, ...]
    params: tuple[PipelineParams, ...]
    core_hash: str
    layout_hash: str
    epoch: Callable[[], int]
    now_ns: Callable[[], int]


@dataclass(frozen=True, slots=True)
class CoreBytes:
    """The core at one moment."""

    markets: bytes  # deflated
    account: bytes
    cursors: tuple[int, ...]


def deflate(markets: bytes) -> bytes:
    """Records are mostly rings that are not full yet."""
    return zlib.compress(markets, FAST)


class TapeRecorder:
    """One leader's tape. A tape that cannot be written never stops an engine: it says so and has a hole."""

    def __init__(self, *, folder: Path, owner: Owner, limits: TapeLimits) -> None:
        self._folder, self._owner, self._limits = folder, owner, limits
        self._waiting: list[Entry] = []
        self._writer: SegmentWriter | None = None
        self._number = self._sequence = 0
        self._opened_ns = self._room = 0
        self.now_ns = owner.now_ns

    def note(self, entry: Entry) -> None:
        """Remember what the engine is being told."""
        self._waiting.append(entry)

    def flush(self) -> None:
        """Give everything noted to the operating system, where it survives this process."""
        waiting, self._waiting = self._waiting, []
        self._sequence += len(waiting)
        if self._writer is None or not waiting:
            return
        try:
            self._writer.append(waiting)
        except OSError as error:
            self._fail(error)

    def is_due(self) -> bool:
        """Whether the next segment should begin: this one is full, old, or could not be written."""
        if self._writer is None:
            return True
        is_old = self.now_ns() - self._opened_ns >= SEGMENT_NS
        return is_old or self._writer.size >= self._room

    def begin(self, core: CoreBytes) -> None:
        """Begin a segment from this state; what was noted before belongs to the one before."""
        self.flush()
        self.close()
        self._number += 1
        self._opened_ns = self.now_ns()
        try:
            self._writer = SegmentWriter(self._folder, self._start(core))
            self._room = max(SEGMENT_BYTES, STARTS_PER_SEGMENT * self._writer.size)
            gone = prune(
                self._folder,
                most_bytes=max(0, self._limits.most_bytes - self._room),
                oldest_ns=self._opened_ns - self._limits.days * NS_PER_DAY,
                keep=self._writer.path,
            )
        except OSError as error:
            self._fail(error)
            return
        if gone:
            log.info("tape_pruned", segments=gone)

    def close(self) -> None:
        """End the segment."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _start(self, core: CoreBytes) -> Start:
        owner = self._owner
        return Start(
            format=FORMAT,
            engine_id=owner.engine_id,
            epoch=owner.epoch(),
            number=self._number,
            first_sequence=self._sequence + 1,
            opened_ns=self._opened_ns,
            core_hash=owner.core_hash,
            layout_hash=owner.layout_hash,
            specs=owner.specs,
            params=owner.params,
            cursors=core.cursors,
            markets=core.markets,
            account=core.account,
        )

    def _fail(self, error: OSError) -> None:
        self.close()
        log.error("tape_not_written", why=str(error))
