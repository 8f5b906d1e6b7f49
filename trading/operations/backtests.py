"""Runs of research: what people ask for. Each request is a numbered row; a worker or command acts."""

import uuid
from datetime import datetime

from django.db import connection
from django.db.models import Max

from tenants import operations as tenant_operations
from tenants.models import User
from trading.models import BacktestRun
from trading.research import requests
from trading.research.requests import BacktestRequest, ResearchRequest, Search, Walk

Status = BacktestRun.Status
MOST_UNFINISHED = 50  # of one tenant, so that nobody's thousand runs stand before another's one


class RunNotFound(Exception):
    """No run of this number in this tenant."""


class RunHasEnded(Exception):
    """The run is over; nothing is left to cancel."""


class TooManyRuns(Exception):
    """So many runs of this tenant wait already; the text says how many."""


class RunIsOpen(Exception):
    """The run has not ended; only an ended one leaves the list."""


def request_backtest(
    *, tenant_id: uuid.UUID, base: BacktestRequest, actor: User | None, now: datetime
) -> BacktestRun:
    """Ask for one run of one parameter set."""
    request = ResearchRequest(requests.BACKTEST, base)
    return request_run(tenant_id=tenant_id, request=request, actor=actor, now=now)


def request_sweep(
    *,
    tenant_id: uuid.UUID,
    base: BacktestRequest,
    search: Search,
    actor: User | None,
    now: datetime,
) -> BacktestRun:
    """Ask for the best of many parameter sets."""
    request = ResearchRequest(requests.SWEEP, base, search)
    return request_run(tenant_id=tenant_id, request=request, actor=actor, now=now)


def request_walk_forward(
    *,
    tenant_id: uuid.UUID,
    base: BacktestRequest,
    search: Search,
    walk: Walk,
    actor: User | None,
    now: datetime,
) -> BacktestRun:
    """Ask for sets chosen on one part of the bars and tested on the next, again and again."""
    request = ResearchRequest(requests.WALK_FORWARD, base, search, walk)
    return request_run(tenant_id=tenant_id, request=request, actor=actor, now=now)


def request_lookahead(
    *,
    tenant_id: uuid.UUID,
    base: BacktestRequest,
    probes: int,
    actor: User | None,
    now: datetime,
) -> BacktestRun:
    """Ask whether any decision would have been another with other bars after it."""
    request = ResearchRequest(requests.LOOKAHEAD, base, probes=probes)
    return request_run(tenant_id=tenant_id, request=request, actor=actor, now=now)


def request_run(
    *, tenant_id: uuid.UUID, request: ResearchRequest, actor: User | None, now: datetime
) -> BacktestRun:
    """Store a request under the tenant's next number; inside the tenant's scope.

    Raises:
        TooManyRuns: the tenant's other runs have to end first.
    """
    number = _next_number(tenant_id)
    unfinished = BacktestRun.objects.exclude(status__in=BacktestRun.ENDED).count()
    if unfinished >= MOST_UNFINISHED:
        raise TooManyRuns(f"{unfinished} runs wait or run already; wait, or cancel some of them.")
    run = BacktestRun.objects.create(
        tenant_id=tenant_id,
        number=number,
        kind=request.kind,
        requested_by=actor,
        request=requests.to_json(request),
        params_hash=request.params_hash,
        seed=request.base.seed,
        total=request.search.trials if request.search else request.probes or 1,
        created_at=now,
    )
    tenant_operations.write_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="run.request",
        subject=str(run),
        before={},
        after={"number": run.number, "kind": run.kind, "params_hash": run.params_hash},
        now=now,
    )
    return run


def _next_number(tenant_id: uuid.UUID) -> int:
    """One more than any before, one writer at a time; runs are never deleted, so never reused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 8))", [str(tenant_id)])
    last = BacktestRun.objects.filter(tenant_id=tenant_id).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def cancel_run(*, number: int, actor: User | None, now: datetime) -> None:
    """End a waiting run now, a running one after the evaluation it is at; what is done is kept.

    Raises:
        RunNotFound: no such run in this tenant.
        RunHasEnded: it is over.
    """
    run = _find(number)
    waiting = BacktestRun.objects.filter(id=run.id, status=Status.QUEUED)
    ended = waiting.update(status=Status.CANCELLED, finished_at=now, cancel_requested_at=now)
    if not ended:
        running = BacktestRun.objects.filter(id=run.id, status=Status.RUNNING)
        if not running.update(cancel_requested_at=now):
            raise RunHasEnded(f"{run} has ended already")
    _audit(run, "run.cancel", {"status": run.status}, actor=actor, now=now)


def archive_run(*, number: int, actor: User | None, now: datetime) -> None:
    """Take an ended run out of the list; it stays, and still counts as a try.

    Raises:
        RunNotFound: no such run in this tenant.
        RunIsOpen: it has not ended.
    """
    run = _find(number)
    ended = BacktestRun.objects.filter(id=run.id, status__in=BacktestRun.ENDED)
    if not ended.exists():
        raise RunIsOpen(f"{run} has not ended; cancel it first")
    if ended.filter(archived_at=None).update(archived_at=now):
        _audit(run, "run.archive", {}, actor=actor, now=now)


def _find(number: int) -> BacktestRun:
    run = BacktestRun.objects.defer("result", "charts").filter(number=number).first()
    if run is None:
        raise RunNotFound(f"no run {number} in this workspace")
    found: BacktestRun = run
    return found


def _audit(
    run: BacktestRun, action: str, before: dict[str, str], *, actor: User | None, now: datetime
) -> None:
    tenant_operations.write_audit(
        tenant_id=run.tenant_id,
        actor=actor,
        action=action,
        subject=str(run),
        before=before,
        after={"number": run.number},
        now=now,
    )
