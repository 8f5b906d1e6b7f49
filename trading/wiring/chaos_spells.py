"""A journal that is slow for a while: another session keeps what each commit must write."""

import time
from dataclasses import dataclass, field

import psycopg
from psycopg.errors import LockNotAvailable

from trading.chaos.days import Spell
from trading.models import EngineSnapshot
from trading.wiring.chaos_rows import open_session

PATIENCE_MS = 300  # a process that hangs may keep it itself


@dataclass(slots=True)
class Spells:
    """Of one day, in the order in which they come; the day begins at the first look."""

    left: list[Spell]
    _began: float = field(default_factory=time.monotonic)
    _session: psycopg.Connection | None = None
    _until: float = 0.0

    def look(self) -> None:
        """Begin what is due, end what is over."""
        age = time.monotonic() - self._began
        if self._session is not None:
            if age > self._until:
                self.let_go()
        elif self.left and age > self.left[0].begins:
            self._until = age + self.left.pop(0).seconds
            self._keep()

    def _keep(self) -> None:
        session = open_session()
        session.execute(f"SET lock_timeout = {PATIENCE_MS}")
        session.autocommit = False
        try:
            session.execute(f"LOCK TABLE {EngineSnapshot._meta.db_table} IN EXCLUSIVE MODE")
        except LockNotAvailable:
            session.close()
        else:
            self._session = session

    def let_go(self) -> None:
        """The journal is quick again; also before a process is forked, for no session may cross that."""
        if self._session is not None:
            self._session.close()
            self._session = None
