"""Owns the servers and programs of one installation: starts, restarts with back-off, stops in order."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psycopg

from novapulse import embedded as embedded_servers
from novapulse import env, processes
from novapulse.embedded import Embedded
from novapulse.places import Places, UnusablePlace
from novapulse.postgres_server import PostgresFault
from novapulse.processes import PidFile
from novapulse.programs import Program, all_programs, stop_everything
from novapulse.redis_server import RedisFault

LOOK_SECONDS = 0.2
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STABLE_AFTER_SECONDS = 60.0
LOG_CHECK_SECONDS = 20.0
LOG_LIMIT_BYTES = 10_000_000
FASTEST_SIMULATOR = "3600"


@dataclass
class Child:
    """One supervised process and how its restarts went."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_seconds: float = FIRST_PAUSE_SECONDS
    due_at: float = 0.0
    restarts: int = 0

    def look(self, now: float) -> None:
        """Start it when it is due; plan a later start when it has ended."""
        if self.process is None:
            if now >= self.due_at:
                self._start(now)
            return
        code = self.process.poll()
        if code is not None:
            self._plan_restart(now, f"ended with code {code}")

    def _start(self, now: float) -> None:
        try:
            self.process, self.started_at = self.start(), now
        except OSError as error:
            self._plan_restart(now, f"could not be started: {error}")

    def _plan_restart(self, now: float, what: str) -> None:
        if now - self.started_at > STABLE_AFTER_SECONDS:
            self.pause_seconds = FIRST_PAUSE_SECONDS
        _log(f"{self.name} {what}; starting it again in {self.pause_seconds:.0f} s")
        self.process, self.due_at = None, now + self.pause_seconds
        self.pause_seconds = min(self.pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        self.restarts += 1


@dataclass
class Supervisor:
    """State of one supervising process; :meth:`run` is its life."""

    places: Places
    servers: Embedded
    programs: Sequence[Program]
    host: str
    port: int
    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    log_check_at: float = 0.0

    def run(self) -> int:
        """Start the servers, wait for the go-ahead, then keep the programs alive until told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        stop_everything(self.programs, self.servers)
        state_file(self.places).unlink(missing_ok=True)
        go_ahead_file(self.places).unlink(missing_ok=True)
        PidFile(self.places.run / "supervisor.pid").write(os.getpid())
        self._publish("starting")
        try:
            self._start_servers()
        except (PostgresFault, RedisFault, UnusablePlace, OSError, psycopg.Error) as error:
            with suppress(OSError):  # a full disk takes no note; the door sees us end and looks
                self._publish("failed", self.places.without_room() or str(error))
            stop_everything(self.programs, self.servers)
            return 1
        self._publish("servers-ready")
        while not self.stopping:
            self._look()
            time.sleep(LOOK_SECONDS)
        self._publish("stopping")
        stop_everything(self.programs, self.servers)
        self._publish("stopped")
        PidFile(self.places.run / "supervisor.pid").remove()
        return 0

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _start_servers(self) -> None:
        for server, name in ((self.servers.postgres, "postgres"), (self.servers.redis, "redis")):
            if server is None:
                continue
            server.prepare()
            child = Child(name, server.spawn)
            child.look(time.monotonic())
            self.children.append(child)
            server.wait_until_ready(child.process)
        if self.servers.postgres:
            self.servers.postgres.ensure_owner()

    def _look(self) -> None:
        now = time.monotonic()
        if len(self.children) < self._full_count() and go_ahead_file(self.places).exists():
            self.children += [
                Child(program.name, self._starter(program)) for program in self.programs
            ]
            self._publish("serving")
        restarts = self._restarts()
        for child in self.children:
            child.look(now)
        if self._restarts() != restarts:
            self._publish("serving")
        if now >= self.log_check_at:
            self.log_check_at = now + LOG_CHECK_SECONDS
            bound_logs(self.places.logs)

    def _full_count(self) -> int:
        servers = (self.servers.postgres, self.servers.redis)
        return len(self.programs) + sum(server is not None for server in servers)

    def _starter(self, program: Program) -> Callable[[], subprocess.Popen[bytes]]:
        def start() -> subprocess.Popen[bytes]:
            process = processes.spawn(
                program.command,
                log=program.log(self.places),
                environment=env.for_child({"PYTHONUNBUFFERED": "1"}),
                directory=env.PROJECT_ROOT,
            )
            program.pid_file(self.places).write(process.pid)
            return process

        return start

    def _restarts(self) -> dict[str, int]:
        return {child.name: child.restarts for child in self.children}

    def _publish(self, phase: str, detail: str = "") -> None:
        place = {"host": self.host, "port": self.port}
        text = json.dumps({"phase": phase, "detail": detail, "restarts": self._restarts(), **place})
        temporary = state_file(self.places).with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(state_file(self.places))


def state_file(places: Places) -> Path:
    """What the supervisor tells: phase, detail of a failure, restarts by name, where pages are."""
    return places.run / "supervisor.json"


def go_ahead_file(places: Places) -> Path:
    """Made by the door when the database is ready for the programs."""
    return places.run / "go-ahead"


def bound_logs(directory: Path) -> None:
    """Keep one older part of a log that has grown; writers append, so they go on undisturbed."""
    for path in directory.glob("*.log"):
        try:
            if path.stat().st_size <= LOG_LIMIT_BYTES:
                continue
            older = path.with_suffix(".log.1")
            older.write_bytes(path.read_bytes()[-LOG_LIMIT_BYTES:])
            os.truncate(path, 0)
        except OSError as error:
            _log(f"{path.name} could not be shortened: {error}")


def _log(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
    sys.stdout.flush()


def plan(settings: env.Env) -> Supervisor:
    """The supervisor of this installation, as the operator configured it."""
    servers = embedded_servers.plan(
        data_dir=settings.data_dir,
        database_url=settings.database_url.get_secret_value(),
        redis_url=settings.redis_url.get_secret_value(),
    )
    programs = all_programs(
        places=servers.places,
        host=settings.host,
        port=settings.port,
        simulator_speed=simulator_speed(settings),
        shared_feeds=settings.shared_feeds.replace(",", " ").split(),
    )
    return Supervisor(
        places=servers.places,
        servers=servers,
        programs=programs,
        host=settings.host,
        port=settings.port,
    )


def simulator_speed(settings: env.Env) -> str | None:
    """How fast the demo's venue plays, or None where the demo trades elsewhere or there is none."""
    if settings.env == "production" or settings.demo_market in ("kraken", "coinbase", "synthetic"):
        return None
    fastest = settings.demo_speed == "max"
    return FASTEST_SIMULATOR if fastest else settings.demo_speed


def main() -> int:
    """``python -m novapulse.supervisor``, started by the door; a second one in this folder leaves."""
    supervisor = plan(env.load_configured())
    supervisor.places.make()
    descriptor = os.open(supervisor.places.run / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log("another supervisor is at work in this folder")
        return 0
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
