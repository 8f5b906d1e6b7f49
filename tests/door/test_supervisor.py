"""The supervisor and its processes: started, started again, ended in order, never confused."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from novapulse import embedded, processes, supervisor
from novapulse.places import Places
from novapulse.processes import Identity, PidFile
from novapulse.programs import Program, stop_everything
from novapulse.supervisor import Child, Supervisor
from tests import servers

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def where(tmp_path) -> Places:
    made = Places(data=tmp_path, servers=tmp_path, account=None)
    made.make()
    return made


def _wait(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _note(path: Path, name: str) -> tuple[str, ...]:
    """A program that notes its own name when it is told to end."""
    script = (
        "import signal, sys, time\n"
        f"def end(*_): open({str(path)!r}, 'a').write({name + ' '!r}); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"open({str(path)!r} + '.{name}', 'w').close()\n"
        "time.sleep(600)\n"
    )
    return (sys.executable, "-c", script)


def _plan(where: Places, *programs: Program) -> Supervisor:
    none = embedded.Embedded(places=where, postgres=None, redis=None)
    return Supervisor(places=where, servers=none, programs=programs, host="127.0.0.1", port=1)


def _spawn(where: Places, command=SLEEP) -> subprocess.Popen[bytes]:
    return processes.spawn(
        command,
        log=where.logs / "x.log",
        environment=dict(os.environ),
        directory=servers.PROJECT_ROOT,
    )


def test_a_pid_file_knows_its_process(where):
    process = _spawn(where)
    file = PidFile(where.run / "x.pid")
    file.write(process.pid)

    assert file.read() == Identity(process.pid, processes.start_mark(process.pid) or "")

    process.kill()
    process.wait()
    assert file.read() is None


def test_a_number_that_belongs_to_somebody_else_now_is_not_ours(where):
    file = PidFile(where.run / "x.pid")
    file.path.write_text(f"{os.getpid()} 12345\n")

    assert file.read() is None


@pytest.mark.parametrize("text", ["", "nonsense", "12 "])
def test_a_damaged_pid_file_is_no_process(where, text):
    file = PidFile(where.run / "x.pid")
    file.path.write_text(text)

    assert file.read() is None


def test_a_process_that_will_not_end_is_ended(where):
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    process = _spawn(where, (sys.executable, "-c", script))
    identity = PidFile(where.run / "x.pid").write(process.pid)
    time.sleep(0.3)

    went = processes.terminate(identity, signal_number=signal.SIGTERM, patience_seconds=0.3)

    assert not went
    assert not identity.is_alive


def test_a_child_that_ends_is_started_again_after_growing_pauses(where):
    starts: list[float] = []

    def start() -> subprocess.Popen[bytes]:
        process = _spawn(where, (sys.executable, "-c", "raise SystemExit(1)"))
        process.wait()
        starts.append(0.0)
        return process

    child = Child("x", start)
    now = 0.0
    while len(starts) < 4:
        child.look(now)
        now += 0.5

    assert child.restarts == 3
    assert child.pause_seconds == 8.0


def test_a_child_that_cannot_be_started_is_tried_again(where):
    def start() -> subprocess.Popen[bytes]:
        raise OSError("no room")

    child = Child("x", start)
    child.look(0.0)

    assert child.restarts == 1
    assert child.due_at == 1.0


def test_programs_start_only_after_the_go_ahead_and_end_in_their_order(where, tmp_path):
    notes = tmp_path / "notes"
    plan = _plan(
        where,
        Program("first", _note(notes, "first"), 5.0, 1),
        Program("second", _note(notes, "second"), 5.0, 2),
    )
    ready = lambda name: Path(f"{notes}.{name}").exists()  # noqa: E731
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def play() -> None:
        _wait(lambda: supervisor.state_file(where).exists() and "servers-ready" in _state(where))
        assert not ready("first")
        supervisor.go_ahead_file(where).touch()
        _wait(lambda: ready("first") and ready("second"))
        plan.stopping = True

    player = threading.Thread(target=play)
    player.start()
    plan.run()
    player.join()
    for number, handler in handlers.items():
        signal.signal(number, handler)

    assert notes.read_text().split() == ["first", "second"]
    assert not list(where.run.glob("*.pid"))


def _state(where: Places) -> str:
    return supervisor.state_file(where).read_text()


def test_what_a_killed_run_left_behind_is_ended(where):
    program = Program("engines", SLEEP, 5.0, 1)
    process = _spawn(where)
    identity = program.pid_file(where).write(process.pid)

    found = stop_everything([program], embedded.Embedded(places=where, postgres=None, redis=None))

    assert found
    assert not identity.is_alive


def test_children_of_a_killed_parent_are_ended_too(where, tmp_path):
    child_pid = tmp_path / "child"
    script = (
        "import os, time\n"
        "pid = os.fork()\n"
        f"if pid: open({str(child_pid)!r}, 'w').write(str(pid))\n"
        "time.sleep(600)\n"
    )
    program = Program("engines", (), 5.0, 1)
    parent = _spawn(where, (sys.executable, "-c", script))
    program.pid_file(where).write(parent.pid)
    _wait(lambda: child_pid.exists() and child_pid.read_text() != "")
    pid = int(child_pid.read_text())
    orphan = Identity(pid, processes.start_mark(pid) or "")
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    stop_everything([program], embedded.Embedded(places=where, postgres=None, redis=None))

    assert not orphan.is_alive


def test_a_log_that_has_grown_is_cut_and_its_writer_goes_on(where, monkeypatch):
    monkeypatch.setattr(supervisor, "LOG_LIMIT_BYTES", 1000)
    path = where.logs / "web.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old line\n" * 200)

        supervisor.bound_logs(where.logs)
        writer.write(b"new line\n")

    assert path.read_bytes() == b"new line\n"
    assert path.with_suffix(".log.1").stat().st_size == 1000
