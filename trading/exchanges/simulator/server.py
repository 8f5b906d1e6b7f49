"""The simulated venue as a server on loopback: Kraken's wire, Coinbase's, and a door for tests."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from trading.exchanges.replay import BarSource
from trading.exchanges.simulator import door
from trading.exchanges.simulator import kraken_channels as channels
from trading.exchanges.simulator.accounts import COINBASE, RIGHTS, Account
from trading.exchanges.simulator.coinbase import Coinbase, UnknownRight
from trading.exchanges.simulator.coinbase_account import RIGHTS as COINBASE_RIGHTS
from trading.exchanges.simulator.coinbase_jwt import InvalidKey
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.faults import REPLIES, UnknownFault
from trading.exchanges.simulator.kraken_rest import KrakenRest
from trading.exchanges.simulator.kraken_sockets import serve
from trading.exchanges.simulator.kraken_stream import Session
from trading.exchanges.simulator.ledger import DEPOSIT, Line
from trading.exchanges.simulator.market import Grid, PairMarket, Recorded, SimulatorClock
from trading.exchanges.simulator.replies import CUT_OFF, PAGE_520, cut_off, hang_up
from trading.exchanges.simulator.rules import Rejected

TURN_SECONDS = 0.05


class Simulator:
    """One venue in one event loop; ``start`` it, talk to it, ``stop`` it."""

    def __init__(self, *, start_ns: int, speed: float = 1.0) -> None:
        self.clock = SimulatorClock(start_ns=start_ns, speed=speed)
        self.exchange = Exchange(self.clock, {})
        self.sessions: set[Session] = set()
        self.port = 0
        self.life: asyncio.Future[None]  # ends by itself only where nothing can be written down
        self.coinbase, self._rest = Coinbase(self.exchange), KrakenRest(self.exchange)
        self._runner: web.AppRunner | None = None

    def list_pair(
        self, symbol: str, *, source: BarSource, grid: Grid, recorded: Recorded | None = None
    ) -> None:
        """Open a market."""
        market = PairMarket(symbol, source, grid, recorded)
        list(market.trades_until(self.clock.now_ns()))
        self.exchange.markets[symbol] = market

    def add_account(
        self,
        *,
        key: str,
        secret: str,
        balances: Mapping[str, Decimal],
        rights: tuple[str, ...] = RIGHTS,
    ) -> Account:
        """A customer with money."""
        account = self.exchange.accounts[key] = Account(key, secret, dict(balances), rights)
        name, now = self.exchange.name, self.exchange.clock.now_ns()
        account.ledger += [
            Line(name("L"), name("Q"), now, DEPOSIT, asset, amount, Decimal(0), amount)
            for asset, amount in balances.items()
        ]
        return account

    @property
    def address(self) -> str:
        """``http://127.0.0.1:port``."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen; port 0 takes a free one.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application(client_max_size=1_000_000)
        app.router.add_route("*", "/0/{side:public|private}/{method}", self._answer_rest)
        app.router.add_get("/v2", self._answer_public)
        app.router.add_get("/v2/auth", self._answer_private)
        self.coinbase.add_routes(app)
        app.router.add_get("/simulator/oracle", self._oracle)
        app.router.add_post(
            "/simulator/{act:advance|fault|freeze|heal|mode|account|move|note|pair|sockets}",
            self._control,
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, reuse_address=True)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = self._runner.addresses[0][1]
        self.life = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Close every socket and stop listening."""
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)
        self.close_sockets()
        if self._runner is not None:
            await self._runner.cleanup()

    def freeze(self, *, on: bool) -> None:
        """Let the market stand still."""
        self.clock.freeze(on=on)

    def close_sockets(self) -> None:
        """Drop every connection."""
        for session in list(self.sessions):
            session.is_over = True
            session.queue.put_nowait(b'{"channel":"heartbeat"}')
        self.coinbase.sockets.close()

    def silence(self, seconds: float) -> None:
        """Say nothing on open sockets for a while."""
        until = asyncio.get_running_loop().time() + seconds
        for session in self.sessions:
            session.silent_until = until
        self.coinbase.sockets.silence(until)

    async def _live(self) -> None:
        while True:
            self.advance()
            self.coinbase.sockets.tick()
            await asyncio.sleep(TURN_SECONDS)

    def advance(self) -> None:
        """Let happen what time has brought, write it down, and tell it."""
        happened = self.exchange.advance()
        self.exchange.settle()
        for session in self.sessions:
            channels.on_terms(session)
        for session in self.sessions:
            channels.on_trades(session, happened)
        for market, trades in happened:
            self.coinbase.sockets.on_trades(market, trades)

    async def _answer_public(self, request: web.Request) -> web.StreamResponse:
        self.exchange.log("stream", address=request.path)
        return await self._answer_socket(request, is_private=False)

    async def _answer_private(self, request: web.Request) -> web.StreamResponse:
        return await self._answer_socket(request, is_private=True)

    async def _answer_socket(self, request: web.Request, *, is_private: bool) -> web.StreamResponse:
        session = Session(self.exchange, is_private)
        self.sessions.add(session)
        try:
            return await serve(request, session)
        finally:
            self.sessions.discard(session)

    async def _answer_rest(self, request: web.Request) -> web.StreamResponse:
        method, body = request.match_info["method"], await request.read()
        fault = self.exchange.faults.take(REPLIES, method)
        arrive = partial(self._rest_answer, request, method, body)
        if fault is not None and fault.kind in CUT_OFF:
            return cut_off(request, fault, self.exchange.later, arrive)
        if fault is not None and fault.kind == "page_520":
            return web.Response(text=PAGE_520, status=520, content_type="text/html")
        if fault is not None and fault.kind == "error":
            return _json({"error": [fault.words or "EService:Unavailable"]})
        answer = arrive()
        if fault is not None and fault.kind == "reply_lost":
            return hang_up(request)
        if fault is not None and fault.kind == "reply_late":
            await asyncio.sleep(fault.seconds)
        return _json(answer)

    def _rest_answer(self, request: web.Request, method: str, body: bytes) -> dict[str, Any]:
        self.exchange.log("request", method=method, key=request.headers.get("API-Key", ""))
        try:
            if request.match_info["side"] == "public":
                result = self._rest.public(method, dict(request.query))
            else:
                result = self._rest.private(method, request.path, body, request.headers)
        except Rejected as error:
            return {"error": [str(error)]}
        finally:
            self.exchange.settle()
        return {"error": [], "result": result}

    async def _oracle(self, request: web.Request) -> web.Response:
        """Everything that happened, for a checker."""
        return _json({"oracle": self.exchange.oracle})

    async def _control(self, request: web.Request) -> web.Response:
        """What only tests may: time, faults, modes, accounts, marks in the log."""
        told = await request.json()
        if request.match_info["act"] == "advance":
            self.clock.jump(int(told["to_ns"]))
            self.advance()
            listed = self.exchange.markets.items()
            return _json({symbol: str(one.last_price()) for symbol, one in listed})
        try:
            self._act(request.match_info["act"], told)
        except (UnknownFault, InvalidKey, UnknownRight) as error:
            return _json({"error": str(error)}, status=400)
        self.exchange.settle()
        return _json({})

    def _act(self, act: str, told: Mapping[str, Any]) -> None:
        match act:
            case "freeze":
                self.freeze(on=bool(told["on"]))
            case "sockets":
                self.close_sockets()
            case "account":
                self._open_account(told)
            case _:
                door.act(self.exchange, act, told)

    def _open_account(self, told: Mapping[str, Any]) -> None:
        """A customer of either wire, with the rights named."""
        is_coinbase = told.get("venue") == COINBASE
        add = self.coinbase.add_account if is_coinbase else self.add_account
        add(
            key=told["key"],
            secret=told["secret"],
            balances={asset: Decimal(value) for asset, value in told["balances"].items()},
            rights=tuple(told.get("rights") or (COINBASE_RIGHTS if is_coinbase else RIGHTS)),
        )


def _json(told: Any, *, status: int = 200) -> web.Response:
    body = msgspec.json.encode(told)
    return web.Response(body=body, status=status, content_type="application/json")
