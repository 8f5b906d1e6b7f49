"""Calls every door of the core once, so that nothing compiles while trading, and the client's too."""

import asyncio
import os

import httpx
import numpy as np

from trading.backtest import runner
from trading.core import fills, pipeline
from trading.core.config.pipeline import PipelineParams
from trading.core.jit import compiled_mark
from trading.core.records import BAR, FILL, INTENT, MAX_FILLS, MAX_INTENTS
from trading.exchanges.tls import client_context
from trading.tape import taps  # noqa: F401  each engine needs it: imported here all share it

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def compile_apart() -> None:
    """Compile in a process of its own: what a compiler needs, half a gigabyte, goes back with it."""
    if compiled_mark().exists():
        return
    child = os.fork()
    if child == 0:
        try:
            warm_core()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def warm_core() -> None:
    """Compile, or load from the cache, the doors, the fill model and the backtest's loop."""
    bars = np.zeros(2, BAR)
    for i in range(2):
        bars[i] = (60_000_000_000 * (i + 1), 100.0, 101.0, 99.0, 100.0, 1.0)
    params = pipeline.new_params(PipelineParams())
    markets, account = pipeline.new_markets(1), pipeline.new_account(1000.0)
    grid = markets[0]["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = 0.01, 0.001, 60_000_000_000
    intents = np.zeros(MAX_INTENTS, INTENT)
    decisions, details = np.zeros(1, pipeline.DECISION), np.zeros(1, pipeline.DETAIL)
    fill = np.zeros(1, FILL)
    fill["final"] = 1
    sims, found = fills.new_sims(1), np.zeros(MAX_FILLS, FILL)
    pipeline.on_bar(markets, 0, account, params, bars, 0, decisions, 0, details, 0, intents)
    pipeline.on_book(markets, 0, 1, np.array([[99.0, 1.0]]), np.array([[101.0, 1.0]]))
    pipeline.on_tick(markets, 0, account, params, 1, 100.0, intents)
    pipeline.on_fill(markets, 0, account, params, fill, 0, intents)
    pipeline.has_dust(markets, 0)
    pipeline.on_dust(markets, 0, account, params, 1)
    fills.match_open(sims, 0, markets, params, bars, 1, found)
    fills.match_range(sims, 0, markets, params, bars, 1, found)
    fills.accept(sims, 0, np.ones(1, INTENT), 0)
    runner.warm()
    compiled_mark().touch()


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
