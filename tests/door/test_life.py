"""A whole installation: started for real, looked at, wounded, stopped."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from novapulse import env, health, processes
from novapulse.processes import PidFile
from tests import servers
from tests.first_load import Visitor

pytestmark = pytest.mark.skipif(
    find_spec("tenants.urls") is None or find_spec("trading.urls") is None,
    reason="a whole installation needs its pages",
)
MOST_FIRST_BYTES = 300_000
NAMES = ("supervisor", "postgres", "redis", "web", "worker", "research", "beat", "engines")


@dataclass(frozen=True)
class Installed:
    """An installation with a data directory and a port of its own."""

    data: Path
    port: int

    def environment(self, **changes: str) -> dict[str, str]:
        """As of the shell that started it; an empty change takes a variable away."""
        ours = env.variable_names() | {"DJANGO_SETTINGS_MODULE"}
        plain = {name: value for name, value in os.environ.items() if name not in ours}
        own = {"NOVA_DATA_DIR": str(self.data), "NOVA_PORT": str(self.port), **changes}
        return plain | {name: value for name, value in own.items() if value}

    def door(self, verb: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return self.begin(verb, **changes)()

    def begin(self, verb: str, **changes: str):
        """Start the door without waiting; the answer waits."""
        process = subprocess.Popen(
            [sys.executable, "-m", "novapulse.door", verb],
            env=self.environment(**changes),
            cwd=servers.PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

        def answer() -> subprocess.CompletedProcess[str]:
            out, err = process.communicate(timeout=300)
            return subprocess.CompletedProcess(process.args, process.returncode, out, err)

        return answer

    def pids(self) -> dict[str, int]:
        found = {name: PidFile(self.data / "run" / f"{name}.pid").read() for name in NAMES}
        return {name: identity.pid for name, identity in found.items() if identity}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    """Everything running; stopped and removed at the end."""
    base = servers.PROJECT_ROOT / "var"
    servers.SERVERS.places.make()
    one = Installed(data=base / f"life-{os.getpid()}", port=_free_port())
    two_at_once = [one.begin("start"), one.begin("start")]
    answers = [answer() for answer in two_at_once]
    try:
        for answer in answers:
            assert answer.returncode == 0, answer.stdout + answer.stderr
        yield one
    finally:
        one.door("stop")
        shutil.rmtree(one.data, ignore_errors=True)


def test_two_starts_at_once_make_one_installation(installed):
    assert set(installed.pids()) == set(NAMES)
    assert health.web("127.0.0.1", installed.port) == (True, "HTTP 200")


def test_a_second_start_duplicates_nothing_and_names_address_and_sign_in(installed):
    before = installed.pids()

    answer = installed.door("start")

    assert answer.returncode == 0
    assert "already running" in answer.stdout
    assert f"http://127.0.0.1:{installed.port}" in answer.stdout
    assert "Sign in as" in answer.stdout
    assert installed.pids() == before


def test_status_shows_every_process_well(installed):
    answer = installed.door("status")

    assert answer.returncode == 0, answer.stdout
    for name in NAMES:
        assert f"\n{name} " in answer.stdout
    assert "UNWELL" not in answer.stdout


@pytest.mark.parametrize("named", ["", "1"])
def test_status_asks_where_the_pages_are_served_whatever_port_its_shell_names(installed, named):
    answer = installed.door("status", NOVA_PORT=named)

    assert answer.returncode == 0, answer.stdout
    assert f"Pages: http://127.0.0.1:{installed.port}" in answer.stdout


def test_a_start_that_names_no_port_finds_what_is_running(installed):
    answer = installed.door("start", NOVA_PORT="")

    assert answer.returncode == 0, answer.stderr
    assert f"running at http://127.0.0.1:{installed.port}" in answer.stdout


def test_a_first_look_at_the_dashboard_is_small_over_the_wire(installed):
    visitor = Visitor(f"http://127.0.0.1:{installed.port}")
    page = visitor.sign_in(*(installed.data / "run" / "demo.txt").read_text().split())

    weights = visitor.weigh("/", but="lightweight-charts")

    assert 'id="live"' in page
    assert {name.rpartition(".")[2] for name in weights} >= {"css", "js", "svg"}
    assert sum(weights.values()) <= MOST_FIRST_BYTES, weights


def test_another_port_for_a_running_installation_is_refused(installed):
    answer = installed.door("start", NOVA_PORT=str(_free_port()))

    assert answer.returncode == 1
    assert f"already running at http://127.0.0.1:{installed.port}" in answer.stderr


def test_a_port_that_is_taken_is_told_in_one_sentence(installed):
    clone = Installed(data=installed.data.with_name(f"clone-{os.getpid()}"), port=installed.port)

    answer = clone.door("start")

    shutil.rmtree(clone.data)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"Port {installed.port} on 127.0.0.1 is taken")
    assert len(answer.stderr.splitlines()) == 1
    assert clone.pids() == {}


def test_the_addresses_and_the_sign_in_are_closed_to_others(installed):
    for name in ("embedded.env", "demo.txt"):
        assert (installed.data / "run" / name).stat().st_mode & 0o077 == 0


def test_logs_show_their_end_where_nobody_watches(installed):
    answer = installed.door("logs")

    assert answer.returncode == 0
    assert "web.log" in answer.stdout


@pytest.mark.faults
@pytest.mark.parametrize("name", ["web", "redis", "postgres"])
def test_a_process_that_is_killed_comes_back(installed, name):
    before = installed.pids()[name]

    os.kill(before, signal.SIGKILL)

    _wait(lambda: installed.pids().get(name, before) != before)
    _wait(lambda: installed.door("status").returncode == 0)
    state = json.loads((installed.data / "run" / "supervisor.json").read_text())
    assert state["restarts"][name] >= 1


@pytest.mark.faults
def test_a_killed_supervisor_is_cleaned_up_by_the_next_start(installed):
    before = installed.pids()
    os.kill(before["supervisor"], signal.SIGKILL)
    _wait(lambda: "supervisor" not in installed.pids())

    left = installed.door("status")
    answer = installed.door("start")

    assert left.returncode == 1
    assert left.stdout.startswith("The supervisor is gone; postgres, redis, ")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "interrupted run had left behind" in answer.stdout
    after = installed.pids()
    assert set(after) == set(NAMES)
    assert set(after.values()).isdisjoint(before.values())


def test_a_rebuild_from_a_shell_that_names_no_port_comes_back_where_it_served(installed):
    stopped = installed.door("stop", NOVA_PORT="")

    answer = installed.door("rebuild", NOVA_PORT="")

    assert (stopped.returncode, answer.returncode) == (0, 0), answer.stdout + answer.stderr
    assert f"running at http://127.0.0.1:{installed.port}" in answer.stdout


def test_stop_ends_everything(installed):
    before = installed.pids()

    answer = installed.door("stop")

    assert answer.returncode == 0
    assert installed.pids() == {}
    assert [pid for pid in before.values() if processes.start_mark(pid)] == []
    assert installed.door("status").returncode == 3
