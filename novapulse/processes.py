"""Detached processes: started with a log, remembered by a pid file, stopped with patience."""

import errno
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from novapulse.places import Account

KILL_SECONDS = 5.0
LINES_OF_A_FULL_DISK = 20  # a server cleans up after it


@dataclass(frozen=True)
class Identity:
    """A process that cannot be confused with a later one of the same number."""

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        return start_mark(self.pid) == self.started


def start_mark(pid: int) -> str | None:
    """What the kernel says about when ``pid`` began; None if there is no such living process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None if Path("/proc/self").exists() else _start_mark_from_ps(pid)
    fields = text.rpartition(")")[2].split()
    state, started_ticks = fields[0], fields[19]
    return None if state in "ZX" else started_ticks


def _start_mark_from_ps(pid: int) -> str | None:
    answer = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or None


def age_seconds(identity: Identity) -> float | None:
    """How long the process has been running, where the kernel tells."""
    try:
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return None
    return max(0.0, uptime - int(identity.started) / os.sysconf("SC_CLK_TCK"))


class PidFile:
    """Remembers one process across our own life."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, pid: int) -> Identity:
        identity = Identity(pid=pid, started=start_mark(pid) or "")
        temporary = self.path.with_suffix(".new")
        temporary.write_text(f"{identity.pid} {identity.started}\n")
        temporary.replace(self.path)
        return identity

    def read(self) -> Identity | None:
        """The process if it is still alive; a stale file answers None."""
        try:
            pid, _, started = self.path.read_text().strip().partition(" ")
            identity = Identity(pid=int(pid), started=started)
        except (OSError, ValueError):
            return None
        return identity if identity.is_alive else None

    def read_leader(self) -> int | None:
        """The number that was written, whether that process lives or not."""
        try:
            return int(self.path.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    directory: Path,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to ``log``."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        os.close(descriptor)


def ask_to_end(identity: Identity, signal_number: int) -> None:
    """Send the signal; a process that is gone already is fine."""
    try:
        os.kill(identity.pid, signal_number)
    except ProcessLookupError:
        return


def await_end(identity: Identity, *, patience_seconds: float) -> bool:
    """Wait for the process to end, then end its whole session by force.

    Returns whether it went by itself.
    """
    if _ended_within(identity, patience_seconds):
        return True
    kill_session(identity.pid)
    _ended_within(identity, KILL_SECONDS)
    return False


def _ended_within(identity: Identity, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        _reap(identity.pid)
        if not identity.is_alive:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def terminate(identity: Identity, *, signal_number: int, patience_seconds: float) -> bool:
    """Ask the process to end and wait; returns whether it went by itself."""
    ask_to_end(identity, signal_number)
    return await_end(identity, patience_seconds=patience_seconds)


def orphans_of(leader_pid: int, *, directory: Path) -> list[Identity]:
    """What is left of a session whose leader is dead: children that work in our folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            session = (entry / "stat").read_text().rpartition(")")[2].split()[3]
            if int(session) != leader_pid or (entry / "cwd").resolve() != directory.resolve():
                continue
        except (OSError, IndexError):
            continue
        mark = start_mark(int(entry.name))
        if mark:
            found.append(Identity(pid=int(entry.name), started=mark))
    return found


def kill_session(pid: int) -> None:
    """End a process we started, and its children, at once."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def last_lines(path: Path, count: int = 5) -> str:
    """The end of a log, for a sentence about what went wrong."""
    try:
        text = path.read_bytes()[-8192:].decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-count:])


def why_it_ended(log: Path, folder: Path) -> str:
    """The end of a server's log, or the one thing a person must know of it."""
    if os.strerror(errno.ENOSPC) in last_lines(log, LINES_OF_A_FULL_DISK):
        return f": the disk under {folder} is full; free some space there, then start again."
    return f":\n{last_lines(log)}"
