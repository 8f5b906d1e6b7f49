"""A database of a command's own on the configured server, dropped at the end."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

ALIASES = ("default", "staff", "owner")


@contextmanager
def scratch_database() -> Iterator[str]:
    """Lead every alias of this process to a fresh, migrated database; drop it afterwards."""
    home, tapes = settings.DATABASES["owner"]["NAME"], settings.TAPE_DIR
    name = f"{home}_scratch_{os.getpid()}"
    _as_owner("CREATE DATABASE {}", name)
    settings.TAPE_DIR = Path(mkdtemp(prefix="tapes-"))
    try:
        _lead_to(name)
        call_command("prepare_database", verbosity=0)
        call_command("migrate", verbosity=0, interactive=False)
        yield name
    finally:
        shutil.rmtree(settings.TAPE_DIR, ignore_errors=True)
        settings.TAPE_DIR = tapes
        _lead_to(home)
        _as_owner("DROP DATABASE IF EXISTS {}", name)


def _lead_to(name: str) -> None:
    for alias in ALIASES:
        connections[alias].close()
        connections.settings[alias]["NAME"] = name
        settings.DATABASES[alias]["NAME"] = name
        connections[alias] = connections.create_connection(alias)


def _as_owner(statement: str, name: str) -> None:
    parameters = connections["owner"].get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port")
    chosen = {key: parameters[key] for key in wanted if parameters.get(key)}
    with psycopg.connect(**chosen, autocommit=True) as session:
        session.execute(sql.SQL(statement).format(sql.Identifier(name)))
