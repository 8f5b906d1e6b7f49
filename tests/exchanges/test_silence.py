"""A line on which nothing comes is cut; one whose listener is slow is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from trading.exchanges.silence import Silence

SECONDS = 0.05


@asynccontextmanager
async def line() -> AsyncIterator[
    tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.StreamWriter]
]:
    """Ours to read, ours to write, and the other end's to write."""
    others: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: others.put_nowait(writer), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        other = await others.get()
        yield reader, writer, other
        for one in (writer, other):
            one.close()


async def test_a_line_on_which_nothing_comes_is_cut() -> None:
    async with line() as (reader, writer, other):
        other.write(b"one\n")
        with Silence(SECONDS, writer.transport.abort) as silence:
            assert await silence.broken_by(reader.readuntil()) == b"one\n"
            with pytest.raises(TimeoutError, match=r"silent for 0\.05 s"):
                await silence.broken_by(reader.readuntil())
        assert writer.is_closing()


async def test_a_listener_that_is_slow_is_no_silence() -> None:
    async with line() as (reader, writer, other):
        other.write(b"one\n")
        with Silence(SECONDS, writer.transport.abort) as silence:
            assert await silence.broken_by(reader.readuntil()) == b"one\n"
            await asyncio.sleep(3 * SECONDS)
            other.write(b"two\n")
            assert await silence.broken_by(reader.readuntil()) == b"two\n"


async def test_a_line_that_breaks_says_how() -> None:
    async with line() as (reader, writer, other):
        with Silence(60.0, writer.transport.abort) as silence:
            other.close()
            with pytest.raises(asyncio.IncompleteReadError):
                await silence.broken_by(reader.readuntil())


async def test_a_line_nobody_listens_to_any_more_is_left_alone() -> None:
    async with line() as (_, writer, _other):
        with Silence(SECONDS, writer.transport.abort):
            pass
        await asyncio.sleep(2 * SECONDS)
        assert not writer.is_closing()
