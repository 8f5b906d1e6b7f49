"""Carries a research request out, in a command or chunk by chunk in a worker: one code, one result."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenants.models import User
from tenants.scoping import tenant_scope
from trading.core.params import InvalidParams
from trading.marketdata.store import BarStore, StoreError
from trading.models import BacktestRun
from trading.operations import backtests, runs
from trading.operations.runs import Claim, LeaseLost, RunCancelled, RunChanged
from trading.research.requests import (
    BACKTEST,
    LOOKAHEAD,
    SWEEP,
    InvalidRequest,
    ResearchRequest,
)
from trading.research.results import Outcome, Trial
from trading.wiring.backtests import BacktestRefused, NothingStored, describe, describe_data, draw
from trading.wiring.evaluation import Bench, Prepared, prepare
from trading.wiring.journals import ChunkDone, Journal, MemoryJournal, Progress, RowsJournal
from trading.wiring.lookahead import run_lookahead
from trading.wiring.searches import run_sweep
from trading.wiring.walks import run_walk, windows_of

Clock = Callable[[], datetime]
REFUSALS = (
    NothingStored,
    BacktestRefused,
    InvalidRequest,
    InvalidParams,
    StoreError,
    RunChanged,
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended: the result, or what was tried until it was stopped."""

    status: str
    outcome: Outcome | None
    trials: list[Trial]
    number: int | None = None
    digest: str = ""


def execute(
    request: ResearchRequest, *, store: BarStore, journal: Journal, processes: int
) -> Outcome:
    """Do everything the journal does not know yet.

    Raises:
        NothingStored, BacktestRefused, StoreError: as ``load_markets``.
        InvalidRequest: no walk-forward window fits the bars.
    """
    from trading.core.jit import CORE_HASH  # loads the compiler

    prepared = prepare(store=store, request=request.base)
    data_hash = prepared.data_hash
    with Bench(prepared, processes=processes) as bench:
        total = _planned(request, bench)
        journal.begin(data_hash=data_hash, core_hash=CORE_HASH, total=total)
        if request.kind == BACKTEST:
            return _backtest(prepared, journal)
        outcome = _research(request, bench, journal)
    facts = {
        "kind": request.kind,
        "data_sha256": data_hash,
        "core_sha256": CORE_HASH,
        **describe_data(prepared.markets, prepared.request),
        **outcome.facts,
    }
    return Outcome(facts, outcome.charts)


def _planned(request: ResearchRequest, bench: Bench) -> int:
    """How many evaluations it takes."""
    if request.walk and request.search:
        return len(windows_of(bench, request.walk)) * (request.search.trials + 1)
    return request.search.trials if request.search else request.probes or 1


def _backtest(prepared: Prepared, journal: Journal) -> Outcome:
    journal.beat(0)
    run = prepared.run()
    journal.beat(1)
    facts = describe(run, prepared.markets, prepared.request)
    return Outcome(facts, draw(run, prepared.request))


def _research(request: ResearchRequest, bench: Bench, journal: Journal) -> Outcome:
    if request.kind == LOOKAHEAD:
        return run_lookahead(bench.prepared, request.probes, journal)
    if request.search is None:
        raise InvalidRequest(f"{request.kind}: needs parameters to search")
    if request.kind == SWEEP:
        return run_sweep(bench, request.search, journal)
    if request.walk is None:
        raise InvalidRequest(f"{request.kind}: needs train and test windows")
    return run_walk(bench, request.search, request.walk, journal)


def run_unkept(
    request: ResearchRequest, *, store: BarStore, processes: int, progress: Progress
) -> Ended:
    """Carry it out and keep nothing; Ctrl-C gives what was tried.

    Raises: as ``execute``.
    """
    journal = MemoryJournal(progress=progress)
    try:
        outcome = execute(request, store=store, journal=journal, processes=processes)
    except KeyboardInterrupt:
        return Ended(BacktestRun.Status.CANCELLED, None, list(journal.known().values()))
    return Ended(BacktestRun.Status.DONE, outcome, list(journal.known().values()))


def claim_new(
    request: ResearchRequest,
    *,
    tenant_id: UUID,
    actor: User | None,
    worker: str,
    now: datetime,
) -> Claim:
    """A new run already in this worker's hands: no other can take it in between."""
    with tenant_scope(tenant_id):
        run = backtests.request_run(tenant_id=tenant_id, request=request, actor=actor, now=now)
        claim = runs.claim_run(tenant_id=tenant_id, run_id=run.id, worker=worker, now=now)
    if claim is None:
        raise LeaseLost(f"{run} could not be claimed")  # nobody else has seen its row
    return claim


def run_claimed(
    claim: Claim,
    *,
    store: BarStore,
    clock: Clock,
    processes: int = 1,
    progress: Progress = lambda done, total: None,
    chunk_only: bool = False,
) -> Ended:
    """Carry a claimed run out to its end, or one chunk of it.

    Raises:
        LeaseLost: another worker has taken it over.
        NothingStored, BacktestRefused, …: the run has been closed as failed with these words.
    """
    journal = RowsJournal(claim, clock=clock, progress=progress, chunk_only=chunk_only)
    try:
        outcome = execute(claim.request, store=store, journal=journal, processes=processes)
    except ChunkDone:
        with tenant_scope(claim.tenant_id):
            runs.release_run(claim=claim)
        return _ended(claim, BacktestRun.Status.QUEUED, journal)
    except (KeyboardInterrupt, RunCancelled):
        _close(claim, status=BacktestRun.Status.CANCELLED, error="", now=clock())
        return _ended(claim, BacktestRun.Status.CANCELLED, journal)
    except REFUSALS as error:
        _close(claim, status=BacktestRun.Status.FAILED, error=str(error), now=clock())
        raise
    with tenant_scope(claim.tenant_id):
        digest = runs.finish_run(claim=claim, outcome=outcome, now=clock())
    return _ended(claim, BacktestRun.Status.DONE, journal, outcome=outcome, digest=digest)


def _ended(claim: Claim, status: str, journal: Journal, **more: Any) -> Ended:  # of Ended's fields
    trials = list(journal.known().values())
    return Ended(status, more.get("outcome"), trials, claim.number, more.get("digest", ""))


def _close(claim: Claim, *, status: str, error: str, now: datetime) -> None:
    with tenant_scope(claim.tenant_id):
        runs.end_run(claim=claim, status=status, error=error, now=now)


def work_on(*, tenant_id: UUID, run_id: UUID, worker: str, store: BarStore, clock: Clock) -> bool:
    """One chunk of a waiting run; whether more of it is left. Nothing to take is no error."""
    with tenant_scope(tenant_id):
        claim = runs.claim_run(tenant_id=tenant_id, run_id=run_id, worker=worker, now=clock())
    if claim is None:
        return False
    try:
        ended = run_claimed(claim, store=store, clock=clock, chunk_only=True)
    except LeaseLost:
        return False
    except REFUSALS:
        return False  # written in the row, for the person who asked
    return ended.status == BacktestRun.Status.QUEUED


def give_up(*, tenant_id: UUID, run_id: UUID, worker: str, error: str, now: datetime) -> None:
    """Close a run whose worker met an error nobody expected; without effect if it lost the run."""
    with tenant_scope(tenant_id):
        mine = BacktestRun.objects.filter(
            id=run_id, worker=worker, status=BacktestRun.Status.RUNNING
        )
        mine.update(
            status=BacktestRun.Status.FAILED, error=error, finished_at=now, lease_until=None
        )
