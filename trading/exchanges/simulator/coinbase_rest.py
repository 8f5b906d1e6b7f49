"""Coinbase's REST of the simulated venue: who may ask what, how often, and what faults make of it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.coinbase_account import (
    TRADE,
    VIEW,
    AccountMethods,
    CurrencyMethods,
)
from trading.exchanges.simulator.coinbase_asked import (
    Asked,
    HttpRefusal,
    bad_argument,
    missing_scope,
    read_object,
)
from trading.exchanges.simulator.coinbase_desk import Desk
from trading.exchanges.simulator.coinbase_edits import Edits
from trading.exchanges.simulator.coinbase_jwt import HOST, PublicKey, Unauthorized, verify
from trading.exchanges.simulator.coinbase_limits import Limits, headers
from trading.exchanges.simulator.coinbase_market import MarketMethods
from trading.exchanges.simulator.faults import COINBASE_REPLIES, Fault
from trading.exchanges.simulator.replies import CUT_OFF, PAGE_520, cut_off, hang_up

ROOT = "/api/v3/brokerage/"
CACHE_SECONDS, MOST_CACHED = 1.0, 1000
TOO_MANY = {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}
NOBODY = Account("", "", {})
TOMORROW = "WORD_OF_TOMORROW"
ENUMS = ("status", "liquidity_indicator", "order_type", "trigger_status", "error",
         "failure_reason")  # fmt: skip
Method = Callable[[Asked], dict[str, Any]]


@dataclass(slots=True)
class CoinbaseRest:
    """Answers requests; ``add_routes`` gives it its place on a server."""

    desk: Desk
    keys: dict[str, PublicKey] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    monotonic: Callable[[], float] = time.monotonic
    _cache: dict[str, tuple[float, bytes]] = field(default_factory=dict)

    def add_routes(self, app: web.Application) -> None:
        """Every method at its path."""
        market, mine = MarketMethods(self.desk.exchange), AccountMethods(self.desk)
        for name, method in _market_routes(market):
            self._route(app, "GET", ROOT + name, "", method)
        for verb, name, right, method in _account_routes(market, mine, self.desk):
            self._route(app, verb, ROOT + name, right, method)
        currencies = CurrencyMethods(self.desk)
        for name, method in (("currencies", currencies.fiat), ("exchange-rates", currencies.rates),
                             ("currencies/crypto", currencies.crypto)):  # fmt: skip
            self._route(app, "GET", f"/v2/{name}", "", method)

    def _route(
        self, app: web.Application, verb: str, path: str, right: str, method: Method
    ) -> None:
        where = path.removeprefix(ROOT)

        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, where, right, method)

        app.router.add_route(verb, path, answer)

    async def _answer(
        self, request: web.Request, where: str, right: str, method: Method
    ) -> web.StreamResponse:
        fault = self.desk.exchange.faults.take(COINBASE_REPLIES, where)
        spoilt = _before(request, fault, self.limits)
        if spoilt is not None:
            return spoilt
        body = await request.read()
        carry_out = partial(self._carry_out, request, body, where, right, method, fault)
        if fault is not None and fault.kind in CUT_OFF:
            return cut_off(request, fault, self.desk.exchange.later, carry_out)
        return await _after(request, carry_out(), fault)

    def _carry_out(
        self,
        request: web.Request,
        body: bytes,
        where: str,
        right: str,
        method: Method,
        fault: Fault | None,
    ) -> web.Response:
        try:
            account = self.authenticate(request) if right else NOBODY
        except Unauthorized as error:
            self.desk.exchange.log("unauthorized", why=str(error), path=request.path)
            return web.Response(status=401, text="Unauthorized")
        who = account.key or f"address {request.remote}"
        is_within, told_headers = self.limits.count(who, is_public=not right)
        if not is_within:
            self.desk.exchange.log("too_many", method=where, key=account.key)
            return _json(TOO_MANY, status=429, headers=told_headers)
        self.desk.exchange.log("request", method=where, key=account.key)
        response = self._act(request, body, account, right, method, fault)
        response.headers.update(told_headers)
        return response

    def authenticate(self, request: web.Request) -> Account:
        """Whose token a request carries.

        Raises:
            Unauthorized: nobody's.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Unauthorized("there is no bearer token")
        return self.account_of(token, uri=f"{request.method} {HOST}{request.path}")

    def account_of(self, token: str, *, uri: str) -> Account:
        """Whose token this is, by the market's clock or the wall's.

        Raises:
            Unauthorized: nobody's.
        """
        exchange = self.desk.exchange
        times = (exchange.clock.now_ns() / 1e9, time.time())
        return exchange.accounts[verify(token, self.keys, uri=uri, times_s=times)]

    def _act(
        self,
        request: web.Request,
        body: bytes,
        account: Account,
        right: str,
        method: Method,
        fault: Fault | None,
    ) -> web.Response:
        is_cached = request.path.startswith(ROOT + "market/")
        fresh = "no-cache" in request.headers.get("cache-control", "")
        if is_cached and not fresh and (kept := self._cached(request.path_qs)):
            return _raw(kept)
        try:
            if right and right not in account.rights:
                raise missing_scope()
            told = method(_asked(request, body, account))
        except HttpRefusal as error:
            return _json(error.told, status=error.status)
        finally:
            self.desk.exchange.settle()
        if fault is not None and fault.kind == "unknown_enum":
            told = spoil(told)
        response = _json(told)
        if is_cached and isinstance(response.body, bytes):
            self._keep(request.path_qs, response.body)
        return response

    def _cached(self, path: str) -> bytes | None:
        until, body = self._cache.get(path, (0.0, b""))
        return body if self.monotonic() < until else None

    def _keep(self, path: str, body: bytes) -> None:
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        self._cache[path] = (self.monotonic() + CACHE_SECONDS, body)


def _market_routes(market: MarketMethods) -> tuple[tuple[str, Method], ...]:
    """What needs no key."""
    return (
        ("time", market.time),
        ("market/products", market.products),
        ("market/products/{product_id}", market.product),
        ("market/products/{product_id}/candles", market.candles),
        ("market/products/{product_id}/ticker", market.ticker),
        ("market/product_book", market.book),
    )


def _account_routes(
    market: MarketMethods, mine: AccountMethods, desk: Desk
) -> tuple[tuple[str, str, str, Method], ...]:
    """What needs one: verb, path, right, method."""
    edits = Edits(desk)
    return (
        ("GET", "products", VIEW, market.products),
        ("GET", "products/{product_id}", VIEW, market.product),
        ("GET", "products/{product_id}/candles", VIEW, market.candles),
        ("GET", "products/{product_id}/ticker", VIEW, market.ticker),
        ("GET", "product_book", VIEW, market.book),
        ("GET", "best_bid_ask", VIEW, market.bests),
        ("GET", "accounts", VIEW, mine.accounts),
        ("GET", "accounts/{account_uuid}", VIEW, mine.account),
        ("GET", "orders/historical/batch", VIEW, mine.orders),
        ("GET", "orders/historical/fills", VIEW, mine.fills),
        ("GET", "orders/historical/{order_id}", VIEW, mine.order),
        ("GET", "transaction_summary", VIEW, mine.summary),
        ("GET", "key_permissions", VIEW, mine.permissions),
        ("GET", "portfolios", VIEW, mine.portfolios),
        ("POST", "orders", TRADE, desk.place),
        ("POST", "orders/preview", VIEW, desk.preview),
        ("POST", "orders/edit", TRADE, edits.edit),
        ("POST", "orders/edit_preview", VIEW, edits.preview),
        ("POST", "orders/batch_cancel", TRADE, desk.cancel),
        ("POST", "orders/close_position", TRADE, desk.close_position),
    )


def _asked(request: web.Request, body: bytes, account: Account) -> Asked:
    told = read_object(body) if request.method == "POST" else {}
    if told is None:
        raise bad_argument("the body is not a JSON object")
    query = {name: request.query.getall(name) for name in request.query}
    return Asked(account, dict(request.match_info), query, told)


def _before(request: web.Request, fault: Fault | None, limits: Limits) -> web.StreamResponse | None:
    """What a fault answers before anything was done."""
    match fault.kind if fault else "":
        case "page_520":
            return web.Response(text=PAGE_520, status=520, content_type="text/html")
        case "unauthorized":
            return web.Response(status=401, text="Unauthorized")
        case "rate_limited":
            return _json(TOO_MANY, status=429, headers={**headers(30, 0), **limits.later()})
        case "error":
            words = (fault.words if fault else "") or "simulated"
            return _json(bad_argument(words).told, status=400)
    return None


async def _after(
    request: web.Request, response: web.Response, fault: Fault | None
) -> web.StreamResponse:
    """What a fault makes of an answer to something that was done."""
    match fault.kind if fault else "":
        case "reply_lost":
            return hang_up(request)
        case "server_error":
            return _json({"error": "INTERNAL", "code": 13, "message": "internal", "details": []},
                         status=503)  # fmt: skip
        case "reply_late":
            await asyncio.sleep(fault.seconds if fault else 0.0)
    return response


def spoil(told: Any) -> Any:
    """The same with a word nobody knows wherever the venue's lists of words are open."""
    if isinstance(told, list):
        return [spoil(one) for one in told]
    if isinstance(told, dict):
        return {
            name: TOMORROW if name in ENUMS and isinstance(value, str) else spoil(value)
            for name, value in told.items()
        }
    return told


def _json(told: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return _raw(msgspec.json.encode(told), status=status, headers=headers)


def _raw(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")
