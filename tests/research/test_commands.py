"""The commands of research: what they print, keep and refuse, and with which exit code."""

import json
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tenants.scoping import tenant_scope
from tests import factories
from tests.faults.processes import ROOT, ended_afterwards, wait_for
from tests.research.conftest import fill
from trading.backtest import runner
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.config.profiles import PROFILES
from trading.marketdata.store import BarStore
from trading.models import BacktestRun, BacktestTrial
from trading.operations import backtests

BTC = ("-p", "BTC/USD", "--profile", "active")
SETS = ("--param", "exits.stop_scale=2:8:2", "--objective", "return", "--jobs", "1")
WALK = (*SETS, "--train-days", "1", "--test-days", "1", "--purge", "30")


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def refuse(command: str, *arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        run(command, *arguments)
    return caught.value.returncode, str(caught.value)


def runs_of(tenant_id) -> list[BacktestRun]:
    with tenant_scope(tenant_id):
        return list(BacktestRun.objects.order_by("number", "id"))


def test_a_backtest_without_a_workspace_keeps_nothing(tenant_id) -> None:
    told = run("backtest", *BTC)

    assert "result sha256" in told
    assert runs_of(tenant_id) == []


def test_a_backtest_of_a_workspace_is_kept_and_shown_again(tenant_id) -> None:
    told = run("backtest", *BTC, "--tenant", "acme")
    again = run("backtest", *BTC, "--tenant", "acme", "--json", "--trades")

    first, second = runs_of(tenant_id)
    assert f"kept as run 1, result sha256 {first.result_hash}" in told
    assert first.result_hash == second.result_hash == json.loads(again)["result_sha256"]
    newest = run("backtest_show", "--tenant", "acme").splitlines()[0]
    assert newest.split()[:3] == ["2", "Backtest", "DONE"]
    shown = run("backtest_show", "1", "--tenant", "acme")
    assert told.split("\n\nkept")[0].strip() in shown
    facts = json.loads(run("backtest_show", "2", "--tenant", "acme", "--json"))
    assert len(facts["result"]["trades"]) == facts["result"]["closed_trades"] > 0


def test_runs_stand_side_by_side_with_the_parameters_that_differ(tenant_id) -> None:
    run("backtest", *BTC, "--tenant", "acme")
    run("backtest", *BTC, "--tenant", "acme", "--param", "exits.stop_scale=3")
    run("sweep", *BTC, *SETS, "--tenant", "acme")

    told = run("compare", "1", "2", "3", "--tenant", "acme")
    facts = json.loads(run("compare", "2", "1", "--tenant", "acme", "--json"))

    assert "exits.stop_scale" in told
    assert "Largest drawdown" in told
    assert facts["params"] == {"exits.stop_scale": [3.0, PROFILES["active"].exits.stop_scale]}
    assert facts["runs"] == [2, 1]


def test_a_sweep_tells_how_many_it_tried_and_warns(tenant_id) -> None:
    told = run("sweep", *BTC, *SETS)
    facts = json.loads(run("sweep", *BTC, *SETS, "--json"))

    assert "4 sets tried by grid" in told
    assert "partly luck" in told
    scores = [row["score"] for row in facts["leaders"]]
    assert scores == sorted(scores, reverse=True)
    assert facts["best"]["values"].keys() == {"exits.stop_scale"}


def test_processes_change_nothing_of_the_result(tenant_id) -> None:
    alone = run("sweep", *BTC, *SETS, "--json")
    several = run("sweep", *BTC, *SETS[:-1], "2", "--json")

    assert alone == several


def test_a_walk_forward_tells_promise_and_outcome(tenant_id) -> None:
    facts = json.loads(run("walk_forward", *BTC, *WALK, "--json"))
    told = run("walk_forward", *BTC, *WALK, "--tenant", "acme")

    assert len(facts["windows"]) == 3
    assert "return in sample" in told
    assert "all tests as one account: 10,000.00 to" in told
    assert facts["out_of_sample"]["return"] != 0


def test_the_training_of_a_walk_forward_does_not_know_gap_and_test(tenant_id, store) -> None:
    before = json.loads(run("walk_forward", *BTC, *WALK, "--json"))["windows"][0]
    bars = store.read(store.stored_keys()[0])
    train_end = int(np.datetime64(before["train"][1].rstrip("Z"), "ns").astype("i8"))
    later = bars["open_ns"] >= train_end
    for name in ("open", "high", "low", "close"):
        bars[name][later] *= 1.5
    factories.store_bars(bars, store=store, venue="bitfinex", symbol="BTC/USD")

    after = json.loads(run("walk_forward", *BTC, *WALK, "--json"))["windows"][0]

    assert after["in_sample"] == before["in_sample"]
    assert after["out_of_sample"] != before["out_of_sample"]


def test_the_core_does_not_look_ahead(tenant_id) -> None:
    told = run("lookahead_analysis", *BTC, "--probes", "4")

    assert told.startswith("no look-ahead: ")


def test_a_planted_look_ahead_is_named_with_bar_and_field(tenant_id, monkeypatch) -> None:
    honest = runner.run

    def peeking(*, series, **given):
        """Decides on the close of the bar after."""
        seen = []
        for bars in series:
            bars = bars.copy()
            close = np.r_[bars["close"][1:], bars["close"][-1:]]
            bars["close"] = close
            bars["high"] = np.maximum(bars["high"], close)
            bars["low"] = np.minimum(bars["low"], close)
            seen.append(bars)
        return honest(series=seen, **given)

    monkeypatch.setattr(runner, "run", peeking)
    out = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("lookahead_analysis", *BTC, "--probes", "3", stdout=out)

    assert caught.value.code == 1
    assert "LOOK-AHEAD: 3 of 3 probes changed the past" in out.getvalue()
    assert "BTC/USD bar 19" in out.getvalue()
    assert "close" in out.getvalue()


def test_a_peek_of_one_field_on_one_bar_is_found(tenant_id, monkeypatch) -> None:
    honest = runner.run

    def peeking(*, series, **given):
        result = honest(series=series, **given)
        result.decisions["confidence"][100] = series[0]["close"][-1]
        return result

    monkeypatch.setattr(runner, "run", peeking)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("lookahead_analysis", *BTC, "--probes", "2", "--json", stdout=out)

    found = json.loads(out.getvalue())["guilty"][0]["metrics"]["differences"]
    assert {tuple(one["fields"]) for one in found} == {("confidence",)}
    assert {one["way"] for one in found} == {"cut off", "altered"}


def test_a_peek_in_the_detail_of_a_decision_is_found(tenant_id, monkeypatch) -> None:
    honest = runner.run

    def peeking(*, series, **given):
        result = honest(series=series, **given)
        result.details["votes"]["score"][3, 1] = series[0]["close"][-1]
        return result

    monkeypatch.setattr(runner, "run", peeking)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("lookahead_analysis", *BTC, "--probes", "2", stdout=out)

    assert f"votes.{STRATEGY_NAMES[1]}.score" in out.getvalue()


def test_options_come_from_a_file_and_the_line_wins(tenant_id, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(
        json.dumps({"pairs": ["BTC/USD"], "timeframe": "5m", "profile": "active", "cash": 500})
    )

    facts = json.loads(run("backtest", "--config", str(path), "--json"))
    other = json.loads(run("backtest", "--config", str(path), "-i", "15m", "--json"))

    assert (facts["timeframe"], facts["start_equity"]) == ("5m", 500.0)
    assert other["timeframe"] == "15m"


def test_a_result_is_exported_as_json(tenant_id, tmp_path: Path) -> None:
    path = tmp_path / "result.json"

    run("backtest", *BTC, "--export", str(path))

    assert json.loads(path.read_text())["closed_trades"] > 0


def test_the_report_of_a_kept_run_is_written_again_as_it_was(tenant_id, tmp_path: Path) -> None:
    first, again, best = (tmp_path / name for name in ("1.html", "2.html", "3.html"))
    odd = ("--param", "exits.stop_scale=3.1")  # of no set of the sweep
    run("backtest", *BTC, *odd, "--tenant", "acme", "--html", str(first))
    run("sweep", *BTC, *SETS, "--tenant", "acme")

    run("backtest_show", "1", "--tenant", "acme", "--html", str(again))
    run("backtest_show", "2", "--tenant", "acme", "--html", str(best))

    assert first.read_text() == again.read_text() != best.read_text()


@pytest.mark.parametrize(
    ("command", "arguments", "code", "words"),
    [
        ("backtest", (), 4, "name at least one"),
        ("backtest", (*BTC, "--tenant", "acne"), 2, "known are acme"),
        ("backtest", (*BTC, "--param", "exits.stop_scale=1,2"), 4, "one value here"),
        ("backtest", (*BTC, "--param", "exits.stop=1"), 4, "did you mean"),
        ("backtest", (*BTC, "--cash", "-3"), 1, "decimal number above 0"),
        ("backtest", (*BTC, "--seed", "-1"), 4, "seed: must be from 0"),
        ("sweep", BTC, 4, "at least one parameter to vary"),
        ("sweep", (*BTC, *SETS, "--epochs", "0"), 4, "epochs: must be from 1"),
        ("sweep", (*BTC, *SETS[:-1], "0"), 4, "jobs: must be 1 or more"),
        ("sweep", (*BTC, "--param", "exits.stop_scale=2:3"), 4, "a grid needs a step"),
        ("sweep", (*BTC, *SETS, "--objective", "luck"), 1, "invalid choice: 'luck'"),
        ("walk_forward", (*BTC, *SETS), 4, "days of bars, but one train of 60 days"),
        ("walk_forward", (*BTC, *SETS, "--train-days", "0"), 4, "train days: must be from 1"),
        ("lookahead_analysis", (*BTC, "--probes", "0"), 4, "probes: must be from 1"),
        ("lookahead_analysis", ("-p", "DOGE/USD"), 2, "no bars of DOGE/USD"),
        ("backtest_show", ("7", "--tenant", "acme"), 2, "no run 7"),
        ("compare", ("1", "--tenant", "acme"), 4, "2 to 8 different runs, was 1"),
        ("compare", ("1", "2", "--tenant", "acme"), 2, "no run 1"),
        ("backtest", ("--config", "nowhere.json"), 1, "nowhere.json: No such file"),
    ],
)
def test_what_cannot_be_is_refused_in_words(tenant_id, command, arguments, code, words) -> None:
    found, told = refuse(command, *arguments)

    assert (found, words in told) == (code, True), told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"pair": ["BTC/USD"]}', "did you mean 'pairs'"),
        ('{"timeframe": "7m"}', "whole number of bars"),
        ("[1]", "must be an object"),
        ("{", "not JSON"),
    ],
)
def test_a_file_of_options_that_cannot_be_is_refused(tenant_id, tmp_path, text, words) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)

    _, told = refuse("backtest", "--config", str(path))

    assert words in told


def test_a_refused_run_of_a_workspace_is_kept_as_failed(tenant_id) -> None:
    refuse("backtest", "-p", "DOGE/USD", "--tenant", "acme")

    (row,) = runs_of(tenant_id)
    assert (row.status, row.number) == ("FAILED", 1)
    assert "DOGE/USD" in row.error


@pytest.mark.faults
def test_ctrl_c_keeps_what_was_tried_and_says_so(fresh_database, tmp_path, settings) -> None:
    settings.BARS_DIR = tmp_path / "bars"
    fill(BarStore(settings.BARS_DIR))
    tenant_id = factories.make_tenant("acme").id
    command = [sys.executable, "manage.py", "sweep", "--tenant", "acme", *BTC, "--jobs", "2"]
    process = subprocess.Popen(
        [*command, "--objective", "return", "--param", "exits.stop_scale=2:8:0.001"],
        cwd=ROOT,
        env={**fresh_database.environment, "NOVA_BARS_DIR": str(settings.BARS_DIR)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )

    def tried() -> int:
        with tenant_scope(tenant_id):
            return BacktestTrial.objects.count()

    with ended_afterwards(process):
        wait_for(lambda: tried() > 20, "a chunk")
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=60)

    (row,) = runs_of(tenant_id)
    assert process.returncode == 130, errors
    assert f"stopped after {tried():,} of 6,001 sets" in told
    assert (row.status, row.trials, row.done) == ("CANCELLED", tried(), tried())
    with tenant_scope(tenant_id), pytest.raises(backtests.RunHasEnded):
        backtests.cancel_run(number=1, actor=None, now=row.created_at)
