"""Pre-fork supervisor of engines: import once, compile once, fork one child per wanted engine."""

import gc
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from django.db import connections
from django.utils import timezone

from tenants import outages
from tenants.scoping import tenant_scope
from trading import operations
from trading.settling import AtRest, Pipe, Settling
from trading.wiring.directory import ListedEngine, list_engines

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
FIRST_BACK_OFF_SECONDS = 1.0
LONGEST_BACK_OFF_SECONDS = 60.0
QUIET_SECONDS = 120.0
STOP_SECONDS = 20.0
MOST_CRASHES, CRASH_WINDOW_SECONDS = 5, 600.0
LEADERSHIP_LOST, CANNOT_RUN, DATABASE_LOST = 3, 4, 5  # exit codes of a child that did not crash
CALM = (0, LEADERSHIP_LOST, CANNOT_RUN, DATABASE_LOST, -signal.SIGTERM)
PATIENT = (LEADERSHIP_LOST, DATABASE_LOST)  # no fault of the engine's: it is back soon after
LONGEST_PATIENT_SECONDS = 4.0

EngineMain = Callable[[ListedEngine, AtRest], int]
CHORE_SECONDS = 2.0


@dataclass(slots=True)
class Chore:
    """Work that is done now and then in a forked process of its own, one at a time."""

    name: str
    is_due: Callable[[], bool]
    main: Callable[[], int]
    pid: int = 0
    not_before: float = 0.0


@dataclass(slots=True)
class Child:
    """A forked engine and how its last starts went."""

    engine: ListedEngine
    pid: int = 0
    started_at: float = 0.0
    back_off: float = FIRST_BACK_OFF_SECONDS
    not_before: float = 0.0
    crashed_at: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_CRASHES))

    def crashes_too_often(self, now: float) -> bool:
        """Whether starting it again and again has stopped being an answer."""
        recent = [at for at in self.crashed_at if now - at <= CRASH_WINDOW_SECONDS]
        return len(recent) >= MOST_CRASHES


@dataclass(slots=True)
class Fleet:
    """Keeps one child for every engine that should run."""

    main: EngineMain
    chores: tuple[Chore, ...] = ()
    note: Callable[[Mapping[int, ListedEngine]], None] = lambda running: None
    children: dict[str, Child] = field(default_factory=dict)
    settling: Settling = field(default_factory=Settling)
    stopping: bool = False
    _has_database: bool = True
    _noted: dict[int, ListedEngine] | None = None

    def run(self) -> None:
        """Poll the work list until SIGTERM or SIGINT, then stop every child."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        gc.collect()
        gc.freeze()  # children share the parent's memory as long as nobody touches it
        try:
            while not self.stopping:
                self.step()
                self.settling.wait(POLL_SECONDS)
        finally:
            self.stop_all()

    def _on_signal(self, *_: object) -> None:
        self.stopping = True

    def step(self) -> None:
        """Collect the dead, start the wanted, stop the unwanted; without a database wait for it."""
        self._reap()
        try:
            self._follow_rows()
        except outages.DATABASE_ERRORS as error:
            if not outages.is_outage(error):
                raise
            if self._has_database:
                log.error("database_gone", why=outages.describe(error))
            self._has_database = False
        else:
            self._has_database = True
        self._tell()

    def _follow_rows(self) -> None:
        wanted = {e.engine_id: e for e in self._read() if is_wanted(e)}
        now = time.monotonic()
        for engine_id, engine in wanted.items():
            child = self.children.setdefault(engine_id, Child(engine))
            if child.pid:
                continue
            if child.crashes_too_often(now):
                self._park(child)
            elif now >= child.not_before and self.settling.has_room(now):
                self._start(child)
        for engine_id, child in list(self.children.items()):
            if engine_id in wanted:
                continue
            if child.pid:
                os.kill(child.pid, signal.SIGTERM)
            else:
                del self.children[engine_id]
        for chore in self.chores:
            self._do(chore)

    def _tell(self) -> None:
        """Say which process runs which engine, whenever that has changed."""
        running = {child.pid: child.engine for child in self.children.values() if child.pid}
        if running.keys() != (self._noted or {}).keys() or self._noted is None:
            self.note(running)
            self._noted = running

    def _do(self, chore: Chore) -> None:
        """Start what is due; what runs is left alone."""
        self._reap_chores()
        if not chore.pid and time.monotonic() >= chore.not_before and self._is_due(chore):
            chore.not_before = time.monotonic() + CHORE_SECONDS
            chore.pid = fork(chore.main, chore.name)

    def _is_due(self, chore: Chore) -> bool:
        try:
            return chore.is_due()
        finally:
            connections.close_all()  # no connection may cross a fork

    def _read(self) -> list[ListedEngine]:
        try:
            return list_engines()
        finally:
            connections.close_all()  # no connection may cross a fork

    def _start(self, child: Child) -> None:
        pipe = Pipe.make()
        pid = fork(lambda: self.main(child.engine, pipe.begin()), child.engine.name)
        child.pid, child.started_at = pid, time.monotonic()
        self.settling.note(pipe, child.started_at)
        log.info("engine_started", engine=child.engine.name, pid=pid)

    def _park(self, child: Child) -> None:
        """Leave it alone until a person starts it again; its stops rest at the venue."""
        words = (
            f"parked: it crashed {MOST_CRASHES} times within {CRASH_WINDOW_SECONDS / 60:.0f} minutes; "
            "read its log, then start it again"
        )
        try:
            with tenant_scope(child.engine.tenant_id):
                operations.park_engine(
                    engine_id=child.engine.engine_id, words=words, now=timezone.now()
                )
        finally:
            connections.close_all()  # no connection may cross a fork
        log.error("engine_parked", engine=child.engine.name, why=words)

    def _reap(self) -> None:
        for child in self.children.values():
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid == 0:
                continue
            code = os.waitstatus_to_exitcode(status)
            now = time.monotonic()
            if now - child.started_at > QUIET_SECONDS:
                child.back_off = FIRST_BACK_OFF_SECONDS
            longest = LONGEST_PATIENT_SECONDS if code in PATIENT else LONGEST_BACK_OFF_SECONDS
            child.not_before = now + min(child.back_off, longest)
            child.back_off = min(child.back_off * 2, longest)
            child.pid = 0
            if code not in CALM:
                child.crashed_at.append(now)
            log.info("engine_ended", engine=child.engine.name, pid=pid, code=code)

    def _reap_chores(self) -> None:
        for chore in self.chores:
            if chore.pid and os.waitpid(chore.pid, os.WNOHANG)[0]:
                chore.pid = 0

    def stop_all(self) -> None:
        """Ask every child to end, and end those that do not."""
        everyone: list[Child | Chore] = [*self.children.values(), *self.chores]
        running = [child for child in everyone if child.pid]
        for child in running:
            os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.pid for child in running) and time.monotonic() < deadline:
            self._reap()
            self._reap_chores()
            time.sleep(0.05)
        for child in running:
            if child.pid:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)


def fork(main: Callable[[], int], name: str) -> int:
    """The process in which ``main`` runs, until it returns its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # until the child says otherwise
        try:
            code = main()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            log.exception("child_crashed", name=name)
        finally:
            os._exit(code)  # the parent's exit handlers are not ours to run
    return pid


def is_wanted(engine: ListedEngine) -> bool:
    """Whether a fleet should run it; one that replayed everything, or is parked, waits to be started."""
    return engine.desired == "RUNNING" and engine.observed not in ("FINISHED", "PARKED")
