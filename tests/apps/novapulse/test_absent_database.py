"""A database that is gone is told at once; one that says that it starts is waited for."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.utils import OperationalError

from novapulse.pooling import pool_connections
from novapulse.postgres import base
from tests.database import FreshDatabase
from tests.faults.processes import wait_for

SOCKET = ".s.PGSQL.5432"
FIELDS = (b"SFATAL", b"VFATAL", b"C57P03", b"Mthe database system is starting up", b"")
STARTING_UP = b"".join(one + b"\0" for one in FIELDS)


class Door:
    """Stands before the real server: says that it starts, until it is opened."""

    def __init__(self, place: Path, server: str) -> None:
        self.refused = 0
        self.is_open = False
        self._server = server
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(place / SOCKET))
        self._listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                (self._lead if self.is_open else self._refuse)(client)

    def _refuse(self, client: socket.socket) -> None:
        with client:
            if client.recv(4096):  # nothing from one who only looks whether somebody is there
                client.sendall(b"E" + struct.pack("!I", len(STARTING_UP) + 4) + STARTING_UP)
                self.refused += 1

    def _lead(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        for here, there in ((client, server), (server, client)):
            threading.Thread(target=pipe, args=(here, there), daemon=True).start()


def pipe(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError), there:
        while data := here.recv(65536):
            there.sendall(data)


@pytest.fixture
def elsewhere(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[Path, str]]:
    """A pool that looks for the server in an empty place, with all the time there is; and where it is."""
    address = connections.settings["default"]
    real = f"{address['HOST']}/{SOCKET}"
    for alias in connections:
        of_alias = connections.settings[alias]
        monkeypatch.setitem(of_alias, "OPTIONS", of_alias["OPTIONS"])
    monkeypatch.setitem(address, "HOST", str(tmp_path))
    monkeypatch.setattr(base, "WAIT_SECONDS", 3600.0)
    pool_connections()
    connections["default"] = connections.create_connection("default")
    yield tmp_path, real
    wrapper: Any = connections["default"]
    wrapper.close()
    wrapper.close_pool()


def test_where_nobody_listens_nobody_waits(elsewhere: tuple[Path, str]) -> None:
    with pytest.raises(OperationalError), connection.cursor():
        pass


def test_a_server_that_says_it_starts_is_waited_for(elsewhere: tuple[Path, str]) -> None:
    door = Door(*elsewhere)
    answers: list[int] = []

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 7")
            answers.append(cursor.fetchone()[0])
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    # Two attempts a round, and a round is as long as an absent one is waited for.
    wait_for(lambda: door.refused >= 5, "it is asked for longer than an absent one")
    door.is_open = True
    asking.join(60)
    door.close()

    assert answers == [7]
