"""What HTTP clients of venues share."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from types import ModuleType

from trading.exchanges.kraken.rest import KrakenRest

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{"error":[],"result":{}}'


class Searches(MetaPathFinder):
    """Finds nothing, and keeps the names of modules that Python searches for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        self.names.append(name)


@contextmanager
def searches() -> Iterator[list[str]]:
    finder = Searches()
    sys.meta_path.insert(0, finder)
    try:
        yield finder.names
    finally:
        sys.meta_path.remove(finder)


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError):  # the client has left
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()
    writer.close()


async def test_no_module_is_searched_for_by_a_request() -> None:
    server = await asyncio.start_server(answer_all, "127.0.0.1", 0)
    async with server:
        rest = KrakenRest(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await rest.public("Time")  # what it needs is loaded with the first

        with searches() as names:
            await rest.public("Time")

        await rest.close()
    assert names == []
