"""The report of a fleet tells what the kernel and the engines themselves say."""

import json
import os
import time
from collections.abc import Callable
from io import StringIO

import pytest
import redis
from django.core.management import call_command

from tenants.scoping import tenant_scope
from tests.factories import EngineRows
from tests.faults.processes import wait_for
from trading.fleet import Fleet
from trading.models import Engine
from trading.stream.publisher import channel_of
from trading.wiring.fleet_report import note_fleet
from trading.wiring.processes import ProcessGone, read_memory, read_start

pytestmark = pytest.mark.faults
KEPT_MB = 40


def hold_memory(*_: object) -> int:
    """An engine that takes up memory of its own and burns CPU, until it is ended."""
    kept = bytearray(os.urandom(1024) * (1024 * KEPT_MB))
    while kept:
        pass
    return 0


def told() -> tuple[int, str]:
    """Exit code and what `run_fleet --report --json` says."""
    out, code = StringIO(), 0
    try:
        call_command("run_fleet", report=True, json=True, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def test_memory_cpu_and_ages_of_every_engine(
    street: Callable[..., EngineRows], settings, tmp_path, redis_url: str
) -> None:
    settings.DATA_DIR = tmp_path
    rows = street(10)
    with tenant_scope(rows.tenant_id):
        Engine.objects.update(desired=Engine.Desired.RUNNING)
    assert told() == (3, "")
    word = {"wall_ms": (time.time() - 2) * 1000, "bar_wall_ms": (time.time() - 60) * 1000}
    with redis.Redis.from_url(redis_url) as client:
        key = f"{channel_of(str(rows.tenant_id))}:latest"
        client.hset(key, f"engine::{rows.engine_id}", json.dumps({"data": word}))
    fleet = Fleet(main=hold_memory, note=note_fleet)
    fleet.step()
    (pid,) = [child.pid for child in fleet.children.values()]
    try:
        wait_for(lambda: read_memory(pid).private_mb > KEPT_MB, "it has its memory")
        code, text = told()
    finally:
        fleet.stop_all()

    report = json.loads(text)
    (engine,) = report["engines"]
    assert code == 0
    assert (report["parent"]["pid"], engine["pid"]) == (os.getpid(), pid)
    assert engine["name"] == "acme replay 'Paper'"
    assert KEPT_MB < engine["memory"]["private_mb"] <= engine["memory"]["pss_mb"]
    assert engine["memory"]["pss_mb"] < engine["memory"]["rss_mb"]
    assert engine["cpu_percent"] > 0
    assert 2 <= engine["last_word_seconds"] < 60 <= engine["last_bar_seconds"]
    assert report["per_engine"]["private_mb"] == engine["memory"]["private_mb"]
    together = report["parent"]["memory"]["pss_mb"] + engine["memory"]["pss_mb"]
    assert report["total"]["pss_mb"] == pytest.approx(together, abs=0.11)


def test_a_file_of_a_fleet_that_died_is_no_fleet(settings, tmp_path) -> None:
    settings.DATA_DIR = tmp_path
    note_fleet({})
    state = tmp_path / "run" / "fleet.json"
    kept = json.loads(state.read_text())
    assert kept["started"] == read_start(os.getpid())

    state.write_text(json.dumps({**kept, "started": "1"}))

    assert told() == (3, "")


def test_a_process_that_ended_is_named() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    with pytest.raises(ProcessGone, match=f"process {pid} has ended"):
        read_start(pid)
    os.waitpid(pid, 0)
