"""Calls every door of the core once, so that nothing compiles while trading, and the client's too."""

import asyncio

import httpx

from trading.backtest import runner
from trading.core import rehearsal
from trading.exchanges.clients import client_context
from trading.tape import taps  # noqa: F401  each engine needs it: imported here all share it
from trading.wiring.compiling import compile_apart

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def warm_core() -> None:
    """Compile, or load from the cache, the doors, the fill model and the backtest's loop."""
    warm_doors()
    runner.warm()


def warm_doors() -> None:
    """What an engine calls: the doors and the fill model."""
    compile_apart()
    rehearsal.rehearse()


def warm_client() -> None:
    """Ask and answer one request by HTTP: its modules, which load with the first, are shared then.

    Loaded after the fork they are 15 MB of each engine's own.
    """
    asyncio.run(_ask_ourselves())


async def _ask_ourselves() -> None:
    async with await asyncio.start_server(_answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with httpx.AsyncClient(trust_env=False, verify=client_context()) as client:
            await client.get(f"http://127.0.0.1:{port}/")


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)
    writer.close()
    await writer.wait_closed()
