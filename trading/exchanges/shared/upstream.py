"""The one connection to a venue's stream, and what engines have asked for on it so far."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import Protocol

import structlog
from websockets.exceptions import WebSocketException

from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared.dialect import Dialect, Topic
from trading.exchanges.sockets import Ask, Connected, Frame, Line, Lost, listen
from trading.exchanges.venue_clock import VenueClock, read_stamp

log = structlog.get_logger(__name__)


class Audience(Protocol):
    """Those who listen."""

    def tell(self, topic: Topic | None, frame: Frame) -> None:
        """A frame for those who listen to a topic; None: for all."""
        ...

    def confirm(self) -> None:
        """More topics come now."""
        ...

    def lose(self, reason: str) -> None:
        """None comes any more."""
        ...


class Upstream:
    """Connects with the first engine; a topic that was asked for stays until the process ends."""

    def __init__(
        self, *, url: str, dialect: Dialect, rest: PublicRest, clock: VenueClock, audience: Audience
    ) -> None:
        self._url, self._dialect, self._rest, self._clock = url, dialect, rest, clock
        self._audience = audience
        self._wanted: dict[Topic, None] = {}
        self._more: asyncio.Queue[Frame] = asyncio.Queue()
        self._is_wanted, self._has_line = asyncio.Event(), asyncio.Event()
        self._line: Line
        self._is_connected = False
        self.up: set[Topic] = set()
        self.connections = 0
        self.reason = "no engine has asked yet"

    @property
    def topics(self) -> int:
        """How many were asked for."""
        return len(self._wanted)

    async def add(self, requests: Sequence[Frame]) -> frozenset[Topic]:
        """The topics of an engine's requests, which come from now on.

        Raises:
            ApiError, Unreached, NoAnswer: the venue does not say what it lists.
            NotShared: it does not list one.
        """
        await self._dialect.open(self._rest)
        topics = [topic for request in requests for topic in self._dialect.topics(request)]
        new = list(dict.fromkeys(topic for topic in topics if topic not in self._wanted))
        self._wanted |= dict.fromkeys(new)
        if new and self._is_connected:
            for request in self._dialect.requests(new):
                self._more.put_nowait(request)
        self._is_wanted.set()
        return frozenset(topics)

    async def run(self) -> None:
        """Listen for ever."""
        await self._is_wanted.wait()
        sending = asyncio.create_task(self._send())
        try:
            async with aclosing(listen(self._url, lambda: self, self._open)) as frames:
                async for frame in frames:
                    if isinstance(frame, Lost):
                        self._lose(frame.reason)
                    elif not isinstance(frame, Connected):
                        self._take(frame)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def _open(self, line: Line) -> None:
        self._line = line
        self._has_line.set()

    async def _send(self) -> None:
        """What is asked for later; a connection that breaks is noticed by who reads."""
        while True:
            request = await self._more.get()
            await self._has_line.wait()
            with suppress(WebSocketException, OSError):
                await self._line.send(json.dumps(request))

    async def requests(self) -> Sequence[Frame]:
        """Everything that was asked for, at the beginning of a connection."""
        while not self._more.empty():
            self._more.get_nowait()
        self._is_connected = True
        self.connections += 1
        return self._dialect.begin(list(self._wanted))

    def hear(self, frame: Frame) -> Frame | Ask | None:
        """What is new.

        Raises:
            Broken: this connection cannot be used any more.
        """
        if not self._dialect.is_news(frame):
            return None
        asked = self._dialect.asks(frame)
        return Ask(asked) if asked else frame

    def _take(self, frame: Frame) -> None:
        for topic, part in self._dialect.parts(frame):
            with suppress(ValueError):
                self._clock.hear(read_stamp(str(part.get("timestamp", ""))))
            self._audience.tell(topic, part)
        confirmed = self._dialect.confirmed(frame)
        if confirmed:
            self.up |= set(confirmed)
            self.reason = ""
            self._audience.confirm()

    def _lose(self, reason: str) -> None:
        log.warning("venue_lost", why=reason)
        self._is_connected, self.reason = False, reason
        self._has_line.clear()
        self.up.clear()
        self._audience.lose(reason)
