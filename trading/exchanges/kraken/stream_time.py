"""The time of Kraken's stream, as its own frames prove it: each was sent after all that was read before it.

A heartbeat tells no time, and when it is read says nothing of when it was sent: a ping is the
answer to it, whose pong tells the venue's time in its place among the candles.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf

from trading.exchanges.kraken import tickers, trades
from trading.exchanges.kraken.sockets import Subscriptions
from trading.exchanges.sockets import Ask, Connected, Frame
from trading.exchanges.venue_clock import read_stamp

HEARTBEAT, PONG = "heartbeat", "pong"
ASIDE = (tickers.CHANNEL, trades.CHANNEL)  # their rows are stamped
PING: Frame = {"method": "ping"}
PING_SECONDS = 0.5


def rows_of(frame: Frame) -> list[Frame]:
    """What a frame tells; what is of another type is left out."""
    told = frame.get("data")
    return [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []


def stamp_of(frame: Frame) -> str:
    """The venue's time when a frame was sent; empty where it tells none."""
    if frame.get("method") == PONG:
        return str(frame.get("time_out") or "")
    rows = rows_of(frame) if frame.get("channel") in ASIDE else []
    return str(frame.get("timestamp") or (rows[-1].get("timestamp") if rows else "") or "")


def sent_ns(frame: Frame) -> int:
    """Idem in nanoseconds; 0 where it tells none."""
    with suppress(ValueError):
        return read_stamp(stamp_of(frame))
    return 0


def beat_of(stamp: str) -> Frame:
    """A heartbeat that tells the time."""
    return {"channel": HEARTBEAT, "timestamp": stamp}


@dataclass(slots=True)
class Pings:
    """When the venue is asked for its time."""

    _asked_at: float = -inf

    def after(self, frame: Frame) -> list[Frame]:
        """What is sent because of a frame."""
        now = asyncio.get_running_loop().time()
        if "channel" not in frame or stamp_of(frame) or now - self._asked_at < PING_SECONDS:
            return []
        self._asked_at = now
        return [PING]


@dataclass(slots=True)
class Timed:
    """A public connection that asks for the time when what comes does not tell it."""

    inner: Subscriptions
    _pings: Pings = field(default_factory=Pings)

    async def requests(self) -> Sequence[Frame]:
        """The subscriptions, numbered."""
        return await self.inner.requests()

    def hear(self, frame: Frame) -> Frame | Connected | Ask | None:
        """As the subscriptions hear it; a pong is a heartbeat that tells the time."""
        if frame.get("method") == PONG:
            return beat_of(stamp_of(frame))
        asked = self._pings.after(frame)
        told = self.inner.hear(frame)
        return Ask(asked) if asked and told is frame else told
