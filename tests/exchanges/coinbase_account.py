"""An account at the scripted Coinbase: orders, fills and cancellations as the documents tell them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.exchanges.coinbase_wire import PREFIX, Wire, stamp

NAME = "organizations/8f0e/apiKeys/17b2"
KEY = ec.generate_private_key(ec.SECP256R1())
SECRET = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
).decode()
RIGHTS = {"can_view": True, "can_trade": True, "can_transfer": False, "portfolio_type": "DEFAULT"}

WALLETS = [("USD", "FIAT", "1000000", "0"), ("BTC", "CRYPTO", "1000", "0")]


def verify(token: str, *, uri: str | None, now_s: float) -> str:
    """What is wrong with a token; empty: nothing."""
    head, claims, signature = token.split(".")
    header, told = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in (head, claims))
    raw = base64.urlsafe_b64decode(signature + "==")
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    KEY.public_key().verify(
        encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
    )
    if (header["kid"], told["sub"], told["iss"]) != (NAME, NAME, "cdp"):
        return "name"
    if not told["nbf"] <= now_s < told["exp"]:
        return "time"
    return "" if told.get("uri") == uri else f"uri {told.get('uri')}"


@dataclass
class Account:
    """What the venue knows; ``faults`` are armed for one request each, by "METHOD /path"."""

    wire: Wire
    price: str = "30000.0"
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    fills: list[dict[str, Any]] = field(default_factory=list)
    acts: list[tuple[str, Any]] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)
    rights: dict[str, Any] = field(default_factory=lambda: dict(RIGHTS))
    tokens: list[str] = field(default_factory=list)
    looks_until_cancelled: int = 1
    hides_fills: int = 0  # how many looks at the list of fills find it old
    on_way: list[Callable[[], Any]] = field(default_factory=list)
    page: int = 100
    status_word: str = ""
    fills_instead: bool = False  # what is to be cancelled fills first
    wallets: list[tuple[str, str, str, str]] = field(default_factory=lambda: list(WALLETS))

    def __post_init__(self) -> None:
        self.wire.answers |= {
            "GET /key_permissions": self._guarded(lambda request, body: self.rights),
            "GET /accounts": self._guarded(self._wallets),
            "GET /products/": self._guarded(lambda request, body: self.wire.products[0]),
            "POST /orders/batch_cancel": self._guarded(self._cancel),
            "POST /orders": self._guarded(self._place),
            "GET /orders/historical/batch": self._guarded(self._list),
            "GET /orders/historical/fills": self._guarded(self._fills),
            "GET /orders/historical/": self._guarded(self._one),
        }

    def _guarded(self, answer: Any) -> Any:
        async def guarded(request: web.Request, body: Any) -> Any:
            path = request.path.removeprefix(PREFIX)
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            self.tokens.append(token)
            uri = f"{request.method} api.coinbase.com{PREFIX}{path}"
            if wrong := verify(token, uri=uri, now_s=self.wire.now_s):
                return web.Response(status=401, text=f"Unauthorized: {wrong}")
            armed = self.faults.get(f"{request.method} {path}") or [""]
            fault = armed.pop(0)
            if fault.isdecimal():
                told = {"errors": [{"id": "rate_limit_exceeded", "message": "slow"}]}
                return web.json_response(told, status=int(fault), headers={"retry-after": "0.01"})
            if fault in ("lost", "late") and request.transport:
                if fault == "late":
                    self.on_way.append(lambda: answer(request, body))
                request.transport.close()
                return {}
            told = answer(request, body)
            if fault == "reply lost" and request.transport:
                request.transport.close()
            if fault == "503 afterwards":
                return web.Response(status=503, text="<html>")
            if fault == "not json":
                return web.Response(text="hello")
            return told

        return guarded

    def let_arrive(self) -> None:
        """What was late comes now, long after its sender gave up."""
        while self.on_way:
            self.on_way.pop(0)()

    def _place(self, request: web.Request, body: dict[str, Any]) -> Any:
        self.acts.append(("place", body))
        for word in self.faults.pop("refuse", []):
            return {"success": False, "error_response": {"error": word, "message": "no"}}
        mine = [o for o in self.orders.values() if o["client_order_id"] == body["client_order_id"]]
        if not mine:
            mine = [self._new(body)]
        told = {
            name: mine[0][name] for name in ("order_id", "product_id", "side", "client_order_id")
        }
        return {
            "success": True,
            "success_response": told,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
        }

    def _new(self, body: dict[str, Any]) -> dict[str, Any]:
        (kind, facts) = next(iter(body["order_configuration"].items()))
        order = {
            "order_id": f"order-{len(self.orders) + 1}",
            **body,
            "status": "OPEN",
            "filled_size": "0",
            "size_in_quote": False,
            "created_time": stamp(self.wire.now_s),
            "trigger_status": "INVALID_ORDER_TYPE",
            "base_size": facts["base_size"],
        }
        self.orders[order["order_id"]] = order
        if kind == "market_market_ioc":
            self.fill(order["order_id"], facts["base_size"])
        return order

    def fill(self, order_id: str, size: str, *, entry: str = "") -> None:
        order = self.orders[order_id]
        order["filled_size"] = str(Decimal(order["filled_size"]) + Decimal(size))
        if Decimal(order["filled_size"]) == Decimal(order["base_size"]):
            order["status"] = "FILLED"
        self.fills.append(
            {
                "entry_id": entry or f"entry-{len(self.fills) + 1}",
                "trade_id": "t",
                "order_id": order_id,
                "trade_time": stamp(self.wire.now_s),
                "trade_type": "FILL",
                "price": self.price,
                "size": size,
                "commission": "0.5",
                "liquidity_indicator": "TAKER",
                "size_in_quote": False,
            }
        )

    def _cancel(self, request: web.Request, body: dict[str, Any]) -> Any:
        self.acts.append(("cancel", body["order_ids"]))
        order = self.orders[body["order_ids"][0]]
        reason = {
            "FILLED": "ORDER_IS_FULLY_FILLED",
            "CANCELLED": "UNKNOWN_CANCEL_ORDER",
            "CANCEL_QUEUED": "DUPLICATE_CANCEL_REQUEST",
        }.get(order["status"], "UNKNOWN_CANCEL_FAILURE_REASON")
        is_open = order["status"] == "OPEN"
        if is_open:
            order["status"], order["looks"] = "CANCEL_QUEUED", self.looks_until_cancelled
        result = {"success": is_open, "failure_reason": reason, "order_id": order["order_id"]}
        return {"results": [result]}

    def _one(self, request: web.Request, body: Any) -> Any:
        order = self.orders.get(request.path.rsplit("/", 1)[1])
        if order is None:
            told = {"error": "unknown", "error_details": "order with this orderID was not found"}
            return web.json_response(told, status=404)
        if order["status"] == "CANCEL_QUEUED" and self.fills_instead:
            self.fill(order["order_id"], order["base_size"])
        if order["status"] == "CANCEL_QUEUED":
            order["looks"] -= 1
            order["status"] = "CANCELLED" if order["looks"] < 0 else "CANCEL_QUEUED"
        return {"order": self.shown(order)}

    def shown(self, order: dict[str, Any]) -> dict[str, Any]:
        return {**order, "status": self.status_word or order["status"]}

    def _wallets(self, request: web.Request, body: Any) -> Any:
        rows, more = self._paged(request, self.wallets)
        told = [
            {"currency": name, "type": f"ACCOUNT_TYPE_{kind}",
             "available_balance": {"value": free, "currency": name},
             "hold": {"value": held, "currency": name}}
            for name, kind, free, held in rows
        ]  # fmt: skip
        return {"accounts": told, "has_next": bool(more), "cursor": more, "size": len(told)}

    def _list(self, request: web.Request, body: Any) -> Any:
        if request.query.getall("order_status", []) == ["OPEN"]:
            rows, more = self._paged(
                request, [one for one in self.orders.values() if one["status"] == "OPEN"]
            )
            return {"orders": rows, "sequence": "0", "has_next": bool(more), "cursor": more}
        assert request.query.getall("product_ids") == ["BTC-USD"]
        start = request.query["start_date"]
        mine = [o for o in self.orders.values() if o["created_time"] >= start]
        rows, more = self._paged(request, mine[::-1])
        return {"orders": rows, "sequence": "0", "has_next": bool(more), "cursor": more}

    def _fills(self, request: web.Request, body: Any) -> Any:
        if self.hides_fills:
            self.hides_fills -= 1
            return {"fills": [], "cursor": ""}
        wanted = request.query.getall("order_ids")
        rows, more = self._paged(request, [f for f in self.fills if f["order_id"] in wanted])
        return {"fills": rows, "cursor": more}

    def _paged(self, request: web.Request, rows: list[Any]) -> tuple[list[Any], str]:
        first = int(request.query.get("cursor", "0"))
        last = first + min(self.page, int(request.query["limit"]))
        return rows[first:last], str(last) if last < len(rows) else ""

    async def say(self, order_id: str, /, **changes: Any) -> None:
        """The channel's word on an order."""
        await self.wire.tell("user", {"type": "update", "orders": [self.seen(order_id) | changes]})

    def seen(self, order_id: str) -> dict[str, Any]:
        order = self.orders[order_id]
        return {
            "order_id": order_id,
            "client_order_id": order["client_order_id"],
            "status": order["status"],
            "cumulative_quantity": order["filled_size"],
            "order_type": "Limit",
            "trigger_status": order["trigger_status"],
            "post_only": "false",
        }

    def sizes(self, kind: str) -> list[str]:
        """The sizes placed of one kind of order, in order."""
        made = [body["order_configuration"] for what, body in self.acts if what == "place"]
        return [one[kind]["base_size"] for one in made if kind in one]
