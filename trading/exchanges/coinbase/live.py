"""Venue port over Coinbase: the channel ``user`` says that orders changed, REST says how."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import aclosing, suppress
from typing import Any

import structlog

from trading.engine.messages import FeedChange
from trading.engine.ports import MarketFeed
from trading.exchanges.coinbase import orders
from trading.exchanges.coinbase.desk import CoinbaseDesk
from trading.exchanges.coinbase.errors import FAILS, NoAnswer
from trading.exchanges.coinbase.inquiry import News
from trading.exchanges.coinbase.sockets import Subscriptions, events_of
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.sockets import Connected, Frame, Lost, listen
from trading.exchanges.venue_clock import read_stamp
from trading.exchanges.wire_venue import AUDIT_SECONDS, CHANNEL, WireVenue

log = structlog.get_logger(__name__)

NS = 1_000_000_000
ASK_SECONDS = 0.3  # how long REST may be behind the stream before it is asked again
PATIENCE_NS = 3 * NS  # how long a triggered stop may take to fill


class CoinbaseVenue(WireVenue):
    """Real orders on one account."""

    venue = "Coinbase"

    def __init__(
        self,
        *,
        desk: CoinbaseDesk,
        feed: MarketFeed,
        ws_url: str,
        audit_seconds: float = AUDIT_SECONDS,
    ) -> None:
        super().__init__(desk=desk, feed=feed, audit_seconds=audit_seconds)
        desk.inquiry.tell = self._tell
        self._orders, self._ws_url = desk, ws_url
        self._changed: dict[str, bool] = {}  # venue id -> whether the stream said it is over
        self._triggered_ns: dict[str, int] = {}
        self._patient: set[str] = set()  # triggered stops of which all is told: time will show
        self._is_news = asyncio.Event()

    @property
    def is_quiet(self) -> bool:
        """Whether REST was asked about all that the stream said, and its answers have been told."""
        return super().is_quiet and self._changed.keys() <= self._patient

    def _work(self, after_ns: Mapping[int, int]) -> list[Awaitable[None]]:
        return [*super()._work(after_ns), self._follow()]

    def _converse(self) -> Subscriptions:
        return Subscriptions("user", token=self._orders.rest.token)

    async def _hear_orders(self) -> None:
        async with aclosing(listen(self._ws_url, self._converse)) as frames:
            async for frame in frames:
                await self._take(frame)

    async def _take(self, frame: Frame | Connected | Lost) -> None:
        if isinstance(frame, Lost):
            reason = f"no news of orders from Coinbase: {frame.reason}"
            self._tell(FeedChange(CHANNEL, is_up=False, reason=reason))
            return
        if isinstance(frame, Connected):
            await self._catch_up()
            self._tell(FeedChange(CHANNEL, is_up=True, reason="orders are told again"))
            return
        with suppress(ValueError):
            self._orders.clock.hear(read_stamp(str(frame.get("timestamp", ""))))
        if frame["channel"] == "user":
            for event in events_of(frame):
                told = event.get("orders")
                for one in told if isinstance(told, list) else []:
                    self._hear(one)

    def _hear(self, told: Any) -> None:
        """One order as it stands; what is older than what was heard before says nothing new."""
        try:
            standing = orders.read_order(told)
        except NoAnswer as error:
            log.warning("order_not_read", why=str(error))
            return
        known = self._orders.known.find(venue_id=standing.order_id, client_id=standing.client_id)
        if known is None:
            log.info("order_of_others", order=standing.order_id, status=standing.status)
            return
        heard = self._orders.inquiry.heard_lots
        lots = standing.filled_lots(self._orders.specs[known.order.market])
        is_more = lots > heard.get(known.venue_id, 0)
        heard[known.venue_id] = max(lots, heard.get(known.venue_id, 0))
        if is_more or ((standing.is_over or standing.is_triggered) and not known.is_over):
            is_over = self._changed.get(known.venue_id, False) or standing.is_over
            self._changed[known.venue_id] = is_over
            self._patient.discard(known.venue_id)
            self._is_news.set()

    async def _follow(self) -> None:
        """Ask about each order that changed until REST knows what the stream said."""
        while True:
            await self._is_news.wait()
            self._is_news.clear()
            for venue_id in list(self._changed):
                await self._ask(self._orders.known.by_id[venue_id])
            if self._changed:
                self._is_news.set()
                await asyncio.sleep(ASK_SECONDS)

    async def _ask(self, known: KnownOrder) -> None:
        said_over = self._changed[known.venue_id]
        try:
            news = await self._orders.inquiry.look_at(known)
            if self._is_stuck(known, news):
                log.warning("stop_triggered_and_not_filled", order=known.venue_id)
                await self._orders.cancel(market=known.order.market, seq=known.order.seq)
        except FAILS as error:
            log.warning("order_not_asked_about", order=known.venue_id, why=str(error))
            return
        is_behind = not news.is_whole or (said_over and not news.standing.is_over)
        if is_behind:
            return
        if news.standing.is_triggered and not news.standing.is_over:
            self._patient.add(known.venue_id)
        else:
            self._changed.pop(known.venue_id, None)

    def _is_stuck(self, known: KnownOrder, news: News) -> bool:
        """Whether a stop became a limit order that nobody takes: the engine must sell by itself."""
        if news.standing.is_over or not news.standing.is_triggered:
            self._triggered_ns.pop(known.venue_id, None)
            return False
        now_ns = self.time_ns()
        return now_ns - self._triggered_ns.setdefault(known.venue_id, now_ns) >= PATIENCE_NS
