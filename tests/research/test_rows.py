"""Runs are numbered once, change only while they run, and are never deleted."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.utils import ProgrammingError

from tenants.models import AuditEntry
from tenants.scoping import tenant_scope
from tests import factories
from tests.research.conftest import NOW, base, claim, read
from trading.models import BacktestRun, BacktestTrial
from trading.operations import backtests, runs
from trading.research.requests import BACKTEST, ResearchRequest
from trading.research.results import Outcome, Trial

REQUEST = ResearchRequest(BACKTEST, base())
OUTCOME = Outcome({"return": 0.5, "trades": [1, 2]}, {"equity": []})
TRIAL = Trial(0, "IN", 0, {"a": 1}, {"return": 0.1}, "", b"")


def finished(tenant_id, ask) -> BacktestRun:
    run = ask(REQUEST)
    taken = claim(tenant_id, run.id)
    with tenant_scope(tenant_id):
        runs.finish_run(claim=taken, outcome=OUTCOME, now=NOW)
    return read(tenant_id, run.id)


def refused(statement: str, run: BacktestRun, *, alias: str = "default") -> bool:
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else TRUNCATE fails for them
            cursor.execute(statement, [run.id])
    except (IntegrityError, ProgrammingError):
        return True
    return False


def test_a_run_is_numbered_and_in_the_audit_log(tenant_id, ask) -> None:
    first, second = ask(REQUEST), ask(REQUEST)

    assert (first.number, second.number) == (1, 2)
    assert first.params_hash == second.params_hash
    with tenant_scope(tenant_id):
        assert AuditEntry.objects.filter(action="run.request").count() == 2


def test_each_workspace_counts_for_itself(tenant_id, ask) -> None:
    other = factories.make_tenant("other").id
    ask(REQUEST)

    with tenant_scope(other):
        run = backtests.request_run(tenant_id=other, request=REQUEST, actor=None, now=NOW)
        seen = list(BacktestRun.objects.values_list("id", flat=True))

    assert (run.number, seen) == (1, [run.id])


@pytest.mark.parametrize("alias", ["default", "owner"])
@pytest.mark.parametrize(
    "change",
    [
        "status = 'QUEUED'",
        "facts = '{}'",
        "result = ''",
        "number = 99",
        "trials = 0",
        "error = 'x'",
    ],
)
def test_an_ended_run_cannot_be_changed(tenant_id, ask, alias, change) -> None:
    run = finished(tenant_id, ask)

    with tenant_scope(tenant_id):
        assert refused(f"UPDATE trading_backtestrun SET {change} WHERE id = %s", run, alias=alias)


@pytest.mark.parametrize("alias", ["default", "owner"])
def test_no_run_is_deleted_ended_or_not(tenant_id, ask, alias) -> None:
    done, open_run = finished(tenant_id, ask), ask(REQUEST)

    with tenant_scope(tenant_id):
        for run in (done, open_run):
            assert refused("DELETE FROM trading_backtestrun WHERE id = %s", run, alias=alias)
        statement = "TRUNCATE trading_backtestrun CASCADE /* %s */"
        assert refused(statement, done, alias=alias)


def test_what_was_asked_never_changes_even_while_it_waits(tenant_id, ask) -> None:
    run = ask(REQUEST)

    with tenant_scope(tenant_id):
        for change in ("request = '{}'", "seed = 7", "number = 99", "params_hash = 'x'"):
            assert refused(f"UPDATE trading_backtestrun SET {change} WHERE id = %s", run)


def test_an_ended_run_leaves_the_list_and_still_counts(tenant_id, ask) -> None:
    run = finished(tenant_id, ask)

    with tenant_scope(tenant_id):
        backtests.archive_run(number=run.number, actor=None, now=NOW)

    assert read(tenant_id, run.id).archived_at == NOW
    assert ask(REQUEST).number == run.number + 1


def test_an_open_run_does_not_leave_the_list(tenant_id, ask) -> None:
    run = ask(REQUEST)

    with tenant_scope(tenant_id), pytest.raises(backtests.RunIsOpen):
        backtests.archive_run(number=run.number, actor=None, now=NOW)


def test_a_run_is_taken_by_one_worker_only(tenant_id, ask) -> None:
    run = ask(REQUEST)

    assert claim(tenant_id, run.id, worker="w1") is not None
    assert claim(tenant_id, run.id, worker="w2") is None


def test_a_run_whose_worker_is_gone_is_taken_over_and_the_first_can_write_no_more(
    tenant_id, ask
) -> None:
    run = ask(REQUEST)
    first = claim(tenant_id, run.id, worker="w1")

    second = claim(tenant_id, run.id, worker="w2", now=NOW + runs.LEASE + timedelta(seconds=1))

    assert second is not None
    with tenant_scope(tenant_id):
        with pytest.raises(runs.LeaseLost):
            runs.keep_trials(claim=first, trials=[TRIAL], now=NOW)
        with pytest.raises(runs.LeaseLost):
            runs.finish_run(claim=first, outcome=OUTCOME, now=NOW)
        assert BacktestTrial.objects.count() == 0


def test_a_run_that_kills_its_workers_fails_in_the_end(tenant_id, ask) -> None:
    run = ask(REQUEST)
    later = NOW
    for number in range(runs.MOST_ATTEMPTS + 1):
        claim(tenant_id, run.id, worker=f"w{number}", now=later)
        later += runs.LEASE + timedelta(seconds=1)

    row = read(tenant_id, run.id)
    assert (row.status, row.error) == ("FAILED", "its worker ended 3 times without any progress")


def test_a_waiting_run_is_cancelled_at_once_and_an_ended_one_cannot_be(tenant_id, ask) -> None:
    run = ask(REQUEST)

    with tenant_scope(tenant_id):
        backtests.cancel_run(number=run.number, actor=None, now=NOW)
        with pytest.raises(backtests.RunHasEnded):
            backtests.cancel_run(number=run.number, actor=None, now=NOW)

    assert read(tenant_id, run.id).status == "CANCELLED"
    assert claim(tenant_id, run.id) is None


def test_numbers_are_never_given_twice_by_requests_at_the_same_moment(fresh_database) -> None:
    tenant = factories.make_tenant("acme")
    barrier, numbers = Barrier(8), []

    def ask_at_once() -> None:
        barrier.wait(timeout=20)
        for _ in range(5):
            with tenant_scope(tenant.id):
                run = backtests.request_run(
                    tenant_id=tenant.id, request=REQUEST, actor=None, now=NOW
                )
                numbers.append(run.number)
        connections.close_all()

    threads = [Thread(target=ask_at_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(numbers) == list(range(1, 41))
