"""One socket of the simulated Coinbase: what it listens to, its sequence, and the frames that wait."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from trading.exchanges.simulator.accounts import Account, Listener
from trading.exchanges.simulator.coinbase_desk import Desk
from trading.exchanges.simulator.coinbase_rest import CoinbaseRest, spoil
from trading.exchanges.simulator.coinbase_words import stamp
from trading.exchanges.simulator.faults import COINBASE_MESSAGES, Fault
from trading.exchanges.simulator.market import Trade

MOST_WAITING, MOST_REMEMBERED = 10_000, 50
NOT_JSON = b"upstream connect error or disconnect/reset before headers"
Window = dict[tuple[str, Decimal], Decimal]


@dataclass(slots=True)
class Patience:
    """How long the venue waits for a first subscription, and for anything to tell."""

    subscribe_seconds: float = 5.0
    idle_seconds: float = 75.0


@dataclass(slots=True, eq=False)
class Outlet:
    """State of a socket; ``queue`` ends with None."""

    rest: CoinbaseRest
    is_user: bool
    patience: Patience
    opened_at: float
    queue: "asyncio.Queue[bytes | None]" = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING)
    )
    channels: dict[str, set[str]] = field(default_factory=dict)
    books: dict[str, Window] = field(default_factory=dict)
    told: dict[tuple[str, str], Any] = field(default_factory=dict)
    trades: dict[str, list[Trade]] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    account: Account | None = None
    listener: Listener | None = None
    has_subscribed: bool = False
    sequence: int = 0
    beats: int = 0
    told_at: float = 0.0
    silent_until: float = 0.0
    is_over: bool = False
    _recent: "deque[list[dict[str, Any]]]" = field(
        default_factory=lambda: deque(maxlen=MOST_REMEMBERED)
    )

    @property
    def desk(self) -> Desk:
        """Where the orders are."""
        return self.rest.desk

    def tell(self, channel: str, events: list[dict[str, Any]]) -> None:
        """A message, unless a fault spoils it; the sequence counts it either way."""
        fault = self.desk.exchange.faults.take(COINBASE_MESSAGES, channel)
        if fault is not None:
            self._spoil(channel, events, fault)
        else:
            self._put(self._frame(channel, events))
        if channel == "user":
            self._recent.append(events)

    def _frame(self, channel: str, events: list[dict[str, Any]]) -> bytes:
        now = stamp(self.desk.exchange.clock.now_ns())
        number, self.sequence = self.sequence, self.sequence + 1
        return msgspec.json.encode(
            {"channel": channel, "client_id": "", "timestamp": now, "sequence_num": number,
             "events": events}
        )  # fmt: skip

    def _spoil(self, channel: str, events: list[dict[str, Any]], fault: Fault) -> None:
        frame = self._frame(channel, spoil(events) if fault.kind == "unknown_enum" else events)
        match fault.kind:
            case "unknown_enum":
                self._put(frame)
            case "duplicate":
                self._put(frame)
                self._put(frame)
            case "not_json":
                self._put(NOT_JSON)
            case "replay":
                self._put(frame)
                for before in list(self._recent):
                    self._put(self._frame(channel, before))
            case "silent":
                self.silent_until = asyncio.get_running_loop().time() + fault.seconds
            case "close":
                self.end()

    def error(self, message: str) -> None:
        """Words outside every channel; the sequence does not count them."""
        self._put(msgspec.json.encode({"type": "error", "message": message}))

    def _put(self, frame: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if self.is_over or now < self.silent_until:
            return
        if self.queue.qsize() >= MOST_WAITING - 1:  # a reader that falls too far behind is dropped
            self.end()
            return
        self.told_at = now
        self.queue.put_nowait(frame)

    def end(self) -> None:
        """Close once what waits is written."""
        if not self.is_over:
            self.is_over = True
            self.queue.put_nowait(None)

    def leave(self) -> None:
        """The socket is gone."""
        if self.account is not None and self.listener in self.account.listeners:
            self.account.listeners.remove(self.listener)
        self.listener = None
        self.is_over = True
