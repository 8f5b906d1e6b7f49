"""What one socket listens to, and the frames that wait to be written to it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from trading.exchanges.simulator.accounts import Account, Listener
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.faults import MESSAGES, Fault
from trading.exchanges.simulator.kraken_views import Window
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.rules import Rejected

MOST_WAITING = 10_000
Subscription = tuple[str, str, int]  # channel, symbol, depth or interval
Listed = dict[str, tuple[str, Grid]]  # symbol -> status and grid


@dataclass(slots=True, eq=False)
class Outlet:
    """One socket's state."""

    exchange: Exchange
    is_private: bool
    queue: "asyncio.Queue[bytes]" = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    subscriptions: set[Subscription] = field(default_factory=set)
    books: dict[Subscription, Window] = field(default_factory=dict)
    account: Account | None = None
    listener: Listener | None = None
    sequence: dict[str, int] = field(default_factory=dict)
    silent_until: float = 0.0
    fault: Fault | None = None  # of the request that is being answered
    is_over: bool = False
    tells_rate: bool = False
    told_mode: str = ""
    listed: Listed = field(default_factory=dict)  # as the instrument channel told last

    def send(self, message: dict[str, Any]) -> None:
        """Queue a frame; a reader that falls too far behind is dropped."""
        loop = asyncio.get_running_loop()
        if loop.time() < self.silent_until and "method" not in message:
            return
        try:
            self.queue.put_nowait(msgspec.json.encode(message))
        except asyncio.QueueFull:
            self.is_over = True

    def tell(self, channel: str, kind: str, data: Any, **more: Any) -> None:
        """A data message, unless a fault spoils it."""
        message = {"channel": channel, "type": kind, "data": data, **more}
        fault = self.exchange.faults.take(MESSAGES, channel)
        if fault is None:
            self.send(message)
        elif fault.kind == "duplicate":
            self.send(message)
            self.send(message)
        elif fault.kind == "not_json":
            self.queue.put_nowait(b"CloudFlare WebSocket proxy restarting")
        elif fault.kind == "bad_checksum" and channel == "book":
            data[0]["checksum"] = (data[0]["checksum"] + 1) % 2**32
            self.send(message)

    def greet(self) -> None:
        """The status frame that comes by itself, at first and with each change."""
        self.told_mode = self.exchange.mode
        told = {"api_version": "v2", "connection_id": 13834774380200032777,
                "system": self.exchange.mode, "version": "2.0.9"}  # fmt: skip
        self.send({"channel": "status", "type": "update", "data": [told]})

    def leave(self) -> None:
        """The socket is gone."""
        if self.account is not None and self.listener in self.account.listeners:
            self.account.listeners.remove(self.listener)
        self.is_over = True

    def answer(self, message: dict[str, Any]) -> None:
        """The answer to a request, unless a fault spoils it."""
        kind = self.fault.kind if self.fault else ""
        if self.fault and self.account and kind == "reply_late":
            tell, event = self.account.tell, {"message": message}
            asyncio.get_running_loop().call_later(self.fault.seconds, tell, "answers", event)
        elif kind != "reply_dropped":
            self.send(message)
        if kind == "reply_twice":
            self.send(message)

    def account_of(self, params: dict[str, Any], *, right: str = "") -> Account:
        """Whose token a request carries.

        Raises:
            Rejected: it is unknown or too old, or its key lacks the right.
        """
        token, customers = str(params.get("token", "")), self.exchange.accounts.values()
        account = next((one for one in customers if token in one.tokens), None)
        if not self.is_private or account is None:
            raise Rejected("EAPI:Invalid token")
        is_late = self.exchange.clock.now_ns() > account.tokens[token]
        if is_late and self.account is not account:
            raise Rejected("EAPI:Invalid token")
        if right and right not in account.rights:
            raise Rejected("EGeneral:Permission denied")
        return account

    def ack(self, base: dict[str, Any], result: Any) -> None:
        """Success."""
        self.answer({**base, "result": result, "success": True})

    def refuse(self, base: dict[str, Any], words: str) -> None:
        """Failure, in the venue's words."""
        self.answer({**base, "success": False, "error": words})
