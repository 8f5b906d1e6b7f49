"""Venue port over a wire: candles, prices and the news of our orders in one stream; orders by REST."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal

import structlog

from trading.engine.batches import Evidence, OpenIntent
from trading.engine.errors import NoSight
from trading.engine.messages import (
    FeedChange,
    FillReport,
    Message,
    OrderRequest,
    PriceTick,
)
from trading.engine.orders import OPEN_STATES
from trading.engine.ports import MarketFeed
from trading.engine.sights import Sight, VenueOrder
from trading.exchanges.account_desk import Desk
from trading.exchanges.failures import FAILS, reading
from trading.exchanges.rules_watch import Verdicts, heed

log = structlog.get_logger(__name__)

CHANNEL = "orders"
AUDIT_SECONDS = 30.0
BLIND_SECONDS = 10.0  # between two audits while the stream is down
TICK_SECONDS = 1.0
RETRY_SECONDS = 2.0


class WireVenue(ABC):
    """Real orders on one account; a venue adds how it tells of them."""

    venue: str  # as sentences name it
    has_account = True

    def __init__(
        self, *, desk: Desk, feed: MarketFeed, audit_seconds: float = AUDIT_SECONDS
    ) -> None:
        self._desk, self._feed, self._audit_seconds = desk, feed, audit_seconds
        self._has_caught_up = False
        self._is_blind, self._is_due = False, asyncio.Event()  # an audit, before its time
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._verdicts = Verdicts(self._tell)

    @abstractmethod
    async def _hear_orders(self) -> None:
        """Tell what the venue's stream says of our orders, for ever."""

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
        return

    async def submit(self, order: OrderRequest) -> str:
        """Place an order; see ``ports.Venue.submit``."""
        await self._ready()
        return await self._desk.submit(self._desk.rules.fit(order))

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order."""
        return await self._desk.cancel(market=market, seq=seq)

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What became of an order."""
        await self._ready()
        return await self._desk.inquiry.lookup(self._desk.rules.fit(order))

    async def look(self) -> Sight:
        """How the whole account stands.

        Raises:
            NoSight: the venue does not say.
        """
        await self._ready()
        try:
            with reading(f"{self.venue}'s word on the account"):
                return await self._desk.look()
        except FAILS as error:
            raise NoSight(str(error)) from None

    async def list_orders(self, *, since_ns: int) -> Sequence[VenueOrder]:
        """Every order of the account that is open, or ended since then.

        Raises:
            NoSight: the venue does not say.
        """
        await self._ready()
        try:
            with reading(f"{self.venue}'s list of orders"):
                return await self._desk.inquiry.list_orders(since_ns=since_ns)
        except FAILS as error:
            raise NoSight(str(error)) from None

    async def _ready(self) -> None:
        """Without the table of pairs nothing can be asked; start-up waits for the venue."""
        while not self._desk.is_open:
            try:
                await self._desk.open()
            except FAILS as error:
                log.warning("venue_not_ready", why=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def messages(self, *, after_ns: Mapping[int, int]) -> AsyncGenerator[Message, None]:
        """Bars, prices, fills and silences, in the order they were heard."""
        await self._ready()
        tasks = [asyncio.ensure_future(one) for one in self._work(after_ns)]
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

    def _work(self, after_ns: Mapping[int, int]) -> list[Awaitable[None]]:
        """What goes on all the time; the market comes first."""
        return [
            self._hear_market(after_ns),
            self._hear_orders(),
            self._audit(),
            self._tick(),
            heed(self._desk.rules, self._verdicts),
        ]

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
            self._tell(told)
        self._queue.put_nowait(None)  # a feed that ends need not be waited for

    async def _tick(self) -> None:
        """The last price again, for what depends on time alone."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for market, price in self._desk.last_prices.items():
                self._tell(PriceTick(market, self.time_ns(), float(price)))

    def _tell(self, message: Message) -> None:
        """Into the one stream."""
        if isinstance(message, FeedChange) and message.channel == CHANNEL:
            self._is_blind = not message.is_up
            if self._is_blind:
                self._ask_soon()
        self._queue.put_nowait(message)

    def booked(self, report: FillReport) -> None:
        """The engine counts with this news from now on."""
        self._desk.known.booked(report)

    async def _catch_up(self) -> None:
        """Everything the stream may have missed, before it is trusted again."""
        while True:
            try:
                for report in await self._missed():
                    self._tell(report)
            except FAILS as error:
                log.warning("orders_not_caught_up", why=str(error))
                reason = f"{self.venue} does not say what became of our orders: {error}"
                self._tell(FeedChange(CHANNEL, is_up=False, reason=reason))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._has_caught_up = True
                return

    async def _missed(self) -> list[FillReport]:
        with reading(f"{self.venue}'s word on our orders"):
            return await self._desk.inquiry.catch_up()

    async def _audit(self) -> None:
        """The same now and then although all looks well; at once, and oftener, while nobody tells."""
        while True:
            await self._until_audit()
            with suppress(*FAILS):
                for report in await self._missed():
                    log.warning("order_news_was_missed", seq=report.intent_seq)
                    self._tell(report)

    async def _until_audit(self) -> None:
        """A connection may be away for minutes: an entry that fills meanwhile has no stop."""
        if self._is_blind and not self._is_due.is_set():
            await asyncio.sleep(min(BLIND_SECONDS, self._audit_seconds))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._audit_seconds):
                await self._is_due.wait()
        self._is_due.clear()

    def _ask_soon(self) -> None:
        """The next audit is due now."""
        self._is_due.set()
