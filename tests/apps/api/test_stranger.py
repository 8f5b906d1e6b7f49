"""From the published schema alone: what the engine does and why, tighter limits, a backtest, a pause."""

import json
from typing import Any

from tests.apps.api.conftest import issue
from tests.apps.api.stranger import SECONDS, Answer, Stranger
from tests.apps.api.test_client import acme, house
from tests.apps.trading.conftest import People
from tests.faults.processes import SHORT_LEASE, ended_afterwards, wait_for, worker_of_research
from tests.forking import Program
from tests.research.conftest import fill
from trading.marketdata.store import BarStore

__all__ = ["acme"]

BARS_A_SECOND = 20
RUN_ENGINE = ("manage.py", "run_engine", "--tenant", "acme", "--exchange", "synthetic")


def test_a_stranger_with_the_schema_and_a_key_understands_and_steers_the_house(
    acme: People, fresh_database, tmp_path
) -> None:
    fill(BarStore(tmp_path / "bars"))
    key = issue(acme, "olga", "admin")[1]
    speed = str(60 * BARS_A_SECOND)

    with house(fresh_database, tmp_path) as (address, environment):
        engine = Program(*RUN_ENGINE, "--speed", speed, environment={**environment, **SHORT_LEASE})
        with (
            ended_afterwards(engine),
            worker_of_research(environment),
            Stranger(address, key) as nova,
        ):
            run = asks_for_a_backtest(nova)
            understands_what_the_engine_does(nova)
            follows_the_stream(nova)
            pauses_and_resumes(nova)
            tightens_a_limit(nova)
            reads_the_report(nova, run)
            is_told_what_was_wrong(nova)


def understands_what_the_engine_does(nova: Stranger) -> None:
    def engine() -> Any:
        (one,) = nova.ask("status_retrieve").body["engines"]
        return one

    wait_for(lambda: engine()["observed"] == "RUNNING", "the engine to run", seconds=120)
    wait_for(lambda: engine()["last_bar_at"] is not None, "a decision")
    assert "entries are open" in nova.meaning("EngineStatus", "holds")
    assert (engine()["mode"], engine()["holds"]) == ("PAPER", [])
    assert "nothing is sent" in nova.meaning("EngineStatus", "mode")

    listed = nova.ask("list_decisions", limit=1)
    found = nova.follow(listed, "decisions_retrieve")
    why = found.body
    bars = nova.follow(found, "decisions_bars_retrieve").body["bars"]
    assert why["bar_opened_at"] in {bar["opened_at"] for bar in bars}
    assert why["sentence"]
    assert why["pair"] == "BTC/USD"
    refusing = [gate["name"] for gate in why["gates"] if gate["verdict"] == "refused"]
    assert refusing[:1] == ([why["refused_by"]["name"]] if why["refused_by"] else [])
    assert "first that refused" in nova.meaning("Explained", "gates")
    if refusing:
        assert why["stage"] != "entry"


def follows_the_stream(nova: Stranger) -> None:
    (example,) = nova.schema["components"]["schemas"]["StreamConfirmation"]["examples"]
    kinds: set[str] = set()
    with nova.listen("follow_stream") as socket:
        texts = 0
        while not kinds >= {"engine", "bar", "decision"}:
            for one in nova.check_text("follow_stream", socket.recv(timeout=SECONDS)):
                kinds.add(one["key"].partition(":")[0])
            texts += 1
            socket.send(json.dumps(dict.fromkeys(example, texts)))


def pauses_and_resumes(nova: Stranger) -> None:
    def holds() -> Any:
        (engine,) = nova.ask("status_retrieve").body["engines"]
        return engine["holds"]

    def is_done(asked: Answer) -> bool:
        command = nova.follow(asked, "commands_retrieve").body
        return command["finished_at"] is not None

    asked = nova.ask("control_pause_create", nova.example("control_pause_create"))
    assert "has not done it yet" in nova.meaning("Command", "finished_at")
    wait_for(lambda: is_done(asked), "the engine to pause")
    (hold,) = holds()
    assert (hold["kind"], hold["reason"]) == ("OPERATOR", "news")
    assert hold["lifted_by"]

    asked = nova.ask("control_resume_create", nova.example("control_resume_create"))
    wait_for(lambda: is_done(asked), "the engine to resume")
    assert holds() == []


def tightens_a_limit(nova: Stranger) -> None:
    body = nova.example("bots_revisions_create")
    ((name, wanted),) = body["params"].items()
    (known,) = (one for one in nova.ask("list_parameters").body if one["name"] == name)
    assert known["low"] <= wanted <= known["high"]
    assert known["help"]
    bot = nova.follow(nova.ask("list_bots"), "bots_retrieve")
    group, _, field = name.partition(".")
    before = bot.body["params"][group][field]
    assert before > wanted

    tighter = nova.follow(bot, "bots_revisions_create", body, **{"Idempotency-Key": "tighter"})
    again = nova.follow(bot, "bots_revisions_create", body, **{"Idempotency-Key": "tighter"})
    assert (tighter.status, again.body) == (201, tighter.body)
    assert tighter.body["is_active"]
    stale = nova.follow(bot, "bots_revisions_create", body)
    assert stale.status == 412
    looser = nova.ask(
        "bots_revisions_create",
        {"params": {name: before}},
        bot_id=bot.body["bot"],
        **{"If-Match": tighter.headers["ETag"]},
    )
    assert (looser.status, looser.body["wait"]["loosens"]) == (202, [name])
    assert nova.follow(looser, "bots_revisions_put_in_force_create", {}).status == 403
    assert nova.follow(looser, "bots_revisions_withdraw_create").status == 200


def asks_for_a_backtest(nova: Stranger) -> Answer:
    body = nova.example("backtest_run_create")
    stored = {one["pair"] for one in nova.ask("list_series").body}
    assert set(body["pairs"]) <= stored
    assert body["profile"] in {one["name"] for one in nova.ask("list_profiles").body}
    return nova.ask("backtest_run_create", body)


def reads_the_report(nova: Stranger, run: Answer) -> None:
    def status() -> str:
        found = nova.follow(run, "backtest_runs_retrieve").body
        assert found["error"] == ""
        return str(found["status"])

    wait_for(lambda: status() == "DONE", "the backtest", seconds=120)
    result = nova.follow(run, "backtest_runs_result_retrieve").body
    assert result["verdict"]["headline"]
    assert sum(result["decisions"].values()) > 0
    promised = nova.schema["paths"]["/api/v1/backtest/runs/{number}/result"]["get"]["responses"]
    told = promised["200"]["content"]["application/json"]["schema"]["properties"]
    assert told.keys() <= result.keys()
    assert told["metrics"]["properties"].keys() == result["metrics"].keys()
    report = nova.follow(run, "backtest_runs_report").body
    assert result["verdict"]["headline"][:20] in report


def is_told_what_was_wrong(nova: Stranger) -> None:
    body = {**nova.example("backtest_run_create"), "profile": "reckless", "timefarme": "5m"}
    refused = nova.ask("backtest_run_create", body)
    assert refused.status == 400
    told = {one["field"]: one["message"] for one in refused.body["errors"]}
    assert "did you mean 'timeframe'" in told["timefarme"]
    body = {**nova.example("backtest_run_create"), "profile": "reckless"}
    (error,) = nova.ask("backtest_run_create", body).body["errors"]
    assert error["field"] == "profile"
    for words in ("reckless", "balanced"):  # what was sent, and what is accepted
        assert words in error["message"]
    nowhere = nova.ask("commands_retrieve", command_id="0b7c9a2e-93c1-4f0e-8f0d-5d1f6b1f2a77")
    assert (nowhere.status, "no command 0b7c9a2e" in nowhere.body["detail"]) == (404, True)
