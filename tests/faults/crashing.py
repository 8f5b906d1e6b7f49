"""A PostgreSQL of one test alone, copied from that of all tests, which may crash."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connections

from novapulse import places, processes
from novapulse.places import Places
from novapulse.postgres_server import SUPERUSER, PostgresServer
from tests import servers
from tests.database import ALIASES

COMMITS_LAST = {"fsync": "off", "wal_level": "replica"}  # the machine itself never crashes


@dataclass(frozen=True)
class CrashingDatabase:
    """The server of the database ``name``; ``environment`` leads child processes to it."""

    server: PostgresServer
    name: str
    environment: dict[str, str]

    def crash(self) -> None:
        """What `pg_ctl stop -m immediate` does: no word to anybody, recovery at the next start."""
        connections.close_all()
        identity = self.server.running()
        assert identity is not None
        os.kill(identity.pid, signal.SIGQUIT)
        while identity.is_alive:
            time.sleep(0.01)

    def start(self) -> None:
        """Up again, once it answers."""
        self.server.wait_until_ready(self.server.spawn())


@contextmanager
def database_of_its_own(
    name: str,
    environment: dict[str, str],
    folder: Path,
    *,
    make_server: Callable[[Places], PostgresServer] = lambda where: PostgresServer(
        where, COMMITS_LAST
    ),
) -> Iterator[CrashingDatabase]:
    """A copy of the whole cluster with every role and password, to which all aliases lead."""
    shared = servers.SERVERS.postgres
    assert shared is not None
    where = places.settle(data_dir=folder)
    where.make()
    server = make_server(where)
    where.make_for_server("pg")
    where.make_socket_directory("pg")
    try:
        copy_cluster(shared, server)
        database = CrashingDatabase(server, name, environment)
        old, new = str(shared.socket_directory), str(server.socket_directory)
        environment |= {key: value.replace(old, new) for key, value in environment.items()}
        database.start()
        with hosts(new):
            yield database
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)


def copy_cluster(source: PostgresServer, target: PostgresServer, *options: str) -> None:
    """As a standby would begin; with ``--write-recovery-conf`` it is one.

    Not synced: the copy ends with its test, and thousands of files would wait for the real disk.
    """
    shutil.copy(source.home / "superuser.password", target.home / "superuser.password")
    tool = Path(source.command()[0]).with_name("pg_basebackup")
    command = [str(tool), "--pgdata", str(target.data), "--host", str(source.socket_directory),
               "--username", SUPERUSER, "--checkpoint", "fast", "--wal-method", "stream",
               "--no-sync", *options]  # fmt: skip
    process = processes.spawn(
        command,
        log=target.log,
        environment={"PATH": "/usr/bin:/bin", "PGPASSWORD": source.superuser_password()},
        directory=target.home,
        account=target.places.account,
    )
    assert process.wait(60) == 0, processes.last_lines(target.log)


@contextmanager
def hosts(host: str) -> Iterator[None]:
    """Every alias of this process connects there."""
    kept = {alias: settings.DATABASES[alias]["HOST"] for alias in ALIASES}
    try:
        for alias in ALIASES:
            connect_to(alias, host)
        yield
    finally:
        for alias, former in kept.items():
            connect_to(alias, former)


def connect_to(alias: str, host: str) -> None:
    connections[alias].close()
    for told in (connections.settings[alias], settings.DATABASES[alias]):
        told["HOST"] = host
    connections[alias] = connections.create_connection(alias)
