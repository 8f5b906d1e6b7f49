"""Refuses a request's body that is too large before it is read, where daphne serves the pages."""

import asyncio
import json

from daphne import http_protocol

from tenants.api.problems import CONTENT_TYPE, problem

MOST_BYTES = 2_000_000  # more than any form or request of ours, and what the proxy lets through
# Closed at once, the connection would be reset under a sender who has not read the answer yet.
LINGER_SECONDS = 2.0


class BoundedRequest(http_protocol.WebRequest):
    """Daphne's request; what it sends beyond the limit is neither kept nor handed on."""

    taken_bytes = 0
    is_refused = False

    def gotLength(self, length: int | None) -> None:
        """All headers are there; ``length`` is None where the body comes in chunks."""
        if length is not None and length > MOST_BYTES:
            self._refuse()
        super().gotLength(0 if self.is_refused else length)

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a part of the body."""
        self.taken_bytes += len(data)
        if self.taken_bytes > MOST_BYTES and not self.is_refused:
            self._refuse()
        if not self.is_refused:
            super().handleContentChunk(data)

    def process(self) -> object:
        """Hand it on, unless it was answered."""
        return None if self.is_refused else super().process()

    def _refuse(self) -> None:
        self.is_refused = True
        self.requestHeaders.removeHeader(b"Expect")  # nobody is told to go on
        body = json.dumps(problem(413, f"At most {MOST_BYTES:,} bytes are read.")).encode()
        head = (
            f"HTTP/1.1 413 Content Too Large\r\nContent-Type: {CONTENT_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        self.channel.transport.write(head.encode() + body)
        self.channel.dataReceived = _forget
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.channel.loseConnection)


def _forget(_data: bytes) -> None:
    """What is still under way to a request that was answered."""


def bound_bodies() -> None:
    """Daphne has no such limit, and asks the application when all of a body lies in a file."""
    http_protocol.WebRequest = BoundedRequest
