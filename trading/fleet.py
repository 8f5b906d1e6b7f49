"""Pre-fork supervisor of engines: import once, compile once, fork one child per wanted engine."""

import gc
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from django.db import connections

from trading.wiring.directory import ListedEngine, list_engines

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
FIRST_BACK_OFF_SECONDS = 1.0
LONGEST_BACK_OFF_SECONDS = 60.0
QUIET_SECONDS = 120.0
STOP_SECONDS = 20.0

EngineMain = Callable[[ListedEngine], int]


@dataclass(slots=True)
class Child:
    """A forked engine and how its last starts went."""

    engine: ListedEngine
    pid: int = 0
    started_at: float = 0.0
    back_off: float = FIRST_BACK_OFF_SECONDS
    not_before: float = 0.0


@dataclass(slots=True)
class Fleet:
    """Keeps one child for every engine that should run."""

    main: EngineMain
    children: dict[str, Child] = field(default_factory=dict)
    stopping: bool = False

    def run(self) -> None:
        """Poll the work list until SIGTERM or SIGINT, then stop every child."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        gc.collect()
        gc.freeze()  # children share the parent's memory as long as nobody touches it
        try:
            while not self.stopping:
                self.step()
                time.sleep(POLL_SECONDS)
        finally:
            self.stop_all()

    def _on_signal(self, *_: object) -> None:
        self.stopping = True

    def step(self) -> None:
        """Collect the dead, start the wanted, stop the unwanted."""
        self._reap()
        wanted = {e.engine_id: e for e in self._read() if is_wanted(e)}
        now = time.monotonic()
        for engine_id, engine in wanted.items():
            child = self.children.setdefault(engine_id, Child(engine))
            if not child.pid and now >= child.not_before:
                self._start(child)
        for engine_id, child in list(self.children.items()):
            if engine_id in wanted:
                continue
            if child.pid:
                os.kill(child.pid, signal.SIGTERM)
            else:
                del self.children[engine_id]

    def _read(self) -> list[ListedEngine]:
        try:
            return list_engines()
        finally:
            connections.close_all()  # no connection may cross a fork

    def _start(self, child: Child) -> None:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = self.main(child.engine)
            except SystemExit as leaving:
                code = leaving.code if isinstance(leaving.code, int) else 1
            except BaseException:
                log.exception("engine_crashed", engine=child.engine.name)
            finally:
                os._exit(code)  # the parent's exit handlers are not ours to run
        child.pid, child.started_at = pid, time.monotonic()
        log.info("engine_started", engine=child.engine.name, pid=pid)

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
            child.not_before = now + child.back_off
            child.back_off = min(child.back_off * 2, LONGEST_BACK_OFF_SECONDS)
            child.pid = 0
            log.info("engine_ended", engine=child.engine.name, pid=pid, code=code)

    def stop_all(self) -> None:
        """Ask every child to end, and end those that do not."""
        running = [child for child in self.children.values() if child.pid]
        for child in running:
            os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.pid for child in running) and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.05)
        for child in running:
            if child.pid:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)


def is_wanted(engine: ListedEngine) -> bool:
    """Whether a fleet should run it; one that replayed everything waits to be started again."""
    return engine.desired == "RUNNING" and engine.observed != "FINISHED"
