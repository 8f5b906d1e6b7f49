"""The documented frames and answers of Coinbase, scripted: a tiny server whose market a test moves."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aiohttp import WSCloseCode, web

PREFIX = "/api/v3/brokerage"
MINUTE_S = 60
PRODUCT = {
    "product_id": "BTC-USD",
    "base_increment": "0.0001",
    "quote_increment": "0.01",
    "price_increment": "0.1",
    "base_min_size": "0.0001",
    "quote_min_size": "1",
    "base_currency_id": "BTC",
    "quote_currency_id": "USD",
    "product_type": "SPOT",
    "status": "online",
}


def stamp(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


@dataclass
class Wire:
    """Serves what the test put into it; ``spoil`` may change, drop or double a frame."""

    now_s: float = 1_780_000_020.0
    products: list[dict[str, Any]] = field(default_factory=lambda: [dict(PRODUCT)])
    trades: list[tuple[float, str, str]] = field(default_factory=list)  # time, price, size
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    subscribed: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Callable[[web.Request, Any], Any]] = field(default_factory=dict)
    spoil: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda frame: [frame]
    rest_is_down: bool = False
    is_silent: bool = False
    sockets: dict[web.WebSocketResponse, int] = field(default_factory=dict)
    channels: dict[web.WebSocketResponse, set[str]] = field(default_factory=dict)
    most_rows: int = 0
    port: int = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/coinbase/ws", self._socket)
        app.router.add_get("/coinbase/ws/user", self._socket)
        app.router.add_route("*", PREFIX + "/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._beats = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        self._beats.cancel()
        await self.drop()
        await self._runner.cleanup()

    @property
    def rest_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/coinbase/ws"

    # REST

    async def _rest(self, request: web.Request) -> web.Response:
        path = "/" + request.match_info["path"]
        self.asked.append((f"{request.method} {path}", dict(request.query)))
        body = await request.json() if request.can_read_body else None
        if self.rest_is_down:
            return web.Response(status=503, text="<html>sorry</html>")
        for name, answer in self.answers.items():
            method, _, start = name.partition(" ")
            if request.method == method and path.startswith(start):
                told = answer(request, body)
                if asyncio.iscoroutine(told):
                    told = await told
                return told if isinstance(told, web.Response) else web.json_response(told)
        if path == "/time":
            millis = int(self.now_s * 1000)
            return web.json_response(
                {"iso": stamp(self.now_s), "epochSeconds": str(millis // 1000), "epochMillis": str(millis)}
            )  # fmt: skip
        if path == "/market/products":
            return web.json_response({"products": self.products, "num_products": 1})
        if path.endswith("/candles"):
            return self._candles(request)
        return web.json_response({"error": "NOT_FOUND", "message": path}, status=404)

    def _candles(self, request: web.Request) -> web.Response:
        start, end = int(request.query["start"]), int(request.query["end"])
        if (end - start) // MINUTE_S > 350:
            return web.json_response({"error": "INVALID_ARGUMENT", "message": "range"}, status=400)
        rows = [self.candle(at) for at in range(start - start % MINUTE_S, end + 1, MINUTE_S)]
        found = [row for row in rows if row is not None and int(row["start"]) >= start]
        self.most_rows = max(self.most_rows, len(found))
        return web.json_response({"candles": found[::-1]})

    def candle(self, open_s: int) -> dict[str, str] | None:
        """What the venue makes of the trades of one minute, if there were any by now."""
        mine = [t for t in self.trades if open_s <= t[0] < open_s + MINUTE_S and t[0] <= self.now_s]
        if not mine:
            return None
        prices = [Decimal(price) for _, price, _ in mine]
        told = {"open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1]}
        volume = sum((Decimal(size) for _, _, size in mine), Decimal(0))
        return {"start": str(open_s), "volume": str(volume)} | {k: str(v) for k, v in told.items()}

    # WebSocket

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[socket], self.channels[socket] = 0, set()
        try:
            async for message in socket:
                asked = json.loads(message.data)
                self.subscribed.append(asked)
                self.channels[socket].add(asked["channel"])
                kept = {name: ["BTC-USD"] for name in self.channels[socket]}
                await self._send(socket, "subscriptions", [{"subscriptions": kept}])
                if asked["channel"] == "user":
                    for event in self.snapshot():
                        await self._send(socket, "user", [event])
        finally:
            self.sockets.pop(socket, None)
            self.channels.pop(socket, None)
        return socket

    def snapshot(self) -> list[dict[str, Any]]:
        """The events that a subscription to ``user`` begins with."""
        return [{"type": "snapshot", "orders": []}]

    async def _send(self, socket: Any, channel: str, events: list[Any]) -> None:
        if self.is_silent or socket not in self.sockets:
            return
        number, self.sockets[socket] = self.sockets[socket], self.sockets[socket] + 1
        frame = {
            "channel": channel,
            "client_id": "",
            "timestamp": stamp(self.now_s),
            "sequence_num": number,
            "events": events,
        }
        for one in self.spoil(frame):
            await socket.send_str(json.dumps(one))

    async def tell(self, channel: str, event: dict[str, Any]) -> None:
        """News to everybody who subscribed."""
        for socket in list(self.sockets):
            if channel in self.channels.get(socket, ()):
                await self._send(socket, channel, [event])

    async def _beat(self) -> None:
        counter = 0
        while True:
            await asyncio.sleep(0.01)
            counter += 1
            told = {"current_time": "2026-05-31 09:59:59.12 +0000 UTC m=+1.5", "heartbeat_counter": str(counter)}  # fmt: skip
            await self.tell("heartbeats", told)

    async def trade(self, seconds: float, price: str, size: str, *, told: bool = True) -> None:
        """Time goes on to a trade."""
        self.now_s = max(self.now_s, seconds)
        self.trades.append((seconds, price, size))
        row = {
            "trade_id": str(len(self.trades)),
            "product_id": self.products[0].get("alias") or self.products[0]["product_id"],
            "price": price,
            "size": size,
            "side": "SELL",
            "time": stamp(seconds),
        }
        if told:
            await self.tell("market_trades", {"type": "update", "trades": [row]})

    async def drop(self) -> None:
        """Close every connection."""
        for socket in list(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)
