"""Venue port over Kraken: one socket tells of our orders and of what moves, and carries them."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import aclosing, suppress
from math import inf
from typing import Any

import structlog

from trading.core.codes import Purpose
from trading.engine.batches import OpenIntent
from trading.engine.messages import AccountMoved, FeedChange, FillReport
from trading.engine.orders import State
from trading.engine.ports import MarketFeed
from trading.exchanges.failures import NoAnswer, reading
from trading.exchanges.forgotten import LAG_NS
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken import frames, kept_rates, orders
from trading.exchanges.kraken.dead_man import LOOK_SECONDS
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.inquiry import NS
from trading.exchanges.kraken.instruments import Instruments, Rows
from trading.exchanges.kraken.movements import GRACE_SECONDS, Movements
from trading.exchanges.kraken.sockets import Overheard, Subscriptions
from trading.exchanges.rules_watch import Whys
from trading.exchanges.sockets import (
    STEADY_SECONDS,
    Connected,
    Frame,
    Lost,
    listen,
    pause_after,
)
from trading.exchanges.wire_venue import AUDIT_SECONDS, CHANNEL, WireVenue

log = structlog.get_logger(__name__)

OVER = ("filled", "canceled", "expired")
CHANGES = ("amended", "restated")


class SequenceGap(Exception):
    """A message of the private channel is missing."""


class KrakenVenue(WireVenue):
    """Real orders on one account."""

    venue = "Kraken"

    def __init__(
        self,
        *,
        desk: KrakenDesk,
        feed: MarketFeed,
        ws_url: str,
        audit_seconds: float = AUDIT_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        instruments: Instruments | None = None,
    ) -> None:
        super().__init__(desk=desk, feed=feed, audit_seconds=audit_seconds)
        desk.inquiry.tell = self._tell
        if instruments is not None:
            instruments.tell = self._hear_pairs
        self._dead_man, self._look_seconds = desk.dead_man, look_seconds
        self._rules = desk.rules
        self._rest, self._ws_url = desk.rest, ws_url
        self._road, self._rate = desk.socket, desk.rate
        self._symbols: dict[str, str] = {}  # of orders that rest, whoever placed them
        self._token = ""
        self._movements = Movements(
            desk.known, notice=lambda words: self._tell(AccountMoved(words))
        )
        self._sequence, self._gap = 0, ""

    def snapshot(self) -> bytes:
        """How far counters and nonces are: the venue tells of them only when something happens."""
        return kept_rates.write_rates(self._rest.calls, self._rate, self._rest.nonces)

    def restore(self, state: bytes) -> None:
        """Go on counting from there."""
        kept_rates.take_over(state, self._rest.calls, self._rate, self._rest.nonces)

    def adopt(self, *, intents: Sequence[OpenIntent], booked_trades: frozenset[str]) -> None:
        """Orders and booked trades of an earlier leader, and what it may have sent uncounted."""
        super().adopt(intents=intents, booked_trades=booked_trades)
        unclear = [one.order for one in intents if one.state == State.PLANNED
                   or (one.state == State.WORKING and one.order.purpose == Purpose.ENTRY)]  # fmt: skip
        kept_rates.charge_unclear([order.market for order in unclear], self._rate)

    def _work(self, after_ns: Mapping[int, int]) -> list[Awaitable[None]]:
        return [*super()._work(after_ns), self._dead_man.keep(look_seconds=self._look_seconds)]

    def _hear_pairs(self, rows: Rows) -> None:
        """The feed's connection told of pairs; orders are fitted to it from now on."""
        self._tell_terms(self._rules.hear(rows))

    def _tell_terms(self, found: Whys | None) -> None:
        if found is not None:
            log.warning("terms_changed", why=[why for why in found.values() if why] or "they fit")
            self._verdicts.give(found)

    async def _requests(self) -> list[dict[str, Any]]:
        """A token for each connection, and the channels of our orders and of what moves."""
        try:
            with reading("Kraken's token"):
                self._token = str((await self._rest.read("GetWebSocketsToken"))["token"])
        except FAILS as error:
            raise OSError(f"no token: {error}") from None
        params = {"channel": "executions", "snap_orders": True, "snap_trades": False,
                  "ratecounter": True}  # fmt: skip
        orders_ = {"method": "subscribe", "params": {**params, "token": self._token}}
        return [orders_, self._movements.subscription(self._token)]

    def _converse(self) -> Overheard:
        talk = Subscriptions(self._requests, self._confirmed)
        return Overheard(talk, self._road, self._movements)

    def _confirmed(self, told: Mapping[str, Any]) -> None:
        """The subscription's own terms."""
        if (most := _level(told.get("maxratecount"))) is not None:
            self._rate.hear_most(most)

    async def _hear_orders(self) -> None:
        failures, loop = 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                heard = listen(self._ws_url, self._converse, self._road.open)
                async with aclosing(heard):
                    async for frame in heard:
                        await self._take(frame)
            except SequenceGap as error:
                log.warning("order_news_missing", why=str(error))
                self._lose(str(error))
            failures = 0 if loop.time() - began > STEADY_SECONDS else failures + 1
            await asyncio.sleep(pause_after(failures))

    def _lose(self, reason: str) -> None:
        self._sequence, self._gap = 0, ""
        self._road.leave(reason)
        self._tell(FeedChange(CHANNEL, is_up=False, reason=reason))

    async def _take(self, frame: Frame | Connected | Lost) -> None:
        if isinstance(frame, Lost):
            self._lose(f"no news of orders from Kraken: {frame.reason}")
        elif isinstance(frame, Connected):
            await self._catch_up()
            self._road.trust(self._token)
            self._tell(FeedChange(CHANNEL, is_up=True, reason="orders are told again"))
        elif frame.get("channel") == "status":
            self._tell_terms(self._rules.hear_mode(frame))
        elif frame.get("channel") == "executions":
            self._count(frame)
            if not self._gap:
                self._hear_all(frame.get("data"))
        if self._gap and not self._road.awaits_answer:
            raise SequenceGap(self._gap)

    def _count(self, frame: Frame) -> None:
        """After a gap nothing is believed but answers that are on their way; then the connection ends."""
        number = frames.count_of(frame)
        if frame.get("type") == "snapshot":
            self._gap = ""
        elif number != self._sequence + 1:
            self._gap = f"message {number} came after {self._sequence}"
            self._road.distrust()
        self._sequence = number

    def _hear_all(self, entries: Any) -> None:
        """Each by itself; what cannot be read may be a fill, so REST is asked, and once more when it
        has caught up."""
        odd = 0
        for told in entries if isinstance(entries, list) else [entries]:
            try:
                with reading("news of an order"):
                    self._hear(told)
            except NoAnswer:
                odd += 1
        if odd:
            self._ask_soon()
            asyncio.get_running_loop().call_later(LAG_NS / NS, self._ask_soon)

    def _hear(self, told: Mapping[str, Any]) -> None:
        """One entry of the executions channel.

        Raises:
            TypeError, KeyError, ValueError, AttributeError, ArithmeticError: it cannot be read.
        """
        known = self._desk.known.find(
            venue_id=str(told.get("order_id", "")), client_id=str(told.get("cl_ord_id", ""))
        )
        self._hear_rate(told)
        if known is None:
            log.info("order_of_others", order=told.get("order_id"), happened=told.get("exec_type"))
            return
        report: FillReport | None = None
        if told.get("exec_type") == "trade":
            spec = self._desk.specs[known.order.market]
            report = self._desk.known.fill(known, orders.ws_execution(told, spec))
        elif told.get("exec_type") in CHANGES:  # ours is answered by then
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._compare, known, told)
        elif told.get("exec_type") in OVER:
            spec = self._desk.specs[known.order.market]
            if orders.executed_lots(told, spec) > known.filled_lots:
                self._ask_soon()  # part of it was not heard; its end is told with it
            else:
                report = self._desk.known.end(known, time_ns=self.time_ns())
        if report is not None:
            self._tell(report)

    def _compare(self, known: KnownOrder, told: Mapping[str, Any]) -> None:
        spec, is_as_asked = self._desk.specs[known.order.market], False
        with suppress(NoAnswer), reading("an order's change"):
            is_as_asked = orders.is_told_as_asked(told, known.order, spec)
        if not known.is_over and not is_as_asked:
            self._tell(AccountMoved(f"order {known.venue_id} was changed"))

    def _hear_rate(self, told: Mapping[str, Any]) -> None:
        """A pair's counter, whoever trades there; only an order's first entry need name its pair."""
        order = str(told.get("order_id", ""))
        symbol = str(told.get("symbol") or self._symbols.get(order, ""))
        if told.get("exec_type") in OVER:
            self._symbols.pop(order, None)
        else:
            self._symbols[order] = symbol
        if (level := _level(told.get("ratecount"))) is not None:
            self._rate.hear(symbol, level)


def _level(told: Any) -> float | None:
    """A counter as the venue tells it: a number, or the text of one with decimals."""
    with suppress(TypeError, ValueError):
        level = float(told)
        return level if 0 <= level < inf else None
    return None
