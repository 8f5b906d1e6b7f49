"""Engines as real processes, over a database and bars of the test's own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tenants.scoping import tenant_scope
from tests.factories import EngineRows
from tests.forking import Program
from trading.models import Decision, Engine

ROOT = Path(__file__).resolve().parents[2]
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.1  # seconds between two looks
SHORT_LEASE = {
    "NOVA_LEASE_SECONDS": "2",
    "NOVA_LEASE_HEARTBEAT_SECONDS": "0.4",
    "NOVA_LEASE_SELF_STOP_SECONDS": "1.4",
}


def run_engine(rows: EngineRows, environment: Mapping[str, str], *, speed: str = "max") -> Program:
    """`manage.py run_engine` in a process of its own."""
    command = ("manage.py", "run_engine", "--tenant", rows.slug)
    return Program(
        *command, "--exchange", "replay", "--speed", speed,
        environment={**environment, **SHORT_LEASE},
    )  # fmt: skip


@contextmanager
def ended_afterwards(*processes: "Program | subprocess.Popen[bytes]") -> Iterator[None]:
    """Whatever happens, these processes do not outlive the test."""
    try:
        yield
    finally:
        for process in processes:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(condition: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
    """Look again and again until the condition holds; fail with words when it does not.

    The rarer the longer it lasts: a look costs milliseconds of a core, which what is waited for needs.
    """
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds} s: {what}"
        time.sleep(min(max(SHORTEST_PAUSE, waited / 20), LONGEST_PAUSE))


def decisions(rows: EngineRows) -> int:
    """How many bars the engine has decided on."""
    with tenant_scope(rows.tenant_id):
        return Decision.objects.count()


def engine_row(rows: EngineRows) -> Engine:
    """The engine's row as it stands."""
    with tenant_scope(rows.tenant_id):
        return Engine.objects.get(id=rows.engine_id)


@contextmanager
def worker_of_research(environment: Mapping[str, str]) -> Iterator[Program]:
    """The worker of research as the installation runs it, in a process group of its own."""
    celery = ("-m", "celery", "--app", "novapulse", "--quiet", "worker")
    process = Program(
        *celery, "--concurrency", "1", "--queues", "research,charts", "--without-mingle",
        environment=environment, own_group=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
