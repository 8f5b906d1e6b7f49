"""What the kernel says of a process: its memory, its share of it, its CPU time."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KB_PER_MB = 1024
STATE, USER_TICKS, SYSTEM_TICKS, STARTED = (
    0,
    11,
    12,
    19,
)  # fields after the name in /proc/<pid>/stat


class ProcessGone(Exception):
    """There is no such living process, or it is not ours to look at."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes: with everything shared, with a fair share of it, and of its own alone."""

    rss_mb: float
    pss_mb: float
    private_mb: float


def read_memory(pid: int) -> Memory:
    """Memory of a process now.

    Raises:
        ProcessGone: it cannot be had.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError as error:
        raise ProcessGone(f"process {pid}: {error.strerror}") from None
    kb = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    private = kb["Private_Clean"] + kb["Private_Dirty"]
    return Memory(*(round(one / KB_PER_MB, 1) for one in (kb["Rss"], kb["Pss"], private)))


def read_cpu_seconds(pid: int) -> float:
    """CPU time of a process since its start.

    Raises:
        ProcessGone: it cannot be had.
    """
    fields = _stat(pid)
    return (int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND


def read_start(pid: int) -> str:
    """A mark that no later process of the same number has.

    Raises:
        ProcessGone: it does not live.
    """
    return _stat(pid)[STARTED]


def _stat(pid: int) -> list[str]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError as error:
        raise ProcessGone(f"process {pid}: {error.strerror}") from None
    if fields[STATE] in "ZX":
        raise ProcessGone(f"process {pid} has ended")
    return fields
