"""A database of a command's own on the configured server, dropped at the end."""

import os
from types import TracebackType
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql


class ScratchDatabase:
    """Context manager; child processes find the database through ``environment``."""

    def __init__(self) -> None:
        self.name = f"{settings.DATABASES['owner']['NAME']}_scratch_{os.getpid()}"

    def __enter__(self) -> "ScratchDatabase":
        self._execute("CREATE DATABASE {}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        parameters = connections["owner"].get_connection_params()
        wanted = ("dbname", "user", "password", "host", "port")
        chosen = {name: parameters[name] for name in wanted if parameters.get(name)}
        with psycopg.connect(**chosen, autocommit=True) as session:
            session.execute(sql.SQL(statement).format(sql.Identifier(self.name)))

    def environment(self) -> dict[str, str]:
        """Variables that lead a child process to this database under the same three roles."""
        return {
            "DATABASE_URL": self._url("owner"),
            "NOVA_DATABASE_APP_URL": self._url("default"),
            "NOVA_DATABASE_STAFF_URL": self._url("staff"),
        }

    def _url(self, alias: str) -> str:
        facts = settings.DATABASES[alias]
        login = f"{quote(facts['USER'])}:{quote(facts['PASSWORD'])}"
        host = facts["HOST"]
        if host.startswith("/"):
            return f"postgresql://{login}@/{self.name}?host={quote(host)}&port={facts['PORT'] or 5432}"
        return f"postgresql://{login}@{host}:{facts['PORT'] or 5432}/{self.name}"
