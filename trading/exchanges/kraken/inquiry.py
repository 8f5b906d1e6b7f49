"""What became of orders, by REST: of unclear ones, and of working ones the stream may have missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from trading.engine.batches import Evidence, Known
from trading.engine.messages import FillReport, MarketSpec, OrderRequest
from trading.engine.sights import VenueOrder
from trading.exchanges.failures import reading
from trading.exchanges.known_orders import STOPS, Execution, KnownOrder, KnownOrders
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

NS = 1_000_000_000
DEADLINE_NS = 10 * NS  # the venue refuses an order that reaches it later
LAG_NS = 3 * NS  # its lists may be behind its book by so much
ABSENCES = 2  # how often it must not know an order before that is believed
MOST_ASKED = 20
Facts = tuple[KnownOrder, Mapping[str, Any], list[Execution] | None]


@dataclass(slots=True)
class Inquiry:
    """Asks for one account; ``sent_ns`` says when each order left, ``began_ns`` when this life began."""

    rest: KrakenRest
    specs: Sequence[MarketSpec]
    clock: VenueClock
    known: KnownOrders
    began_ns: int = 0
    sent_ns: dict[tuple[int, int], int] = field(default_factory=dict)
    _absent: dict[tuple[int, int], int] = field(default_factory=dict)

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What the venue says of an order whose outcome is not clear."""
        try:
            with reading("what became of an order"):
                stop = self.known.stop_of(order.market)
                if order.purpose in STOPS and stop is not None:
                    return await self._judge_stop(stop, order)
                return await self._judge(order)
        except FAILS as error:
            log.warning("lookup_failed", seq=order.seq, why=str(error))
            return Evidence(Known.UNDECIDED)

    async def _judge_stop(self, stop: KnownOrder, order: OrderRequest) -> Evidence:
        """Did the resting stop move as this intent asks?"""
        told = (await self.rest.read("QueryOrders", txid=stop.venue_id, trades="true"))[
            stop.venue_id
        ]
        if told["status"] == "open":
            if orders.is_as_asked(told, order, self.specs[order.market]):
                return Evidence(Known.WORKING, self.known.name(order, stop.venue_id).venue_id)
            return self._missing(order)
        self.known.name(order, stop.venue_id)
        return Evidence(Known.OVER, stop.venue_id, await self.news(stop, told))

    async def _judge(self, order: OrderRequest) -> Evidence:
        """Open orders, then closed ones, by the client order id: a filled order is in no open list."""
        asked = {"cl_ord_id": order.client_order_id, "trades": "true"}
        for method, name in (("OpenOrders", "open"), ("ClosedOrders", "closed")):
            found: Mapping[str, Any] = (await self.rest.read(method, **asked))[name]
            for venue_id, told in found.items():
                if told.get("cl_ord_id") != order.client_order_id:
                    continue
                known = self.known.name(order, venue_id)
                news = await self.news(known, told)
                is_open = told["status"] in ("open", "pending")
                return Evidence(Known.WORKING if is_open else Known.OVER, venue_id, news)
        return self._missing(order)

    def _missing(self, order: OrderRequest) -> Evidence:
        """Absent is believed after the deadline, when the lists have caught up, and not at once."""
        key = (order.market, order.seq)
        settled_ns = self.sent_ns.get(key, self.began_ns) + DEADLINE_NS + LAG_NS
        if self.clock.now_ns() < settled_ns:
            return Evidence(Known.UNDECIDED)
        self._absent[key] = self._absent.get(key, 0) + 1
        if self._absent[key] < ABSENCES:
            return Evidence(Known.UNDECIDED)
        self.known.doubtful.discard(key)
        return Evidence(Known.ABSENT)

    async def news(self, known: KnownOrder, told: Mapping[str, Any]) -> tuple[FillReport, ...]:
        """What an order's facts tell beyond what was told: its fills, and its end.

        Raises:
            ApiError, Unreached, NoAnswer: its trades cannot be had; then nothing was marked as told.
        """
        return self._tell(known, told, await self._trades(known, told))

    async def _trades(self, known: KnownOrder, told: Mapping[str, Any]) -> list[Execution] | None:
        """An order's trades that were not told, oldest first; None while some are not listed yet.

        Raises:
            ApiError, Unreached, NoAnswer: they cannot be had.
        """
        fresh = [one for one in told.get("trades") or [] if one not in self.known.told]
        spec, found = self.specs[known.order.market], list[Execution]()
        for first in range(0, len(fresh), MOST_ASKED):
            page = fresh[first : first + MOST_ASKED]
            trades = await self.rest.read("QueryTrades", txid=",".join(page))
            if set(page) - trades.keys():
                return None
            found += [orders.rest_execution(one, trades[one], spec) for one in page]
        return sorted(found, key=lambda execution: execution.time_ns)

    def _tell(
        self, known: KnownOrder, told: Mapping[str, Any], trades: list[Execution] | None
    ) -> tuple[FillReport, ...]:
        """Nothing is awaited here: what is marked as told is told."""
        if trades is None:
            return ()  # the next look finds them
        reports = [self.known.fill(known, execution) for execution in trades]
        if told["status"] not in ("open", "pending"):
            reports.append(self.known.end(known, time_ns=self.clock.now_ns()))
        return tuple(report for report in reports if report is not None)

    async def catch_up(self) -> list[FillReport]:
        """News of every working order, by REST: what the stream did not tell.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had; then nothing was marked as told.
        """
        working, facts = self.known.working(), list[Facts]()
        for first in range(0, len(working), MOST_ASKED):
            page = {one.venue_id: one for one in working[first : first + MOST_ASKED]}
            told = await self.rest.read("QueryOrders", txid=",".join(page), trades="true")
            for venue_id, known in page.items():
                if venue_id in told:
                    trades = await self._trades(known, told[venue_id])
                    facts.append((known, told[venue_id], trades))
        return [report for one in facts for report in self._tell(*one)]

    async def list_orders(self, *, since_ns: int) -> list[VenueOrder]:
        """Every order that is open, or ended since then.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        found = dict[str, Any]((await self.rest.read("OpenOrders"))["open"])
        asked = {"start": max(0, since_ns) // NS}
        closed = dict[str, Any]()
        while (
            True
        ):  # the newest first: one that ends meanwhile moves the rest on, and none is missed
            page = (await self.rest.read("ClosedOrders", **asked, ofs=len(closed)))["closed"]
            if not page.keys() - closed.keys():
                return [orders.any_order(key, row) for key, row in (found | closed).items()]
            closed |= page
