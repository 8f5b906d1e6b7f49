"""How long a request waits for a connection of the pool: for a server that is back soon, not for one that is gone."""

import socket
import time
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError
from psycopg_pool import PoolTimeout

# A server that starts, stops or recovers listens, as does one whose connections are all in use: both are waited for.
WAIT_SECONDS = 3.0
# Where nobody listens there is nothing to wait for but the moment between an old server and the next.
ABSENT_SECONDS = 0.7
KNOCK_SECONDS = 0.2  # a host that does not even refuse is as good as gone
PORT = "5432"


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for the wait; without a pool it is Django's own."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """One that works, from the pool where there is one.

        Raises:
            PoolTimeout: nobody listens there, or there was none for too long.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                connection = super().get_new_connection(conn_params)
            except PoolTimeout:
                if time.monotonic() >= deadline or not self._is_somebody_there():
                    raise
                continue
            if not self.pool or self._works(connection):
                return connection
            if time.monotonic() >= deadline:
                raise PoolTimeout("the server ended every connection it gave")

    def _works(self, connection: Connection[Any]) -> bool:
        """Whether its server still knows it; the pool forgets one that it does not."""
        try:
            connection.execute("")
        except OperationalError:
            self.pool.putconn(connection)
            return False
        return True

    def _is_somebody_there(self) -> bool:
        """Without an address in words libpq alone knows where that is, and is believed."""
        hosts, port = (
            self.settings_dict["HOST"],
            str(self.settings_dict["PORT"] or PORT).split(",")[0],
        )
        return not hosts or any(is_listening(host, port) for host in hosts.split(","))


def is_listening(host: str, port: str) -> bool:
    """Whether somebody opens the door of a host, or of a directory of Unix sockets."""
    try:
        if host.startswith("/"):
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.settimeout(KNOCK_SECONDS)
                knocking.connect(f"{host}/.s.PGSQL.{port}")
        else:
            socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()
    except OSError:
        return False
    return True
