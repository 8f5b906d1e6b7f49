"""What the door says to the person at the terminal."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def say(text: str = "") -> None:
    """One line for the person, at once."""
    print(text, flush=True)


def complain(text: str) -> None:
    """One line about what is wrong."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done and how long it took."""
    started = time.monotonic()
    print(f"  {title:<42}", end="", flush=True)
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:6.1f} s", flush=True)


def table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def span(seconds: float | None) -> str:
    """A duration as a person would say it."""
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
