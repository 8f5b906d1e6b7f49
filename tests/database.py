"""Test databases: one migrated template, cloned in a tenth of a second wherever one is needed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from tests import servers

ALIASES = ("default", "staff", "owner")
CLONE_NUMBERS = count(1)
END_OWN_SESSIONS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = %s AND usename = current_user
"""


@dataclass(frozen=True)
class FreshDatabase:
    """A database of one test alone; ``environment`` leads child processes to it."""

    name: str
    environment: dict[str, str] = field(repr=False)


def _server() -> Any:
    assert servers.SERVERS.postgres is not None
    return servers.SERVERS.postgres


def _owner_session() -> psycopg.Connection:
    return psycopg.connect(_server().url(), autocommit=True)


def use_database(name: str) -> None:
    """Lead every alias, in this thread and in later ones, to the database ``name``."""
    for alias in ALIASES:
        connections[alias].close()
        connections.settings[alias]["NAME"] = name
        settings.DATABASES[alias]["NAME"] = name
        connections[alias] = connections.create_connection(alias)


def _sources_digest() -> str:
    """Of everything that shapes the tables; another digest means another template."""
    digest = hashlib.sha256()
    root = servers.PROJECT_ROOT
    patterns = (
        "*/migrations/*.py",
        "*/apps.py",
        "*/models/*.py",
        "tenants/**/*.py",
        "trading/*.py",
    )
    paths = {path for pattern in patterns for path in root.glob(pattern)}
    paths |= {root / "requirements" / "base.txt", root / "novapulse" / "settings.py"}
    for path in sorted(paths):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def ensure_template() -> str:
    """The migrated database others are cloned from; made once per state of the sources."""
    name = f"template_{_sources_digest()}"
    with servers.alone("template.lock"), _owner_session() as session:
        call_command("prepare_database", verbosity=0)
        for alias in ("default", "staff"):
            role = sql.Identifier(settings.DATABASES[alias]["USER"])
            session.execute(
                sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE").format(role)
                if alias == "default"
                else sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE").format(role)
            )
        if _exists(session, name):
            return name
        _drop_abandoned(session)
        unfinished = f"unfinished_{os.getpid()}"
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
        use_database(unfinished)
        call_command("migrate", verbosity=0, interactive=False)
        for alias in ALIASES:
            connections[alias].close()
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        session.execute(rename.format(sql.Identifier(unfinished), sql.Identifier(name)))
    return name


def _exists(session: psycopg.Connection, name: str) -> bool:
    found = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    return found is not None


def _drop_abandoned(session: psycopg.Connection) -> None:
    """Databases of earlier sources and of runs that were killed."""
    query = (
        "SELECT datname FROM pg_database WHERE datname ~ '^(template_|unfinished_|run_).*[0-9a-f]'"
    )
    for (name,) in session.execute(query).fetchall():
        owner_pid = name.split("_")[1] if not name.startswith("template_") else ""
        if owner_pid and os.path.exists(f"/proc/{owner_pid}"):
            continue
        drop(name)


def clone(template: str) -> str:
    """A new database equal to ``template``."""
    name = f"run_{os.getpid()}_{next(CLONE_NUMBERS)}"
    with servers.alone("template.lock"), _owner_session() as session:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        session.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    return name


def drop(name: str) -> None:
    """Drop a database and whoever is still in it.

    Not WITH (FORCE): a session that is just leaving is no longer listed but may still be met, and
    ending what another role began is refused. Plain DROP waits for those that leave.
    """
    with _owner_session() as session:
        for alias in ("default", "staff"):  # the owner may not end what other roles began
            role = sql.Identifier(settings.DATABASES[alias]["USER"])
            session.execute(sql.SQL("SET ROLE {}").format(role))
            session.execute(END_OWN_SESSIONS, [name])
            session.execute("RESET ROLE")
        session.execute(END_OWN_SESSIONS, [name])
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def child_environment(name: str) -> dict[str, str]:
    """The whole environment of a child process that works on the database ``name``."""
    values = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "novapulse.settings",
        "DATABASE_URL": _server().url(database=name),
    }
    for alias, variable in (
        ("default", "NOVA_DATABASE_APP_URL"),
        ("staff", "NOVA_DATABASE_STAFF_URL"),
    ):
        role, password = (settings.DATABASES[alias][key] for key in ("USER", "PASSWORD"))
        host = _server().url().partition("?")[2]
        values[variable] = f"postgresql://{role}:{password}@/{name}?{host}"
    return values


@dataclass
class Acting:
    """The role that the shared session has just now, where that is known."""

    role: str | None = None


class RoleView:
    """One alias inside a test's transaction: the shared session, acting as this alias's role.

    Three sessions could not see each other's uncommitted rows. So all aliases share the owner's
    session, and each statement runs under the role of the alias it was sent through: row-level
    security and missing grants bite exactly as they do outside tests.
    """

    def __init__(self, shared: BaseDatabaseWrapper, acting: Acting, alias: str, role: str) -> None:
        object.__setattr__(self, "_shared", shared)
        object.__setattr__(self, "_acting", acting)
        object.__setattr__(self, "alias", alias)
        object.__setattr__(self, "_role", role)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shared, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._shared, name, value)

    def _assume_role(self) -> None:
        if self._acting.role == self._role:
            return
        statement = sql.SQL("SET ROLE {}").format(sql.Identifier(self._role))
        self._shared.ensure_connection()
        self._shared.connection.execute(statement)
        self._acting.role = self._role

    def cursor(self) -> Any:
        self._assume_role()
        return self._shared.cursor()

    def chunked_cursor(self) -> Any:
        self._assume_role()
        return self._shared.chunked_cursor()

    def savepoint_rollback(self, sid: str) -> None:
        """The role goes back as well, to what it was at the savepoint."""
        self._acting.role = None
        self._shared.savepoint_rollback(sid)

    def close(self) -> None:
        """Closing would end the test's transaction; it is rolled back at the end anyway."""


@contextmanager
def one_transaction() -> Iterator[None]:
    """All aliases share one transaction that is rolled back at the end."""
    shared = connections.create_connection("owner")
    kept = {alias: connections[alias] for alias in ALIASES}
    shared.ensure_connection()
    shared.set_autocommit(False)
    shared.in_atomic_block = True
    shared.atomic_blocks = []
    shared.needs_rollback = False
    shared.commit_on_exit = False
    acting = Acting()
    for alias in ALIASES:
        role = settings.DATABASES[alias]["USER"]
        connections[alias] = cast(BaseDatabaseWrapper, RoleView(shared, acting, alias, role))
    try:
        yield
    finally:
        for alias, connection in kept.items():
            connections[alias] = connection
        shared.in_atomic_block = False
        shared.run_on_commit = []
        shared.connection.rollback()
        shared.close()
