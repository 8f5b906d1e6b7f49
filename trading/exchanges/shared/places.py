"""The socket of a shared feed: for its owner alone, and reachable however long its path is."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_PATH_BYTES = 107


@contextmanager
def within_reach(path: Path) -> Iterator[str]:
    """A name of a socket that is short enough to bind or connect to."""
    if len(os.fsencode(path)) <= LONGEST_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def is_served(path: Path) -> bool:
    """Whether somebody listens there now."""
    try:
        with within_reach(path) as name, socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            probe.connect(name)
    except OSError:
        return False
    return True
