"""A streaming standby of a test's own PostgreSQL, which can be made to lag and be promoted."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from novapulse import places
from novapulse.postgres_server import PostgresServer
from tests.faults.crashing import COMMITS_LAST, CrashingDatabase, copy_cluster
from tests.faults.processes import wait_for


@dataclass(frozen=True)
class Standby:
    """Follows a primary, asynchronously."""

    server: PostgresServer
    primary: CrashingDatabase

    @property
    def host(self) -> str:
        """Where sessions reach it."""
        return str(self.server.socket_directory)

    def environment(self) -> dict[str, str]:
        """The primary's, with this server in its place."""
        old = str(self.primary.server.socket_directory)
        return {
            key: value.replace(old, self.host) for key, value in self.primary.environment.items()
        }

    def ask(self, question: str) -> object:
        """One value, as the superuser."""
        with self.server.connect() as session:
            row = session.execute(question).fetchone()
            return row[0] if row else None

    def cut_off(self) -> None:
        """Wait until it has everything there is, then let it receive nothing more."""
        with self.primary.server.connect() as session:
            (written,) = session.execute("SELECT pg_current_wal_lsn()::text").fetchone() or ("",)
        has_all = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        wait_for(lambda: self.ask(has_all) is True, "the standby has caught up")
        with self.server.connect() as session:
            session.execute("ALTER SYSTEM SET primary_conninfo = ''")
            session.execute("SELECT pg_reload_conf()")
        streams = "SELECT count(*) FROM pg_stat_wal_receiver"
        wait_for(lambda: self.ask(streams) == 0, "the standby receives nothing more")

    def promote(self) -> None:
        """From now on it is the primary."""
        assert self.ask("SELECT pg_promote()") is True


@contextmanager
def standby_of(primary: CrashingDatabase, folder: Path) -> Iterator[Standby]:
    """One that streams, with every role and password of the primary."""
    where = places.settle(data_dir=folder)
    where.make()
    where.make_for_server("pg")
    where.make_socket_directory("pg")
    server = PostgresServer(where, COMMITS_LAST)
    try:
        copy_cluster(primary.server, server, "--write-recovery-conf")
        server.wait_until_ready(server.spawn())
        yield Standby(server, primary)
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)
