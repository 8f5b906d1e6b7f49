"""A disk that fails, is full or is slow, for the files of one folder and the programs started on it.

The kernel asks us about each write and sync of these programs (seccomp's user notification) and does
what we answer: the call itself, at once or after a while, or an error in its place. It needs Linux
5.5 on x86-64 or ARM64, neither root nor tools, and nobody above us who listens in the same way.
"""

import ctypes
import errno
import fcntl
import os
import platform
import select
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from novapulse.postgres_server import PostgresServer

Result = TypeVar("Result")

SET_NO_NEW_PRIVILEGES, SET_MODE_FILTER = 38, 1
NEW_LISTENER, WAIT_KILLABLE = 1 << 3, 1 << 5
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER_AT, ARCHITECTURE_AT = 0, 4
ALLOW, ASK_US = 0x7FFF0000, 0x7FC00000
RECEIVE, SEND, GO_ON = 0xC0502100, 0xC0182101, 1
NOTICE, ANSWER = struct.Struct("=QIIiI7Q"), struct.Struct("=QqiI")


@dataclass(frozen=True)
class Calls:
    """The kernel's numbers of what we need, on one kind of machine."""

    architecture: int
    seccomp: int
    syncs: frozenset[int]  # fsync, fdatasync
    writes: frozenset[int]  # pwrite64, pwritev, pwritev2


CALLS = {
    "x86_64": Calls(0xC000003E, 317, frozenset({74, 75}), frozenset({18, 296, 328})),
    "aarch64": Calls(0xC00000B7, 277, frozenset({82, 83}), frozenset({68, 70, 287})),
}


@dataclass(frozen=True)
class Fault:
    """What becomes of a sync and of a write; ``seconds`` pass before a sync is done."""

    sync_error: int = 0
    write_error: int = 0
    seconds: float = 0.0


WELL = Fault()


class CannotListen(Exception):
    """This machine lets nobody answer for the kernel; the text says why."""


class FailingDisk:
    """Does what ``fault`` says to files under ``folder``; ``met`` counts how often it did."""

    def __init__(self, folder: Path) -> None:
        self._folder = f"{folder}/"
        self._fault, self._changed = WELL, threading.Condition()
        self._calls, self._listener = CALLS[platform.machine()], -1
        self._place = ThreadPoolExecutor(max_workers=1, thread_name_prefix="disk")
        self.met = 0

    def start(self, begin: Callable[[], Result]) -> Result:
        """Begin something whose child processes have this disk, in the thread that has the filter."""
        return self._place.submit(begin).result()

    def suffer(self, fault: Fault) -> None:
        """From now on; what waits because of an earlier fault is done at once."""
        with self._changed:
            self._fault, self.met = fault, 0
            self._changed.notify_all()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._listener = self.start(lambda: _listen(self._calls))
        ours, theirs = os.pipe()
        thread = threading.Thread(target=self._answer_all, args=(ours,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.suffer(WELL)
            os.close(theirs)
            thread.join()
            self._place.shutdown()
            os.close(ours)
            os.close(self._listener)

    def _answer_all(self, end: int) -> None:
        either = select.poll()
        either.register(self._listener, select.POLLIN)
        either.register(end)
        while end not in dict(either.poll()):
            notice = bytearray(NOTICE.size)
            with suppress(OSError):  # who asked was killed meanwhile
                fcntl.ioctl(self._listener, RECEIVE, notice)
                self._answer(NOTICE.unpack(notice))

    def _answer(self, notice: tuple[int, ...]) -> None:
        asked, pid, call, descriptor = notice[0], notice[1], notice[3], notice[6]
        fault = self._fault
        if fault == WELL or not self._is_ours(pid, descriptor):
            self._say(asked)
        elif call in self._calls.syncs and fault.seconds:
            threading.Thread(target=self._say_later, args=(asked, fault), daemon=True).start()
        else:
            self._say(asked, fault.sync_error if call in self._calls.syncs else fault.write_error)

    def _is_ours(self, pid: int, descriptor: int) -> bool:
        with suppress(OSError):
            return os.readlink(f"/proc/{pid}/fd/{descriptor}").startswith(self._folder)
        return False

    def _say_later(self, asked: int, fault: Fault) -> None:
        with self._changed:
            self.met += 1
            self._changed.wait_for(lambda: self._fault is not fault, timeout=fault.seconds)
        self._say(asked, fault.sync_error)

    def _say(self, asked: int, error: int = 0) -> None:
        """Either the call is done as it was asked for, or fails with this error."""
        self.met += bool(error)
        with suppress(FileNotFoundError):  # who asked was killed meanwhile
            answer = ANSWER.pack(asked, 0, -error, 0 if error else GO_ON)
            fcntl.ioctl(self._listener, SEND, answer)


@dataclass(frozen=True)
class ServerOnDisk(PostgresServer):
    """Runs on a disk that may fail, whenever it is started."""

    disk: FailingDisk = field(kw_only=True)

    def spawn(self) -> "subprocess.Popen[bytes]":
        return self.disk.start(super().spawn)


@contextmanager
def failing_disk(folder: Path) -> Iterator[FailingDisk]:
    """A disk that is well until it is told otherwise; it outlives the programs started on it.

    Raises:
        CannotListen: the kernel does not let us.
    """
    if platform.machine() not in CALLS:
        raise CannotListen(f"a failing disk needs {' or '.join(CALLS)}, not {platform.machine()}")
    disk = FailingDisk(folder)
    with disk._listening():
        yield disk


def _listen(calls: Calls) -> int:
    """Filter what this thread and its children ask for from now on; where the kernel asks us."""
    kernel = ctypes.CDLL(None, use_errno=True)
    asked = sorted(calls.syncs | calls.writes)
    steps = [
        (LOAD_WORD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF_EQUAL, 0, len(asked) + 1, calls.architecture),
        (LOAD_WORD, 0, 0, NUMBER_AT),
        *((JUMP_IF_EQUAL, len(asked) - at, 0, call) for at, call in enumerate(asked)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, ASK_US),
    ]
    filter_ = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(filter_))
    kernel.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    for flags in (NEW_LISTENER | WAIT_KILLABLE, NEW_LISTENER):  # the former since Linux 5.19
        listener = int(kernel.syscall(calls.seccomp, SET_MODE_FILTER, flags, program))
        if listener >= 0:
            return listener
    number = ctypes.get_errno()
    why = "somebody above listens already" if number == errno.EBUSY else os.strerror(number)
    raise CannotListen(f"a failing disk needs seccomp's user notification: {why}")
