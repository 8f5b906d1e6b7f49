"""`manage.py engine` against a running engine: done within a second, and said so."""

import json
import subprocess
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.factories import EngineRows
from tests.faults.processes import decisions, ended_afterwards, run_engine, wait_for
from tests.forking import answer_of

pytestmark = pytest.mark.faults


def engine(
    environment: dict[str, str], *arguments: str, exchange: str = "replay"
) -> "subprocess.CompletedProcess[str]":
    return answer_of(
        "manage.py", "engine", *arguments, "--tenant", "acme", "--exchange", exchange, "--json",
        environment=environment,
    )  # fmt: skip


def told(*arguments: str) -> dict[str, Any]:
    """The same command in this process: another one takes seconds to begin."""
    out = StringIO()
    call_command("engine", *arguments, tenant="acme", exchange="replay", json=True, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_an_engine_is_paused_killed_and_revived_from_the_terminal(street, environment) -> None:
    rows: EngineRows = street(
        60_000, speed="3000"
    )  # more than a busy machine gets through meanwhile
    running = run_engine(rows, environment, speed="3000")
    with ended_afterwards(running):
        wait_for(lambda: decisions(rows) > 20, "it decides")

        paused = engine(environment, "pause", "--reason", "lunch")
        assert paused.returncode == 0, paused.stderr
        assert json.loads(paused.stdout)["outcome"].startswith("entries paused")
        assert told("status")["holds"] == ["lunch (Resume lifts it)"]
        assert told("resume")["outcome"] == "entries resumed"
        assert told("kill")["outcome"].startswith("killed: ")
        assert told("resume")["outcome"] == "was not paused"
        (hold,) = told("status")["holds"]
        assert "an owner revives it" in hold
        assert told("revive")["outcome"] == "entries resumed"
        assert told("explain")["sentence"]
        assert told("reconcile")["outcome"].startswith("a paper account")
        assert told("status")["observed"] == "RUNNING"


def test_an_engine_that_does_not_run_is_waited_for_and_said_so(street, environment) -> None:
    street(100)
    began = time.monotonic()

    done = engine(environment, "pause", "--wait", "0.5")

    assert done.returncode == 5
    assert "not done within 0.5 s" in done.stdout
    assert time.monotonic() - began < 30


def test_an_engine_that_is_not_there_is_named_with_those_that_are(street, environment) -> None:
    street(100)

    done = engine(environment, "status", exchange="kraken")

    assert done.returncode == 2
    assert "no engine on 'kraken'" in done.stderr
