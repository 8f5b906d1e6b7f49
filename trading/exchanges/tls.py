"""One TLS context for every client of a process: the authorities are read once, before engines are forked."""

from functools import cache
from ssl import SSLContext

import httpx


@cache
def client_context() -> SSLContext:
    """What a client of its own would make, in some milliseconds and megabytes each time."""
    return httpx.create_ssl_context()
