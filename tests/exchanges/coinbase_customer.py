"""A customer of Coinbase who knows the documents and nothing of our code: tokens, requests, sockets."""

import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from websockets.asyncio.client import ClientConnection, connect

from trading.exchanges.simulator.server import Simulator

ROOT = "/api/v3/brokerage/"
LIMIT = "limit_limit_gtc"


def part(told: Any) -> str:
    """A part of a token: base64url without padding."""
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Reply:
    """An answer over HTTP."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def told(self) -> Any:
        return json.loads(self.text)


@dataclass
class Customer:
    """One key and its pieces."""

    simulator: Simulator
    name: str
    secret: str
    private: Any = field(init=False)

    def __post_init__(self) -> None:
        if self.secret.startswith("-----"):
            self.private = load_pem_private_key(self.secret.encode(), None)
        else:
            seed = base64.b64decode(self.secret)[:32]
            self.private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)

    def token(
        self, asked: str = "", /, *, header: Any = None, raw: bool = True, **claims: Any
    ) -> str:
        """A token for ``METHOD path``; for a socket without one."""
        now = int(time.time())
        is_ec = isinstance(self.private, ec.EllipticCurvePrivateKey)
        head = {"alg": "ES256" if is_ec else "EdDSA", "typ": "JWT", "kid": self.name,
                "nonce": secrets.token_hex(16), **(header or {})}  # fmt: skip
        body = {"sub": self.name, "iss": "cdp", "nbf": now, "exp": now + 120, **claims}
        if asked:
            verb, _, path = asked.partition(" ")
            body.setdefault("uri", f"{verb} api.coinbase.com{path}")
        signed = f"{part(head)}.{part(body)}"
        if not is_ec:
            return f"{signed}.{part(self.private.sign(signed.encode()))}"
        signature = self.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        if raw:
            r, s = decode_dss_signature(signature)
            signature = r.to_bytes(32) + s.to_bytes(32)
        return f"{signed}.{part(signature)}"

    async def ask(self, verb: str, name: str, token: str | None = None, **given: Any) -> Reply:
        """A request; without ``token`` signed for what it asks."""
        path = ROOT + name
        bearer = self.token(f"{verb} {path}") if token is None else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= given.pop("headers", {})
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                verb, self.simulator.address + path, headers=headers, **given
            ) as response,
        ):
            return Reply(response.status, await response.text(),
                         {name.lower(): value for name, value in response.headers.items()})  # fmt: skip

    async def get(self, name: str, **query: Any) -> Any:
        """What a good request is told; lists are repeated names."""
        pairs = [(k, str(v)) for k, vs in query.items() for v in ([vs] if isinstance(vs, str | int) else vs)]  # fmt: skip
        reply = await self.ask("GET", name, params=pairs)
        assert reply.status == 200, reply.text
        return reply.told

    async def post(self, name: str, body: Any) -> Any:
        """What a good request is told."""
        reply = await self.ask("POST", name, json=body)
        assert reply.status == 200, reply.text
        return reply.told

    async def order(self, side: str, style: str, client_id: str = "", **settings: Any) -> Any:
        """The answer to an order of BTC-USD."""
        product_id = settings.pop("product_id", "BTC-USD")
        return await self.post(
            "orders",
            {"client_order_id": client_id or str(uuid4()), "product_id": product_id, "side": side,
             "order_configuration": {style: settings}},
        )  # fmt: skip

    async def placed(self, side: str, style: str, **settings: Any) -> str:
        """The name of an order the venue took."""
        told = await self.order(side, style, **settings)
        assert told["success"], told
        return str(told["success_response"]["order_id"])

    async def resting(self, **more: Any) -> str:
        """The name of an order far below the market."""
        return await self.placed(
            "BUY", LIMIT, **{"base_size": "0.01", "limit_price": "100.0"} | more
        )

    async def row(self, order_id: str) -> dict[str, Any]:
        """An order as the venue tells it."""
        told: dict[str, Any] = (await self.get(f"orders/historical/{order_id}"))["order"]
        return told

    async def wallet(self, asset: str) -> tuple[Decimal, Decimal]:
        """(available, held) of a currency."""
        rows = (await self.get("accounts"))["accounts"]
        (one,) = [row for row in rows if row["currency"] == asset]
        return Decimal(one["available_balance"]["value"]), Decimal(one["hold"]["value"])

    def settle(self, seconds: float = 1.0) -> None:
        """Let the market's time pass."""
        clock = self.simulator.clock
        clock.jump(clock.now_ns() + int(seconds * 1e9))
        self.simulator.exchange.advance()

    def market(self) -> Any:
        """The market of every test."""
        return self.simulator.exchange.markets["BTC/USD"]


@dataclass
class Socket:
    """A socket and every message it got."""

    wire: ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, channel: str, kind: str = "subscribe", **more: Any) -> None:
        """One channel a message."""
        await self.wire.send(json.dumps({"type": kind, "channel": channel, **more}))

    async def next(self, channel: str, kind: str = "") -> dict[str, Any]:
        """The next event of a channel (of this type); others stay for later."""
        while True:
            for place, frame in enumerate(self.waiting):
                event: dict[str, Any] = frame.get("events", [frame])[0]
                name = frame.get("channel", frame.get("type"))
                if name == channel and kind in ("", event.get("type")):
                    del self.waiting[place]
                    return event
            await self.read()

    async def read(self) -> None:
        """One more message."""
        frame = json.loads(await self.wire.recv())
        self.frames.append(frame)
        self.waiting.append(frame)


@asynccontextmanager
async def listen(simulator: Simulator, path: str = "/coinbase/ws") -> AsyncIterator[Socket]:
    """A socket of the market, or of a user."""
    async with connect(f"ws://127.0.0.1:{simulator.port}{path}") as wire:
        yield Socket(wire)
