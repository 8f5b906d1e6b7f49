"""One WebSocket at a time: connect, subscribe, read; told when it comes and goes."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State

from trading.exchanges.silence import Silence

log = structlog.get_logger(__name__)

SILENCE_SECONDS = 10.0  # heartbeats come every second
OPEN_SECONDS = 10.0
MOST_BYTES = 16_000_000
JITTER = secrets.SystemRandom()
QUICK_RETRIES, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2, 0.5, 60.0
STEADY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Connected:
    """Every subscription was confirmed."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone; why."""

    reason: str


Frame = dict[str, Any]
DECODER = msgspec.json.Decoder(float_hook=str)


@dataclass(frozen=True, slots=True)
class Ask:
    """To be sent at once, because of the frame that was heard."""

    requests: Sequence[Frame]


class Broken(Exception):
    """This connection cannot be used any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """An open connection, for what is said of one's own accord."""

    socket: ClientConnection

    @property
    def is_open(self) -> bool:
        """Whether something may be said."""
        return self.socket.state is State.OPEN

    async def send(self, text: str) -> None:
        """Say it.

        Raises:
            WebSocketException, OSError: it may have left, or not.
        """
        await self.socket.send(text)

    def drop(self) -> None:
        """Cut it off; the listener connects anew."""
        self.socket.transport.abort()


def nobody(_: Line) -> None:
    """Who only listens has no use for the line."""


def pause_after(failures: int) -> float:
    """Seconds before the next try: at once at first, then longer and longer, with jitter."""
    if failures <= QUICK_RETRIES:
        return FIRST_PAUSE_SECONDS * JITTER.uniform(0.1, 1.0)
    longest = min(FIRST_PAUSE_SECONDS * 2 ** (failures - QUICK_RETRIES), LONGEST_PAUSE_SECONDS)
    return longest * JITTER.uniform(0.5, 1.0)


def why_lost(error: Exception) -> str:
    """In words for whoever reads why entries wait."""
    if isinstance(error, ConnectionClosed):
        told = error.rcvd
        return f"closed by the venue: {told}" if told else "the connection broke off"
    if isinstance(error, TimeoutError) and not str(error):
        return f"nothing came for {SILENCE_SECONDS:g} s"
    return str(error) or type(error).__name__


class Conversation(Protocol):
    """What a venue's protocol makes of one connection."""

    async def requests(self) -> Sequence[Frame]:
        """What is sent first: subscriptions, with tokens fetched anew."""
        ...

    def hear(self, frame: Frame) -> Frame | Connected | Ask | None:
        """News for the listener, or None for what is only between the two ends.

        Raises:
            Broken: the connection cannot be used any more.
        """
        ...


Read = Callable[[str | bytes], Any]  # what its conversation hears; None for no frame
Converse = Callable[[], Conversation]
Heard = AsyncGenerator[Frame | Connected | Lost, None]
Listen = Callable[[str, Converse], Heard]


def read_frame(text: str | bytes) -> Frame | None:
    """A frame with its numbers as text; None for what is no frame of a protocol."""
    try:
        told = DECODER.decode(text)
    except (ValueError, RecursionError):
        log.warning("frame_is_no_json", text=str(text[:60]))
        return None
    return told if isinstance(told, dict) else None


async def listen(
    url: str,
    converse: Converse,
    open_line: Callable[[Line], None] = nobody,
    read: Read = read_frame,
) -> Heard:
    """Frames of a connection that is made again and again, for ever. Their numbers stay text.

    ``open_line`` is given each new connection before anything is sent on it; ``read`` makes of a
    text what the conversation hears.
    """
    failures, loop = 0, asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            async with aclosing(_connection(url, converse(), open_line, read)) as frames:
                async for frame in frames:
                    yield frame
            reason = "closed by the venue"
        except (Broken, OSError, TimeoutError, WebSocketException) as error:
            reason = why_lost(error)
        failures = 0 if loop.time() - began > STEADY_SECONDS else failures + 1
        yield Lost(reason)
        await asyncio.sleep(pause_after(failures))


async def _connection(
    url: str, conversation: Conversation, open_line: Callable[[Line], None], read: Read
) -> AsyncGenerator[Frame | Connected, None]:
    wanted = await conversation.requests()
    async with connect(
        url, max_size=MOST_BYTES, open_timeout=OPEN_SECONDS, close_timeout=1.0, ping_interval=None
    ) as socket:
        open_line(Line(socket))
        for request in wanted:
            await socket.send(json.dumps(request))
        with Silence(SILENCE_SECONDS, socket.transport.abort) as silence:
            while True:
                frame = read(await silence.broken_by(socket.recv()))
                told = conversation.hear(frame) if frame is not None else None
                if isinstance(told, Ask):
                    for request in told.requests:
                        await socket.send(json.dumps(request))
                    told = frame
                if told is not None:
                    yield told
