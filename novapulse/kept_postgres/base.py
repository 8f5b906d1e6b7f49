"""Where Django opens and closes connections: first the pool is asked, at last it is offered them."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel

from novapulse.kept_postgres.pool import POOL

# A host that vanished without a word: what is sent to it fails after so long, not after a quarter of an hour.
GIVE_UP = {"tcp_user_timeout": 10_000}


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, over connections that may have served another request."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        """An idle one of the pool, else a new one."""
        kept = POOL.take(self._place())
        if kept is None:
            patience = GIVE_UP if POOL.is_open else {}
            new: psycopg.Connection = super().get_new_connection({**patience, **conn_params})
            return new
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return kept

    def _close(self) -> None:
        if self.connection is not None:
            with self.wrap_database_errors:
                POOL.give_back(self._place(), self.connection)

    def _place(self) -> tuple[str, ...]:
        settings = self.settings_dict
        return tuple(str(settings[name]) for name in ("HOST", "PORT", "NAME", "USER", "PASSWORD"))
