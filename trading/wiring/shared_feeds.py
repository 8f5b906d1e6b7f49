"""Shared feeds of this host: the way of an engine to one, and the one process that serves it."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared.link import Link, SharedRest, SharedStream
from trading.exchanges.shared.table import SharedTable
from trading.exchanges.sockets import JITTER, Listen
from trading.exchanges.tables import OwnTable, Table
from trading.queries.feeds import is_shared, socket_path

PATIENCE_SECONDS = 60.0  # then an engine connects by itself


class AlreadyServed(Exception):
    """Another process serves this venue's engines; the text names it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a venue's public market data comes from."""

    rest: PublicRest
    url: str
    listen: Listen


def shared_source(venue: str, *, symbols: Sequence[str], timeframe_ns: int) -> Source:
    """The way of an engine to the shared feed; it waits longer than others do, by chance."""
    patience = PATIENCE_SECONDS * JITTER.uniform(1.0, 2.0)
    link = Link(socket_path(venue), patience_seconds=patience)
    stream = SharedStream(link, symbols=symbols, timeframe_ns=timeframe_ns)
    return Source(rest=SharedRest(link), url="", listen=stream.listen)


def table_of(venue: str, *, own: OwnTable) -> Table:
    """The venue's table of pairs by way of the shared feed, where this host has one."""
    if not is_shared(venue):
        return own
    link = Link(socket_path(venue), patience_seconds=float("inf"))
    return SharedTable(SharedRest(link), own=own)


@contextmanager
def served_alone(venue: str) -> Iterator[Path]:
    """The path to serve, for the one process that may.

    Raises:
        AlreadyServed: another does.
    """
    path = socket_path(venue)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyServed(
                f"process {lock.read().strip() or '?'} serves {venue} at {path} already"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield path
