"""Carries the WebSockets of the simulated Coinbase."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from trading.exchanges.simulator import coinbase_channels as channels
from trading.exchanges.simulator.coinbase_limits import Limits
from trading.exchanges.simulator.coinbase_outlet import Patience
from trading.exchanges.simulator.coinbase_rest import CoinbaseRest
from trading.exchanges.simulator.coinbase_session import Session
from trading.exchanges.simulator.market import PairMarket, Trade

PER_SECOND = 8


@dataclass(slots=True)
class CoinbaseSockets:
    """Every open socket, for market data and for customers."""

    rest: CoinbaseRest
    patience: Patience = field(default_factory=Patience)
    sessions: set[Session] = field(default_factory=set)
    connections: Limits = field(default_factory=lambda: Limits(public=PER_SECOND))
    messages: Limits = field(default_factory=lambda: Limits(public=PER_SECOND))

    def add_routes(self, app: web.Application) -> None:
        """Both addresses."""
        app.router.add_get("/coinbase/ws", self._answer_market)
        app.router.add_get("/coinbase/ws/user", self._answer_user)

    def on_trades(self, market: PairMarket, trades: list[Trade]) -> None:
        """What a market did since the last look."""
        for session in self.sessions:
            channels.on_trades(session, market, trades)

    def tick(self) -> None:
        """Time goes by."""
        for session in self.sessions:
            session.tick()

    def close(self) -> None:
        """Drop every connection."""
        for session in self.sessions:
            session.end()

    def silence(self, until: float) -> None:
        """Say nothing before that moment of the loop."""
        for session in self.sessions:
            session.silent_until = until

    async def _answer_market(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, is_user=False)

    async def _answer_user(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, is_user=True)

    async def _serve(self, request: web.Request, *, is_user: bool) -> web.StreamResponse:
        address = str(request.remote)
        is_within, headers = self.connections.count(address, is_public=True)
        if not is_within:
            return web.Response(status=429, headers=headers, text="Too Many Requests")
        socket = web.WebSocketResponse(heartbeat=None, max_msg_size=1_000_000)
        await socket.prepare(request)
        loop = asyncio.get_running_loop()
        session = Session(self.rest, is_user, self.patience, loop.time())
        self.sessions.add(session)
        writer = asyncio.create_task(_write(socket, session))
        try:
            async for message in socket:
                if message.type is not web.WSMsgType.TEXT or session.is_over:
                    break
                self._receive(session, message.data, address)
        finally:
            self.sessions.discard(session)
            session.leave()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await socket.close()
        return socket

    def _receive(self, session: Session, text: str, address: str) -> None:
        if '"jwt"' not in text and not self.messages.count(address, is_public=True)[0]:
            session.error("rate limit exceeded")
            return
        session.receive(text)


async def _write(socket: web.WebSocketResponse, session: Session) -> None:
    while (frame := await session.queue.get()) is not None:
        await socket.send_str(frame.decode())
    await socket.close()
