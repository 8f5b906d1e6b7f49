"""A connection of which one direction is dead: nothing is lost, nothing doubled, and it is not waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest

from tests.engine.fakes import spec
from tests.exchanges.bench import BARS, WireBench
from tests.exchanges.street import FUNDS, open_simulator
from trading.chaos.wires import COINBASE, KRAKEN, Wire
from trading.core.codes import Purpose
from trading.engine.batches import Known
from trading.engine.errors import OutcomeUnknown
from trading.engine.messages import FeedChange
from trading.exchanges import sockets
from trading.exchanges.coinbase import rest as coinbase_rest
from trading.exchanges.kraken import rest as kraken_rest

OUT, BACK = "out", "back"


@dataclass
class Proxy:
    """Carries bytes both ways, and drops those of one direction while it is told to."""

    port: int
    swallows: str = ""
    _server: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await asyncio.gather(
                self._pump(reader, far_writer, OUT), self._pump(far_reader, writer, BACK)
            )
        except OSError:
            pass
        finally:
            far_writer.close()
            writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        while data := await reader.read(65536):
            if self.swallows != direction:
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def behind_a_proxy(wire: Wire) -> AsyncIterator[tuple[WireBench, Proxy]]:
    simulator = await open_simulator(BARS, wire=wire, funds=FUNDS)
    proxy = Proxy(simulator.port)
    await proxy.start()
    through = replace(
        wire, connect=lambda **given: wire.connect(**{**given, "address": proxy.address})
    )
    bench = WireBench(wire.name, through, simulator, spec())
    try:
        yield bench, proxy
    finally:
        proxy.swallows = ""
        await bench.leave()
        await proxy.stop()
        await simulator.stop()


@pytest.mark.parametrize("wire", [KRAKEN, COINBASE], ids=["kraken", "coinbase"])
@pytest.mark.parametrize(("direction", "known"), [(OUT, Known.ABSENT), (BACK, Known.WORKING)])
async def test_a_stop_sent_into_a_half_dead_connection_is_found_or_never_was(
    wire: Wire, direction: str, known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rest in (kraken_rest, coinbase_rest):
        monkeypatch.setattr(rest, "TIMEOUT", httpx.Timeout(0.4))
    async with behind_a_proxy(wire) as (bench, proxy):
        await bench.listen()
        await bench.bought(400)
        stop = bench.order(Purpose.PROTECT, 400, price_ticks=bench.last_ticks - 2000)

        proxy.swallows = direction
        with pytest.raises(OutcomeUnknown):
            await bench.submit(stop)
        proxy.swallows = ""
        evidence = await bench.settled(stop)

        assert evidence.known is known
        assert len(bench.working) == (1 if known is Known.WORKING else 0)


@pytest.mark.parametrize("wire", [KRAKEN, COINBASE], ids=["kraken", "coinbase"])
async def test_orders_that_are_told_into_a_dead_direction_are_told_after_the_next_connection(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 0.6)
    async with behind_a_proxy(wire) as (bench, proxy):
        await bench.listen()
        begun = len(bench.heard)

        proxy.swallows = BACK
        await bench.until(lambda: any(is_down(one) for one in bench.heard[begun:]))
        proxy.swallows = ""
        await bench.until(lambda: any(is_up(one) for one in bench.heard[begun:]))

        await bench.bought(400)
        assert bench.filled == 400


def is_down(told: object) -> bool:
    return isinstance(told, FeedChange) and told.channel == "orders" and not told.is_up


def is_up(told: object) -> bool:
    return isinstance(told, FeedChange) and told.channel == "orders" and told.is_up
