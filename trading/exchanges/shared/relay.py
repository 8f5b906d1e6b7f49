"""A shared feed: one venue's public market data for all engines of a host, over a Unix socket."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from trading.exchanges.failures import FAILS
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared import words
from trading.exchanges.shared.answers import Answers
from trading.exchanges.shared.dialect import Dialect, NotShared, Topic
from trading.exchanges.shared.places import within_reach
from trading.exchanges.shared.upstream import Upstream
from trading.exchanges.sockets import Frame
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

MOST_WAITING_BYTES = 8_000_000  # an engine that leaves more unread is cut off; it comes again
BEAT_SECONDS = 1.0
Record = Callable[[Sequence[str], int], None]  # symbols, and the timeframe in nanoseconds


@dataclass(eq=False, slots=True)
class Listener:
    """One engine's connection."""

    writer: asyncio.StreamWriter
    topics: frozenset[Topic]
    is_up: bool = False

    def send(self, packed: bytes) -> bool:
        """Without waiting; False: it does not read what it is told."""
        if self.writer.is_closing():
            return True  # it has gone, and is about to be forgotten
        if self.writer.transport.get_write_buffer_size() > MOST_WAITING_BYTES:
            return False
        self.writer.write(packed)
        return True


class Relay:
    """Serves engines until it is cancelled."""

    def __init__(
        self,
        *,
        venue: str,
        stream_url: str,
        rest: PublicRest,
        dialect: Dialect,
        clock: VenueClock,
        record: Record = lambda symbols, timeframe_ns: None,
    ) -> None:
        self._venue, self._record = venue, record
        self._answers = Answers(rest=rest, dialect=dialect, clock=clock)
        self._upstream = Upstream(
            url=stream_url, dialect=dialect, rest=self._answers, clock=clock, audience=self
        )
        self._dialect = dialect
        self._listeners: dict[Listener, None] = {}
        self._by_topic: dict[Topic, dict[Listener, None]] = {}
        self._meetings: set[asyncio.Task[None]] = set()
        self._since_ns = time.time_ns()
        self._cut_off = 0

    @asynccontextmanager
    async def open(self, path: Path) -> AsyncIterator[None]:
        """Listen at a path that nobody else serves, for its owner alone; inside, ``run``."""
        path.unlink(missing_ok=True)
        with within_reach(path) as name:
            before = os.umask(0o177)
            try:
                server = await asyncio.start_unix_server(self._meet, name)
            finally:
                os.umask(before)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            server.close()
            for meeting in self._meetings:
                meeting.cancel()
            await asyncio.gather(*self._meetings, return_exceptions=True)
            await self._answers.close()

    async def run(self) -> None:
        """The venue's stream, and our beats; for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._upstream.run())
            group.create_task(self._beat())

    def status(self) -> words.Status:
        """How it stands."""
        upstream = self._upstream
        return words.Status(
            venue=self._venue,
            pid=os.getpid(),
            since_ns=self._since_ns,
            is_up=bool(upstream.up),
            reason=upstream.reason,
            engines=len(self._listeners),
            topics=upstream.topics,
            connections=upstream.connections,
            cut_off=self._cut_off,
            asked=self._answers.asked,
            passed_on=self._answers.passed_on,
        )

    def tell(self, topic: Topic | None, frame: Frame) -> None:
        """A frame of the venue's, to whom it concerns."""
        listeners = self._listeners if topic is None else self._by_topic.get(topic)
        if listeners:
            self._send(list(listeners), words.Said(frame))

    def confirm(self) -> None:
        """Engines begin for which everything comes now."""
        for listener in list(self._listeners):
            self._begin(listener)

    def lose(self, reason: str) -> None:
        """Nothing comes any more."""
        for listener in self._listeners:
            listener.is_up = False
        self._send(list(self._listeners), words.Down(reason))

    def _begin(self, listener: Listener) -> None:
        if listener.is_up or not listener.topics <= self._upstream.up:
            return
        listener.is_up = True
        for topic in sorted(listener.topics):
            newest = self._dialect.newest(topic)
            if newest is not None:
                self._send([listener], words.Said(newest))
        self._send([listener], words.Up())

    def _send(self, listeners: Sequence[Listener], message: words.ToEngine) -> None:
        packed = words.pack(message)
        for listener in listeners:
            if not listener.send(packed):
                self._cut_off += 1
                log.warning("slow_engine_cut_off", topics=len(listener.topics))
                self._forget(listener)
                listener.writer.transport.abort()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._send(list(self._listeners), words.Beat())

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meeting = asyncio.create_task(self._talk(reader, writer))
        self._meetings.add(meeting)
        meeting.add_done_callback(self._meetings.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it is gone."""
        listener: Listener | None = None
        try:
            with suppress(OSError):
                while True:
                    match await words.hear_engine(reader):
                        case words.Ask() as ask:
                            await words.send(writer, await self._answers.tell(ask))
                        case words.AskStatus():
                            await words.send(writer, words.pack(self.status()))
                        case words.Subscribe() as wanted:
                            listener = await self._seat(wanted, writer)
        finally:
            if listener is not None:
                self._forget(listener)
            writer.close()

    async def _seat(self, wanted: words.Subscribe, writer: asyncio.StreamWriter) -> Listener:
        """A new listener.

        Raises:
            ConnectionError: it cannot have what it asks for; it was told why.
        """
        try:
            topics = await self._upstream.add(wanted.requests)
        except (*FAILS, NotShared) as error:
            await words.send(writer, words.pack(words.Down(str(error))))
            raise ConnectionError(str(error)) from None
        listener = Listener(writer, topics)
        self._listeners[listener] = None
        for topic in topics:
            self._by_topic.setdefault(topic, {})[listener] = None
        self._record(wanted.symbols, wanted.timeframe_ns)
        self._begin(listener)
        return listener

    def _forget(self, listener: Listener) -> None:
        self._listeners.pop(listener, None)
        for topic in listener.topics:
            self._by_topic.get(topic, {}).pop(listener, None)
