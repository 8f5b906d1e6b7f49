"""What a shared feed and its engines say to each other: msgpack, each message after its length."""

import asyncio
from typing import Any

import msgspec
from msgspec import Struct

LENGTH_BYTES = 4
MOST_BYTES = 64_000_000


class Subscribe(Struct, frozen=True, tag=True):
    """An engine's own subscriptions, in the venue's words; ``symbols`` are those to be recorded."""

    requests: list[dict[str, Any]]
    symbols: tuple[str, ...] = ()
    timeframe_ns: int = 0


class Ask(Struct, frozen=True, tag=True):
    """A public read of the venue's REST; of a table only the rows of ``symbols``, where any are named."""

    path: str
    params: dict[str, str | int]
    symbols: tuple[str, ...] = ()


class AskStatus(Struct, frozen=True, tag=True):
    """How is the feed?"""


class Beat(Struct, frozen=True, tag=True):
    """The feed lives, although the market is quiet."""


class Up(Struct, frozen=True, tag=True):
    """The venue confirmed everything this engine asked for."""


class Down(Struct, frozen=True, tag=True):
    """The venue's connection is gone, or it refused."""

    reason: str


class Said(Struct, frozen=True, tag=True):
    """A frame of the venue's."""

    frame: dict[str, Any]


class Told(Struct, frozen=True, tag=True):
    """The answer of the venue's REST, and how long ago it was asked at most."""

    answer: Any
    age_seconds: float = float("inf")


class Failed(Struct, frozen=True, tag=True):
    """Why there is none; ``kind`` is the name of the failure."""

    kind: str
    words: str


class Status(Struct, frozen=True, tag=True):
    """How a shared feed stands."""

    venue: str
    pid: int
    since_ns: int
    is_up: bool
    reason: str  # why it is not
    engines: int
    topics: int
    connections: int  # made to the venue's stream since the start
    cut_off: int  # engines that were too slow
    asked: int  # reads of engines
    passed_on: int  # those that went to the venue


ToFeed = Subscribe | Ask | AskStatus
ToEngine = Beat | Up | Down | Said | Told | Failed | Status

_encoder = msgspec.msgpack.Encoder()
_for_feed = msgspec.msgpack.Decoder(ToFeed)
_for_engine = msgspec.msgpack.Decoder(ToEngine)


def pack(message: ToFeed | ToEngine) -> bytes:
    """A message as it is sent."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


async def send(writer: asyncio.StreamWriter, packed: bytes) -> None:
    """Send a packed message, and wait until the other end has taken most of it.

    Raises:
        ConnectionError: the connection is closed; the loop would raise what is no OSError.
    """
    if writer.is_closing():
        raise ConnectionError("the other end is gone")
    writer.write(packed)
    await writer.drain()


async def hear_engine(reader: asyncio.StreamReader) -> ToFeed:
    """The next message of an engine.

    Raises:
        ConnectionError: there is none, or none that can be read.
    """
    try:
        return _for_feed.decode(await _body(reader))
    except msgspec.DecodeError as error:
        raise ConnectionError(f"unreadable: {error}") from None


async def hear_feed(reader: asyncio.StreamReader) -> ToEngine:
    """The next message of a feed.

    Raises:
        ConnectionError: there is none, or none that can be read.
    """
    try:
        return _for_engine.decode(await _body(reader))
    except msgspec.DecodeError as error:
        raise ConnectionError(f"unreadable: {error}") from None


async def _body(reader: asyncio.StreamReader) -> bytes:
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        if length > MOST_BYTES:
            raise ConnectionError(f"a message of {length} bytes; accepted are {MOST_BYTES}")
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise ConnectionError("the other end is gone") from None
