"""A wire that can be cut without anybody being told: neither bytes nor a close come through."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[], Awaitable[Ends]]


@dataclass
class Hole:
    """Carries connections between two ends; while it is open all they say waits, as on the network.

    What was said into it arrives late, once it is closed: so do retransmitted packets.
    """

    loop: asyncio.AbstractEventLoop
    connects: int = 0
    _through: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def open(self) -> None:
        """From now on nothing comes through, in either direction."""
        self.loop.call_soon_threadsafe(self._through.clear)

    def close(self) -> None:
        """Everything that waits comes through, and what follows."""
        self.loop.call_soon_threadsafe(self._through.set)

    async def carry(self, near: Ends, open_far: Open) -> None:
        """One connection, until either end hangs up."""
        self.connects += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError):
            await self._through.wait()
            far = await open_far()
            pumps = self._pump(near[0], far[1]), self._pump(far[0], near[1])
            with suppress(OSError):
                await asyncio.gather(*pumps)
            far[1].close()
        near[1].close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._through.wait()
            writer.write(data)
            await writer.drain()
        await self._through.wait()
        writer.close()

    async def end(self) -> None:
        """Hang up everywhere."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextmanager
def _hole(serve: Callable[[Hole], Awaitable[asyncio.Server]]) -> Iterator[Hole]:
    """On a thread of its own, since tests wait by sleeping."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    hole = Hole(loop)
    hole.close()
    server = asyncio.run_coroutine_threadsafe(_awaited(serve(hole)), loop).result(10)
    try:
        yield hole
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(hole.end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _awaited(server: Awaitable[asyncio.Server]) -> asyncio.Server:
    return await server


@contextmanager
def hole_to_port(listening: int, far: int) -> Iterator[Hole]:
    """Before a server of this machine."""

    def serve(hole: Hole) -> Awaitable[asyncio.Server]:
        return asyncio.start_server(
            lambda r, w: hole.carry((r, w), lambda: asyncio.open_connection("127.0.0.1", far)),
            "127.0.0.1",
            listening,
        )

    with _hole(serve) as hole:
        yield hole


@contextmanager
def hole_to_sockets(folder: Path, far: Path) -> Iterator[Hole]:
    """Before the PostgreSQL whose socket lies in a folder."""
    (name,) = [one.name for one in far.iterdir() if one.is_socket()]

    def serve(hole: Hole) -> Awaitable[asyncio.Server]:
        return asyncio.start_unix_server(
            lambda r, w: hole.carry((r, w), lambda: asyncio.open_unix_connection(far / name)),
            folder / name,
        )

    with _hole(serve) as hole:
        yield hole
