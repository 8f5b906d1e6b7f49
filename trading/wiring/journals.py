"""Where finished trials go: nowhere but memory, or rows that outlive the worker."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from tenants.scoping import tenant_scope
from trading.operations import runs
from trading.operations.runs import Claim
from trading.research.results import Trial
from trading.research.samplers import BATCH

BEAT_SECONDS = 2.0
Key = tuple[int, str, int]
Progress = Callable[[int, int], None]


class ChunkDone(Exception):
    """The share of one task is done; the rest is the next one's."""


class Journal(Protocol):
    """Told of everything a run does, and asked what was done before."""

    def begin(self, *, data_hash: str, core_hash: str, total: int) -> None:
        """What the run works on and how many evaluations it plans."""
        ...

    def known(self) -> dict[Key, Trial]:
        """Trials that need not be done again."""
        ...

    def beat(self, fresh: int) -> None:
        """So many evaluations are done and not yet kept."""
        ...

    def keep(self, trials: Sequence[Trial]) -> None:
        """A chunk is done."""
        ...


class MemoryJournal:
    """Of a command that keeps nothing."""

    def __init__(self, *, progress: Progress) -> None:
        self._progress = progress
        self._kept: dict[Key, Trial] = {}
        self._total = 0

    def begin(self, *, data_hash: str, core_hash: str, total: int) -> None:
        """Only the number of evaluations matters."""
        self._total = total

    def known(self) -> dict[Key, Trial]:
        """What this very run did."""
        return self._kept

    def beat(self, fresh: int) -> None:
        """Show it."""
        self._progress(len(self._kept) + fresh, self._total)

    def keep(self, trials: Sequence[Trial]) -> None:
        """Remember."""
        self._kept |= {trial.key: trial for trial in trials}
        self._progress(len(self._kept), self._total)


class RowsJournal:
    """Of a claimed run: every chunk is one transaction, in which the lease must still be held."""

    def __init__(
        self,
        claim: Claim,
        *,
        clock: Callable[[], datetime],
        progress: Progress,
        chunk_only: bool,
    ) -> None:
        self._claim = claim
        self._clock = clock
        self._progress = progress
        self._chunk_only = chunk_only
        self._total = self._fresh = 0
        self._last_beat = time.monotonic()
        with tenant_scope(claim.tenant_id):
            self._kept = {trial.key: trial for trial in runs.known_trials(claim=claim)}

    def begin(self, *, data_hash: str, core_hash: str, total: int) -> None:
        """The second worker must find what the first did."""
        self._total = total
        with tenant_scope(self._claim.tenant_id):
            runs.begin_run(claim=self._claim, data_hash=data_hash, core_hash=core_hash, total=total)

    def known(self) -> dict[Key, Trial]:
        """What this and earlier workers did."""
        return self._kept

    def beat(self, fresh: int) -> None:
        """Renew the lease now and then; also where a cancelled run stops."""
        done = len(self._kept) + fresh
        self._progress(done, self._total)
        if time.monotonic() - self._last_beat < BEAT_SECONDS:
            return
        self._last_beat = time.monotonic()
        with tenant_scope(self._claim.tenant_id):
            runs.renew_lease(claim=self._claim, done=done, now=self._clock())

    def keep(self, trials: Sequence[Trial]) -> None:
        """Write the chunk, then stop where a task has done its share."""
        with tenant_scope(self._claim.tenant_id):
            runs.keep_trials(claim=self._claim, trials=trials, now=self._clock())
        self._kept |= {trial.key: trial for trial in trials}
        self._progress(len(self._kept), self._total)
        self._fresh += len(trials)
        if self._chunk_only and self._fresh >= BATCH:
            raise ChunkDone
        with tenant_scope(self._claim.tenant_id):
            runs.renew_lease(claim=self._claim, done=len(self._kept), now=self._clock())
