"""One process that serves a venue's market data to the engines of this host, and records it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from django.conf import settings

from trading.exchanges.recording import RecordingFeed
from trading.exchanges.shared.coinbase import CoinbaseDialect
from trading.exchanges.shared.kraken import KrakenDialect
from trading.exchanges.shared.link import Link, SharedRest, SharedStream
from trading.exchanges.shared.relay import Relay
from trading.exchanges.unstored import PatientStore
from trading.exchanges.venue_clock import VenueClock
from trading.marketdata.store import FOREVER, SeriesKey, SeriesNotFound
from trading.queries.bars import LIVE_VENUES, CannotFeed
from trading.queries.feeds import socket_path
from trading.wiring.feeds import COINBASE_VENUES, feed_of, own_source
from trading.wiring.shared_feeds import Source

log = structlog.get_logger(__name__)

NS_PER_SECOND = 1_000_000_000


async def serve(venue: str, *, path: Path, done: asyncio.Event) -> None:
    """Serve engines and record what they are told, until it is done.

    Raises:
        CannotFeed: a venue that cannot be shared, or a simulator that never ran here.
    """
    recorder = Recorder(venue)
    relay = _relay(venue, recorder)
    async with relay.open(path):
        log.info("shared_feed_serves", venue=venue, path=str(path))
        running = asyncio.create_task(relay.run())
        waiting = asyncio.create_task(done.wait())
        try:
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            for task in (running, waiting):
                task.cancel()
            await asyncio.gather(running, waiting, return_exceptions=True)
            await recorder.close()


def _relay(venue: str, recorder: "Recorder") -> Relay:
    if venue not in LIVE_VENUES:
        raise CannotFeed(f"{venue} cannot be shared; accepted are {', '.join(LIVE_VENUES)}")
    clock = VenueClock()
    source = own_source(venue, clock=clock)
    return Relay(
        venue=venue,
        stream_url=source.url,
        rest=source.rest,
        dialect=CoinbaseDialect() if venue in COINBASE_VENUES else KrakenDialect(),
        clock=clock,
        record=recorder.add,
    )


class Recorder:
    """Stores each bar of what engines ask for once, as an engine with its own connection would."""

    def __init__(self, venue: str) -> None:
        self._venue, self._store = venue, PatientStore(settings.RECORDED_DIR)
        self._keys: set[SeriesKey] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, symbols: Sequence[str], timeframe_ns: int) -> None:
        """Record what is not recorded yet."""
        seconds = timeframe_ns // NS_PER_SECOND
        keys = [SeriesKey(self._venue, symbol, seconds) for symbol in symbols]
        new = [key for key in dict.fromkeys(keys) if key not in self._keys]
        if new:
            self._keys |= set(new)
            task = asyncio.create_task(self._record(new))
            self._tasks.add(task)
            task.add_done_callback(self._note_end)

    async def close(self) -> None:
        """Stop; what waits to be written is written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _record(self, keys: Sequence[SeriesKey]) -> None:
        """An engine without decisions, through the same socket as all."""
        link = Link(socket_path(self._venue), patience_seconds=float("inf"))
        source = Source(rest=SharedRest(link), url="", listen=SharedStream(link).listen)
        inner = feed_of(
            self._venue,
            source=source,
            symbols=[key.symbol for key in keys],
            timeframe_ns=keys[0].timeframe_seconds * NS_PER_SECOND,
            clock=VenueClock(),
        )
        feed = RecordingFeed(inner, store=self._store, keys=keys)
        after_ns = await asyncio.to_thread(self._newest, keys)
        try:
            async for _ in feed.news(after_ns=after_ns):
                pass
        finally:
            await feed.close()

    def _newest(self, keys: Sequence[SeriesKey]) -> dict[int, int]:
        found = {}
        for market, key in enumerate(keys):
            with suppress(SeriesNotFound):
                bars = self._store.tail(key, before_ns=FOREVER, count=1)
                found[market] = int(bars["open_ns"][-1]) if len(bars) else 0
        return found

    def _note_end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("bars_not_recorded", why=repr(error))
