"""A command and a job do the same, to the last byte; a killed one goes on where it was."""

import json
import os
import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.scoping import tenant_scope
from tests import factories
from tests.faults.processes import wait_for, worker_of_research
from tests.research.conftest import NOW, SPACE, base, claim, clock, fill, read, search
from trading import tasks
from trading.marketdata.store import BarStore
from trading.models import BacktestRun, BacktestTrial
from trading.operations import backtests, runs
from trading.research.requests import (
    BACKTEST,
    LOOKAHEAD,
    SWEEP,
    WALK_FORWARD,
    ResearchRequest,
    Walk,
    from_json,
    to_json,
)
from trading.research.results import pack, unpack
from trading.research.space import parse_dimension
from trading.wiring import evaluation, research

REQUESTS = {
    "backtest": ResearchRequest(BACKTEST, base()),
    "sweep": ResearchRequest(SWEEP, base(seed=3), search(sampler="tpe", epochs=45)),
    "walk": ResearchRequest(
        WALK_FORWARD, base(), search(sampler="random", epochs=25), Walk(1, 1, 10)
    ),
    "lookahead": ResearchRequest(LOOKAHEAD, base(), probes=3),
}


def work_to_the_end(tenant_id, run, store: BarStore) -> int:
    """As the worker does, a chunk a call; how many calls."""
    calls = 1
    while research.work_on(
        tenant_id=tenant_id, run_id=run.id, worker=f"job {calls}", store=store, clock=clock
    ):
        calls += 1
    return calls


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_read_back_as_it_was_asked(name: str) -> None:
    assert from_json(json.loads(json.dumps(to_json(REQUESTS[name])))) == REQUESTS[name]


@pytest.mark.parametrize("name", REQUESTS)
def test_job_and_command_give_the_same_bytes(tenant_id, ask, store, name: str) -> None:
    request = REQUESTS[name]
    run = ask(request)
    calls = work_to_the_end(tenant_id, run, store)
    jobbed = read(tenant_id, run.id)

    taken = claim(tenant_id, ask(request).id, worker="command")
    ended = research.run_claimed(taken, store=store, clock=clock, processes=2)
    kept = read(tenant_id, taken.run_id)
    unkept = research.run_unkept(
        request, store=store, processes=1, progress=lambda done, total: None
    )

    assert (jobbed.status, jobbed.error) == ("DONE", "")
    assert unpack(bytes(jobbed.result)) == unpack(bytes(kept.result))
    assert jobbed.result_hash == kept.result_hash == ended.digest
    assert (bytes(jobbed.result), bytes(jobbed.charts)) == (bytes(kept.result), bytes(kept.charts))
    assert unkept.outcome is not None
    assert pack(unkept.outcome.facts)[1] == jobbed.result_hash
    assert jobbed.done == jobbed.total
    assert calls > 1 or name in ("backtest", "lookahead")


def test_a_kept_backtest_has_its_trades_and_equity(tenant_id, ask, store) -> None:
    run = ask(REQUESTS["backtest"])
    work_to_the_end(tenant_id, run, store)

    row = read(tenant_id, run.id)
    whole = unpack(bytes(row.result))
    points = unpack(bytes(row.charts))["equity"]

    assert row.facts is not None
    assert row.facts["closed_trades"] == len(whole["trades"]) > 5
    assert "trades" not in row.facts
    assert points["equity"][-1] == pytest.approx(row.facts["end_equity"], rel=1e-3)
    assert (row.data_hash, row.core_hash) != ("", "")
    assert row.trials == 1


def test_every_try_of_a_sweep_is_kept_with_its_days(tenant_id, ask, store) -> None:
    run = ask(ResearchRequest(SWEEP, base(), search()))
    work_to_the_end(tenant_id, run, store)

    with tenant_scope(tenant_id):
        trials = list(BacktestTrial.objects.filter(run_id=run.id).order_by("index", "id"))
    row = read(tenant_id, run.id)
    best = row.facts["best"]
    assert len(trials) == row.trials == row.facts["tried"] == 36
    assert all(trial.daily for trial in trials)
    assert best["score"] == max(trial.metrics["return"] for trial in trials)
    assert row.facts["result"]["return"] == best["score"]


def test_bars_that_changed_while_a_run_waits_fail_it_in_words(tenant_id, ask, store) -> None:
    run = ask(ResearchRequest(SWEEP, base(), search()))
    research.work_on(tenant_id=tenant_id, run_id=run.id, worker="w", store=store, clock=clock)
    factories.store_bars(research_bars(7), store=store, venue="bitfinex", symbol="BTC/USD")

    research.work_on(tenant_id=tenant_id, run_id=run.id, worker="w", store=store, clock=clock)

    row = read(tenant_id, run.id)
    assert (row.status, row.trials) == ("FAILED", 20)
    assert "stored bars changed" in row.error


def research_bars(seed: int):
    from tests.engine.fakes import random_bars

    return random_bars(seed, 6000)


def test_a_run_over_nothing_fails_in_words(tenant_id, ask, store) -> None:
    run = ask(ResearchRequest(BACKTEST, base(symbols=("DOGE/USD",))))

    assert not research.work_on(
        tenant_id=tenant_id, run_id=run.id, worker="w", store=store, clock=clock
    )
    assert "no bars of DOGE/USD" in read(tenant_id, run.id).error


def test_a_cancelled_sweep_keeps_what_it_tried(tenant_id, ask, store) -> None:
    run = ask(ResearchRequest(SWEEP, base(), search()))
    research.work_on(tenant_id=tenant_id, run_id=run.id, worker="w", store=store, clock=clock)
    taken = claim(tenant_id, run.id)
    with tenant_scope(tenant_id):
        backtests.cancel_run(number=run.number, actor=None, now=NOW)

    ended = research.run_claimed(taken, store=store, clock=clock)

    row = read(tenant_id, run.id)
    assert ended.status == row.status == "CANCELLED"
    assert row.trials == 36  # the chunk under way is finished and kept
    assert row.facts is None


def test_an_unexpected_error_closes_the_run_for_the_person_who_asked(
    tenant_id, ask, store, monkeypatch
) -> None:
    from trading import research_tasks

    run = ask(REQUESTS["backtest"])
    monkeypatch.setattr(research, "execute", lambda *_, **__: 1 / 0)

    research_tasks.run_research(tenant_id=str(tenant_id), run_id=str(run.id))

    row = read(tenant_id, run.id)
    assert row.status == "FAILED"
    assert "ZeroDivisionError" in row.error


@pytest.mark.faults
def test_a_sweep_whose_worker_is_killed_is_finished_by_the_next_to_the_same_bytes(
    fresh_database, tmp_path, settings
) -> None:
    settings.BARS_DIR = tmp_path / "bars"
    store = BarStore(settings.BARS_DIR)
    fill(store)
    tenant_id = factories.make_tenant("acme").id
    environment = {**fresh_database.environment, "NOVA_BARS_DIR": str(settings.BARS_DIR)}
    space = tuple(map(parse_dimension, ("exits.stop_scale=2:8:0.1", SPACE[0])))
    request = ResearchRequest(SWEEP, base(), search(space=space))
    with tenant_scope(tenant_id):
        run = backtests.request_run(
            tenant_id=tenant_id, request=request, actor=None, now=timezone.now()
        )

    def state() -> tuple[str, int]:
        with tenant_scope(tenant_id):
            row = BacktestRun.objects.get(id=run.id)
            return row.status, BacktestTrial.objects.count()

    tasks.wake_research()
    with worker_of_research(environment) as first:
        wait_for(lambda: state()[1] > 40, "three chunks")
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        status, before = state()
    assert (status in ("RUNNING", "QUEUED"), before < 183) == (True, True)

    with tenant_scope(tenant_id):  # as if its lease had run out
        BacktestRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.wake_research()
    with worker_of_research(environment):
        wait_for(lambda: state()[0] == "DONE", "the successor to finish")

    undisturbed = research.run_unkept(
        request, store=store, processes=1, progress=lambda done, total: None
    )
    assert undisturbed.outcome is not None
    assert state()[1] == 183
    assert read(tenant_id, run.id).result_hash == pack(undisturbed.outcome.facts)[1]


def test_the_beat_calls_a_worker_for_what_waits_and_what_was_left(
    tenant_id, ask, monkeypatch
) -> None:
    waiting, running, left = (
        ask(REQUESTS["backtest"]),
        ask(REQUESTS["sweep"]),
        ask(REQUESTS["walk"]),
    )
    claim(tenant_id, running.id, now=timezone.now())
    claim(tenant_id, left.id, now=timezone.now() - runs.LEASE - timedelta(seconds=1))
    called = []
    monkeypatch.setattr(tasks, "send_run", lambda **call: called.append(call["run_id"]))

    assert tasks.wake_research() == 2
    assert set(called) == {str(waiting.id), str(left.id)}


def test_a_set_that_is_asked_for_again_is_a_try_but_not_measured_again(
    tenant_id, ask, store, monkeypatch
) -> None:
    measured, honest = [], evaluation.Desk.measure

    def counting(*given):
        measured.append(given)
        return honest(*given)

    monkeypatch.setattr(evaluation.Desk, "measure", counting)
    space = (parse_dimension("exits.stop_scale=2,4,8"),)
    request = ResearchRequest(SWEEP, base(), search(sampler="tpe", epochs=60, space=space))

    ended = research.run_unkept(
        request, store=store, processes=1, progress=lambda done, total: None
    )

    assert ended.outcome is not None
    facts = ended.outcome.facts
    assert (facts["tried"], facts["different"], len(facts["leaders"])) == (60, 3, 3)
    assert len(measured) == 20  # the first batch; after it every set is known
