"""A shared feed over a simulated venue, and engines that listen to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.engine.fakes import MINUTE_NS
from trading.engine.messages import BarClosed, FeedChange
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.shared import words
from trading.exchanges.shared.kraken import KrakenDialect
from trading.exchanges.shared.link import Link, SharedRest, SharedStream
from trading.exchanges.shared.relay import Relay
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.venue_clock import VenueClock


def relay_of(simulator: Simulator, **more: Any) -> Relay:
    return Relay(
        venue="simulator",
        stream_url=f"ws://127.0.0.1:{simulator.port}/v2",
        rest=KrakenRest(url=simulator.address),
        dialect=KrakenDialect(),
        clock=VenueClock(),
        **more,
    )


@asynccontextmanager
async def served(relay: Relay, path: Path) -> AsyncIterator[Relay]:
    """The relay, while it serves."""
    async with relay.open(path):
        running = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def shared_feed(path: Path, *symbols: str, patience_seconds: float = 1e9) -> KrakenFeed:
    link = Link(path, patience_seconds=patience_seconds)
    wanted = symbols or ("BTC/USD",)
    stream = SharedStream(link, symbols=wanted, timeframe_ns=MINUTE_NS)
    return KrakenFeed(
        rest=SharedRest(link),
        ws_url="",
        listen=stream.listen,
        symbols=wanted,
        timeframe_ns=MINUTE_NS,
    )


def own_feed(simulator: Simulator, *symbols: str) -> KrakenFeed:
    return KrakenFeed(
        rest=KrakenRest(url=simulator.address),
        ws_url=f"ws://127.0.0.1:{simulator.port}/v2",
        symbols=symbols or ("BTC/USD",),
        timeframe_ns=MINUTE_NS,
    )


async def unpacked(packed: bytes) -> Any:
    """What a feed says, as an engine hears it."""
    reader = asyncio.StreamReader()
    reader.feed_data(packed)
    return await words.hear_feed(reader)


def values_of(bars: Sequence[BarClosed]) -> list[BarClosed]:
    """Bars without when they were told: how late that is depends on the machine."""
    return [msgspec.structs.replace(bar, late=False) for bar in bars]


class Ear:
    """Hears a feed until it is closed."""

    def __init__(self, feed: Any, *, after_ns: int = 0) -> None:
        self.feed, self.heard = feed, list[Any]()
        self._task = asyncio.create_task(self._hear(after_ns))

    async def _hear(self, after_ns: int) -> None:
        async for one in self.feed.news(after_ns={0: after_ns}):
            self.heard.append(one)

    @property
    def bars(self) -> list[BarClosed]:
        return [one for one in self.heard if isinstance(one, BarClosed)]

    @property
    def ups(self) -> list[bool]:
        changes = [one for one in self.heard if isinstance(one, FeedChange)]
        return [one.is_up for one in changes if one.channel == "candles"]

    async def until(self, *, is_up: bool) -> None:
        async with asyncio.timeout(15):
            while self.ups[-1:] != [is_up]:
                if self._task.done():
                    self._task.result()
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.feed.close()


async def pass_minutes(simulator: Simulator, count: int) -> None:
    """The venue's time goes on."""
    for _ in range(4 * count):
        simulator.clock.jump(simulator.clock.now_ns() + MINUTE_NS // 4)
        await asyncio.sleep(0.06)
    await asyncio.sleep(0.3)
