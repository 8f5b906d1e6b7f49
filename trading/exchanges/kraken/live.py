"""Venue port over Kraken: candles, prices and the news of our orders in one stream; orders by REST."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import aclosing, suppress
from decimal import Decimal
from typing import Any

import structlog

from trading.engine.batches import Evidence, OpenIntent
from trading.engine.messages import FeedChange, FillReport, Message, OrderRequest, PriceTick
from trading.engine.orders import OPEN_STATES
from trading.engine.ports import MarketFeed
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.sockets import Connected, Frame, Lost, listen

log = structlog.get_logger(__name__)

CHANNEL = "orders"
AUDIT_SECONDS = 30.0
TICK_SECONDS = 1.0
RETRY_SECONDS = 2.0
OVER = ("filled", "canceled", "expired")


class SequenceGap(Exception):
    """A message of the private channel is missing."""


class KrakenVenue:
    """Real orders on one account."""

    def __init__(
        self,
        *,
        desk: KrakenDesk,
        feed: MarketFeed,
        ws_url: str,
        audit_seconds: float = AUDIT_SECONDS,
    ) -> None:
        self._desk, self._feed, self._ws_url = desk, feed, ws_url
        self._audit_seconds = audit_seconds
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self._sequence = 0
        self._has_caught_up = False

    def adopt(self, *, intents: Sequence[OpenIntent], booked_trades: frozenset[str]) -> None:
        """Orders and booked trades of an earlier leader."""
        open_ = {state.value for state in OPEN_STATES}
        self._desk.known.adopt(intents, booked_trades, open_=open_)

    def time_ns(self) -> int:
        """The venue's own time."""
        return self._desk.clock.now_ns()

    @property
    def is_quiet(self) -> bool:
        """Whether the past was caught up with, and all that was heard since has been told."""
        return self._has_caught_up and self._queue.empty()

    def snapshot(self) -> bytes:
        """Nothing: the venue remembers."""
        return b""

    def restore(self, state: bytes) -> None:
        """Nothing to take back."""

    async def submit(self, order: OrderRequest) -> str:
        """Place an order; see ``KrakenDesk.submit``."""
        await self._ready()
        return await self._desk.submit(order)

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order."""
        return await self._desk.cancel(market=market, seq=seq)

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What became of an order."""
        await self._ready()
        return await self._desk.inquiry.lookup(order)

    async def _ready(self) -> None:
        """Without the table of pairs nothing can be asked; start-up waits for the venue."""
        while not self._desk.is_open:
            try:
                await self._desk.open()
            except FAILS as error:
                log.warning("venue_not_ready", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def messages(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[Message]:
        """Bars, prices, fills and silences, in the order they were heard."""
        await self._ready()
        work: list[Awaitable[None]] = [
            self._hear_market(after_ns),
            self._hear_orders(),
            self._audit(),
            self._tick(),
        ]
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            while True:
                message = await self._next()
                if message is not None:
                    yield message
                for task in tasks:
                    if task.done():
                        task.result()
                if tasks[0].done() and self._queue.empty():
                    return  # a feed that ends: a replay
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _next(self) -> Message | None:
        """The next message, or None after a while without one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK_SECONDS):
                return await self._queue.get()
        return None

    async def _hear_market(self, after_ns: Mapping[int, int]) -> None:
        async for told in self._feed.news(after_ns=after_ns):
            if isinstance(told, PriceTick):
                tick = self._desk.specs[told.market].tick_size
                ticks = round(Decimal(repr(told.price)) / tick)
                self._desk.last_prices[told.market] = ticks * tick
            self._queue.put_nowait(told)

    async def _tick(self) -> None:
        """The last price again, for what depends on time alone."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for market, price in self._desk.last_prices.items():
                self._queue.put_nowait(PriceTick(market, self.time_ns(), float(price)))

    async def _requests(self) -> list[dict[str, Any]]:
        """A token for each connection, and the channel of our orders."""
        try:
            token = (await self._desk.rest.read("GetWebSocketsToken"))["token"]
        except FAILS as error:
            raise OSError(f"no token: {error}") from None
        params = {"channel": "executions", "snap_orders": True, "snap_trades": False}
        return [{"method": "subscribe", "params": {**params, "token": token}}]

    async def _hear_orders(self) -> None:
        while True:
            try:
                async with aclosing(listen(self._ws_url, self._requests)) as frames:
                    async for frame in frames:
                        await self._take(frame)
            except SequenceGap as error:
                log.warning("order_news_missing", why=str(error))
                self._queue.put_nowait(FeedChange(CHANNEL, is_up=False, reason=str(error)))

    async def _take(self, frame: Frame | Connected | Lost) -> None:
        if isinstance(frame, Lost):
            reason = f"no news of orders from Kraken: {frame.reason}"
            self._queue.put_nowait(FeedChange(CHANNEL, is_up=False, reason=reason))
        elif isinstance(frame, Connected):
            await self._catch_up()
            self._has_caught_up = True
            self._queue.put_nowait(FeedChange(CHANNEL, is_up=True, reason="orders are told again"))
        elif frame["channel"] == "executions":
            self._count(frame)
            for told in frame.get("data") or []:
                self._hear(told)

    def _count(self, frame: Frame) -> None:
        number = int(frame.get("sequence") or 0)
        if frame.get("type") != "snapshot" and number != self._sequence + 1:
            raise SequenceGap(f"message {number} came after {self._sequence}")
        self._sequence = number

    def _hear(self, told: Mapping[str, Any]) -> None:
        """One entry of the executions channel."""
        known = self._desk.known.find(
            venue_id=str(told.get("order_id", "")), client_id=str(told.get("cl_ord_id", ""))
        )
        if known is None:
            log.info("order_of_others", order=told.get("order_id"), happened=told.get("exec_type"))
            return
        report: FillReport | None = None
        if told.get("exec_type") == "trade":
            spec = self._desk.specs[known.order.market]
            report = self._desk.known.fill(known, orders.ws_execution(told, spec))
        elif told.get("exec_type") in OVER:
            report = self._desk.known.end(known, time_ns=self.time_ns())
        if report is not None:
            self._queue.put_nowait(report)

    async def _catch_up(self) -> None:
        """Everything the stream may have missed, before it is trusted again."""
        while True:
            try:
                for report in await self._desk.inquiry.catch_up():
                    self._queue.put_nowait(report)
            except FAILS as error:
                log.warning("orders_not_caught_up", why=str(error))
                reason = f"Kraken does not say what became of our orders: {error}"
                self._queue.put_nowait(FeedChange(CHANNEL, is_up=False, reason=reason))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _audit(self) -> None:
        """The same now and then, although all looks well."""
        while True:
            await asyncio.sleep(self._audit_seconds)
            with suppress(*FAILS):
                for report in await self._desk.inquiry.catch_up():
                    log.warning("order_news_was_missed", seq=report.intent_seq)
                    self._queue.put_nowait(report)
