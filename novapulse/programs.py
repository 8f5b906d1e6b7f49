"""The programs one installation runs beside its servers, and the order in which they end."""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from novapulse import processes
from novapulse.embedded import Embedded
from novapulse.env import PROJECT_ROOT
from novapulse.places import Places
from novapulse.processes import PidFile


@dataclass(frozen=True)
class Program:
    """One long-lived process; ``patience_seconds`` is how long it may take to end."""

    name: str
    command: Sequence[str]
    patience_seconds: float
    stop_round: int

    def pid_file(self, places: Places) -> PidFile:
        return PidFile(places.run / f"{self.name}.pid")

    def log(self, places: Places) -> Path:
        return places.logs / f"{self.name}.log"


def all_programs(
    *,
    places: Places,
    host: str,
    port: int,
    simulator_speed: str | None = None,
    shared_feeds: Sequence[str] = (),
) -> tuple[Program, ...]:
    """Engines end first, while everything they write to still stands.

    With ``simulator_speed`` the demo's venue runs beside them; ``shared_feeds`` are venues.
    """
    python = sys.executable
    celery = (python, "-m", "celery", "--app", "novapulse", "--quiet")
    schedule = str(places.run / "beat-schedule")
    # No access log: the links of letters let their reader in.
    daphne = (python, "-m", "daphne", "--no-server-name", "--access-log", os.devnull)
    web = (*daphne, "-b", host, "-p", str(port))
    worker = (*celery, "worker", "--concurrency", "1", "--without-mingle", "--without-gossip")
    simulator = (python, "manage.py", "run_simulator", "--speed", str(simulator_speed))
    return (
        *((Program("simulator", simulator, 5.0, 3),) if simulator_speed else ()),
        *(shared_feed(venue) for venue in shared_feeds),
        Program("engines", (python, "manage.py", "run_fleet"), 30.0, 1),
        Program("web", (*web, "novapulse.web:application"), 10.0, 2),
        Program("worker", (*worker, *served("worker", "default")), 15.0, 2),
        # Apart, so that an hour of backtests delays no housekeeping; it yields to whoever trades.
        Program(
            "research",
            ("nice", "-n", "10", *worker, *served("research", "research,charts")),
            15.0,
            2,
        ),
        Program("beat", (*celery, "beat", "--schedule", schedule, "--pidfile", ""), 10.0, 2),
    )


def shared_feed(venue: str) -> Program:
    """One venue's market data for all engines of this host."""
    command = (sys.executable, "manage.py", "run_feed", "--exchange", venue)
    return Program(f"feed-{venue}", command, 10.0, 2)


def served(name: str, queue: str) -> tuple[str, ...]:
    """The options of a worker of its own name for one queue."""
    return ("--hostname", f"{name}@%h", "--queues", queue, "--loglevel", "INFO")


def stop_everything(programs: Sequence[Program], embedded: Embedded) -> bool:
    """End what runs, whoever started it: engines, then web, worker and beat, then the servers.

    Returns whether anything was running.
    """
    places = embedded.places
    found = False
    for number in sorted({program.stop_round for program in programs}):
        chosen = [program for program in programs if program.stop_round == number]
        identities = [(program, program.pid_file(places).read()) for program in chosen]
        for _program, identity in identities:
            if identity:
                found = True
                processes.ask_to_end(identity, signal.SIGTERM)
        for program, identity in identities:
            if identity:
                processes.await_end(identity, patience_seconds=program.patience_seconds)
            found = _end_orphans(program, places) or found
            program.pid_file(places).remove()
    for server in (embedded.redis, embedded.postgres):
        if server and server.running():
            found = True
            server.stop()
    return found


def _end_orphans(program: Program, places: Places) -> bool:
    """A killed parent leaves children behind; they are asked first, as the parent would have."""
    leader = program.pid_file(places).read_leader()
    if leader is None:
        return False
    orphans = processes.orphans_of(leader, directory=PROJECT_ROOT)
    for orphan in orphans:
        processes.ask_to_end(orphan, signal.SIGTERM)
    for orphan in orphans:
        processes.await_end(orphan, patience_seconds=program.patience_seconds)
    return bool(orphans)
