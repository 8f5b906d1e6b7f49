"""Runs of research: what a worker does to a row. Every step is refused once its lease is lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from trading.models import BacktestRun, BacktestTrial
from trading.research.requests import ResearchRequest, from_json
from trading.research.results import Outcome, Trial, pack

Status = BacktestRun.Status
LEASE = timedelta(seconds=120)
MOST_ATTEMPTS = 3


class LeaseLost(Exception):
    """Another worker has taken the run over, or it has ended."""


class RunCancelled(Exception):
    """A person asked for the run to end."""


class RunChanged(Exception):
    """Bars, core or a library changed while the run was under way; the text says which."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run in the hands of one worker."""

    tenant_id: UUID
    run_id: UUID
    number: int
    worker: str
    request: ResearchRequest


def claim_run(*, tenant_id: UUID, run_id: UUID, worker: str, now: datetime) -> Claim | None:
    """Take a run that waits, or whose worker is gone; None when there is nothing to take.

    A run that was taken again and again without any progress fails; a cancelled one ends.
    """
    free = Q(status=Status.QUEUED) | Q(status=Status.RUNNING, lease_until__lt=now)
    won = (
        BacktestRun.objects.filter(free, id=run_id)
        .update(
            status=Status.RUNNING,
            worker=worker,
            lease_until=now + LEASE,
            attempt=F("attempt") + 1,
            started_at=Coalesce("started_at", now),
        )
    )  # fmt: skip
    if not won:
        return None
    run = BacktestRun.objects.defer("result", "charts").get(id=run_id)
    claim = Claim(tenant_id, run_id, run.number, worker, from_json(run.request))
    if run.cancel_requested_at is not None:
        end_run(claim=claim, status=Status.CANCELLED, error="", now=now)
        return None
    if run.attempt > MOST_ATTEMPTS:
        words = f"its worker ended {MOST_ATTEMPTS} times without any progress"
        end_run(claim=claim, status=Status.FAILED, error=words, now=now)
        return None
    return claim


def begin_run(*, claim: Claim, data_hash: str, core_hash: str, total: int) -> None:
    """Write down what the run works on; the second time it must be the same.

    Raises:
        RunChanged: bars or core are not those of the run's beginning.
        LeaseLost: the run is another worker's by now.
    """
    run = BacktestRun.objects.defer("result", "charts").get(id=claim.run_id)
    for what, before, after in (
        ("stored bars", run.data_hash, data_hash),
        ("core", run.core_hash, core_hash),
    ):
        if before and before != after:
            raise RunChanged(f"the {what} changed while the run was under way; start it again")
    _update(claim, data_hash=data_hash, core_hash=core_hash, total=total)


def renew_lease(*, claim: Claim, done: int, now: datetime) -> None:
    """Stay the run's worker and show how far it is.

    Raises:
        LeaseLost: the run is another worker's by now.
        RunCancelled: a person asked for its end.
    """
    _update(claim, lease_until=now + LEASE, done=done)
    if BacktestRun.objects.filter(id=claim.run_id, cancel_requested_at__isnull=False).exists():
        raise RunCancelled(f"run {claim.number} was cancelled")


def keep_trials(*, claim: Claim, trials: Iterable[Trial], now: datetime) -> None:
    """Write a chunk down; from here a killed worker's successor goes on.

    Raises:
        LeaseLost: the run is another worker's by now; nothing was written.
    """
    _update(claim, lease_until=now + LEASE, attempt=0)
    BacktestTrial.objects.bulk_create(
        BacktestTrial(
            tenant_id=claim.tenant_id,
            run_id=claim.run_id,
            window=trial.window,
            sample=trial.sample,
            index=trial.index,
            values=dict(trial.values),
            metrics=trial.metrics,
            error=trial.error,
            daily=trial.daily,
        )
        for trial in trials
    )
    kept = BacktestTrial.objects.filter(run_id=claim.run_id)
    tried = kept.filter(sample=BacktestTrial.Sample.IN).count()
    _update(claim, done=kept.count(), trials=tried)


def known_trials(*, claim: Claim) -> list[Trial]:
    """What earlier workers of this run finished."""
    rows = BacktestTrial.objects.filter(run_id=claim.run_id).order_by("window", "index", "id")
    return [
        Trial(
            row.window,
            row.sample,
            row.index,
            row.values,
            row.metrics,
            row.error,
            bytes(row.daily),
        )
        for row in rows
    ]


def release_run(*, claim: Claim) -> None:
    """Put the run back in the queue; its trials stay."""
    _update(claim, status=Status.QUEUED, lease_until=None, worker="")


def finish_run(*, claim: Claim, outcome: Outcome, now: datetime) -> str:
    """Write the result and close the run for ever; the result's hash.

    Raises:
        LeaseLost: the run is another worker's by now; nothing was written.
    """
    packed, digest = pack(outcome.facts)
    run = BacktestRun.objects.defer("result", "charts").get(id=claim.run_id)
    _update(
        claim,
        status=Status.DONE,
        facts=without_trades(outcome.facts),
        result=packed,
        result_hash=digest,
        charts=pack(outcome.charts)[0],
        done=max(run.total, 1),
        trials=max(run.trials, 1),
        finished_at=now,
        lease_until=None,
    )
    return digest


def end_run(*, claim: Claim, status: str, error: str, now: datetime) -> None:
    """Close the run without a result: failed or cancelled; its trials stay and still count."""
    _update(claim, status=status, error=error, finished_at=now, lease_until=None)


def without_trades(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts lists and comparisons need; trades are in the packed result."""
    return {
        name: without_trades(value) if isinstance(value, dict) else value
        for name, value in facts.items()
        if name != "trades" or not isinstance(value, list)
    }


def _update(claim: Claim, **values: Any) -> None:  # names of columns, checked by Django
    mine = BacktestRun.objects.filter(id=claim.run_id, status=Status.RUNNING, worker=claim.worker)
    if not mine.update(**values):
        raise LeaseLost(f"run {claim.number} is not this worker's any more")
