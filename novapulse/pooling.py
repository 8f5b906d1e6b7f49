"""A process that serves pages keeps its connections to PostgreSQL for its next request."""

from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connections
from django.http import HttpRequest, HttpResponse
from psycopg_pool import ConnectionPool

from novapulse.postgres.base import ABSENT_SECONDS

MOST = 16
AGAIN_SECONDS = ABSENT_SECONDS / 2  # after a connection that could not be made
OLDEST_SECONDS = 600.0  # after so long a role's new password or settings are everywhere

View = Callable[[HttpRequest], HttpResponse]


class Kept(psycopg.Connection[Any]):
    """One whose server ended it takes the idle ones along, so that nobody has to try each of them."""

    def execute(self, *args: Any, **options: Any) -> psycopg.Cursor[Any]:
        """What is said to it before it is handed out, and when it came back."""
        try:
            return super().execute(*args, **options)
        except psycopg.OperationalError:
            if isinstance(self._pool, ConnectionPool):
                self._pool.drain()
            raise


def pool_connections(*, most: int = MOST) -> None:
    """From now on; a process that forks does so before its first query, since no thread of a pool is inherited.

    How long a request waits for one is told in ``novapulse.postgres``, which also looks whether one works.
    """
    connections.close_all()
    pool = {
        "connection_class": Kept,
        "reset": forget,
        "min_size": 0,
        "max_size": most,
        "timeout": ABSENT_SECONDS,
        "max_lifetime": OLDEST_SECONDS,
        "reconnect_timeout": AGAIN_SECONDS,  # then whoever wants one next begins anew
        "num_workers": 1,
    }
    for alias in connections:
        address = connections.settings[alias]
        address["OPTIONS"] = {**address["OPTIONS"], "pool": pool}


def forget(connection: psycopg.Connection[Any]) -> None:
    """Settings of the session (a tenant's would be one), advisory locks, temporary tables: all gone.

    With them goes the time zone, which Django sets only once on a connection of a pool.
    """
    connection.execute("DISCARD ALL")
    connection.execute("SET TIME ZONE 'UTC'")


def give_back(get_response: View) -> View:
    """Middleware: connections go back to their pool in the thread that used them, as soon as it is done.

    The server's own word for that is not said of a request whose client left and which it dropped after
    ten seconds: each would take a place of the pool along for good.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return get_response(request)
        finally:
            for connection in connections.all(initialized_only=True):
                if connection.settings_dict["OPTIONS"].get("pool"):
                    connection.close_if_unusable_or_obsolete()

    return answer
