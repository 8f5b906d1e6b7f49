"""Idle connections to PostgreSQL, each made as good as new before another request gets it."""

import os
import select
import threading
import time
import weakref
from collections.abc import Hashable

import psycopg
from psycopg.pq import TransactionStatus

MOST_IDLE = 8
OLDEST_SECONDS = 600  # after so long a role's new password or settings are everywhere
# Settings of the session (a tenant's would be one), advisory locks, temporary tables: all gone.
FORGET = b"DISCARD ALL"


class ConnectionPool:
    """Keeps nothing until it is opened, and makes nobody wait.

    Who finds none idle makes one; what is given back to a full pool is closed.
    """

    def __init__(self) -> None:
        self._most = 0
        self._idle: list[tuple[Hashable, psycopg.Connection]] = []
        self._since: weakref.WeakKeyDictionary[psycopg.Connection, float] = (
            weakref.WeakKeyDictionary()
        )
        self._inherited: list[tuple[Hashable, psycopg.Connection]] = []
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._leave_to_parent)

    @property
    def is_open(self) -> bool:
        """Whether anything is kept."""
        return self._most > 0

    def open(self, *, most: int = MOST_IDLE) -> None:
        """Keep so many from now on."""
        self._most = most

    def close(self) -> None:
        """Keep none any more."""
        with self._lock:
            self._most, idle, self._idle = 0, self._idle, []
        for _, connection in idle:
            connection.close()

    def take(self, place: Hashable) -> psycopg.Connection | None:
        """The one used last of those that were given back at this place and still live."""
        while (found := self._pop(place)) is not None:
            if _is_silent(found):
                return found
            found.close()
        return None

    def give_back(self, place: Hashable, connection: psycopg.Connection) -> None:
        """Keep it, or close it: when it is old, in a transaction, broken, or one too many."""
        born = self._since.setdefault(connection, time.monotonic())
        is_fit = self.is_open and time.monotonic() - born < OLDEST_SECONDS and _forget(connection)
        with self._lock:
            is_kept = is_fit and len(self._idle) < self._most
            if is_kept:
                self._idle.append((place, connection))
        if not is_kept:
            connection.close()

    def _pop(self, place: Hashable) -> psycopg.Connection | None:
        with self._lock:
            for at in reversed(range(len(self._idle))):
                if self._idle[at][0] == place:
                    return self._idle.pop(at)[1]
        return None

    def _leave_to_parent(self) -> None:
        """A forked child shares the parent's sockets: it may neither use nor end them."""
        self._lock, self._inherited, self._idle = threading.Lock(), self._idle, []


def _forget(connection: psycopg.Connection) -> bool:
    """Whether nothing of the last request is left on it."""
    if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return False
    try:
        connection.autocommit = True
        connection.execute(FORGET)
    except psycopg.Error:
        return False
    return True


def _is_silent(connection: psycopg.Connection) -> bool:
    """An idle server says nothing; what can be read is its farewell, or the end of the stream."""
    readable = select.poll()
    readable.register(connection.pgconn.socket, select.POLLIN)
    return not readable.poll(0)


POOL = ConnectionPool()
