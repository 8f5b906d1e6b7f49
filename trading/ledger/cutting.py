"""Ends the wait for a server that says nothing any more, neither an answer nor that it is gone."""

import os
import socket
from contextlib import suppress
from typing import Any

import psycopg


def cut(connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]") -> None:
    """Whoever waits on the connection, in whatever thread, hears that it is closed."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)
