"""What became of orders, by REST: of unclear ones, and of working ones the stream may have missed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from trading.core.codes import Purpose
from trading.engine.batches import Evidence, Known
from trading.engine.messages import FillReport, MarketSpec, OrderRequest
from trading.engine.sights import VenueOrder
from trading.exchanges.failures import reading
from trading.exchanges.forgotten import LAG_NS
from trading.exchanges.known_orders import STOPS, Execution, Key, KnownOrder, KnownOrders
from trading.exchanges.kraken import orders
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.named_orders import NamedOrders, Read
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

NS = 1_000_000_000
DEADLINE_NS = 10 * NS  # the venue refuses an order that reaches it later
ABSENCES = 2  # how often it must not know an order before that is believed
MOST_ASKED = 20
Facts = tuple[KnownOrder, bool, list[Execution] | None]  # whether it is over, and its fills


def _to_nobody(report: FillReport) -> None:
    log.error("news_for_nobody", seq=report.intent_seq)


@dataclass(slots=True)
class Inquiry:
    """Asks for one account; ``sent_ns`` says when each order left, ``began_ns`` when this life began.

    ``unsent`` are orders that never left, each with the stop whose end must be known, and all it sold
    booked, before that may be said; ``tell`` takes news that nobody waits for.
    """

    rest: KrakenRest
    specs: Sequence[MarketSpec]
    clock: VenueClock
    known: KnownOrders
    began_ns: int = 0
    sent_ns: dict[Key, int] = field(default_factory=dict)
    unsent: dict[Key, KnownOrder] = field(default_factory=dict)
    tell: Callable[[FillReport], None] = _to_nobody
    _absent: dict[Key, int] = field(default_factory=dict)
    _named: NamedOrders = field(init=False)

    def __post_init__(self) -> None:
        self._named = NamedOrders(self.clock)

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What the venue says of an order whose outcome is not clear."""
        try:
            with reading("what became of an order"):
                if (order.market, order.seq) in self.unsent:
                    return await self._judge_unsent(order)
                stop = self.known.stop_of(order.market)
                if order.purpose in STOPS and stop is not None:
                    return await self._judge_stop(stop, order)
                return await self._judge(order)
        except FAILS as error:
            log.warning("lookup_failed", seq=order.seq, why=str(error))
            return Evidence(Known.UNDECIDED)

    async def _judge_unsent(self, order: OrderRequest) -> Evidence:
        stop = self.unsent[order.market, order.seq]
        await self.look_at(stop)
        if not stop.is_over or self.known.leaving[order.market]:
            return Evidence(Known.UNDECIDED)
        return Evidence(Known.ABSENT)

    async def look_at(self, known: KnownOrder) -> None:
        """Tell what was not told of an order; it is over then if it is over at the venue.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        if known.is_over:
            return
        told = await self._told(known, self.rest.read_at_once)
        with reading("a cancelled order"):
            news = await self.news(known, told)
        for report in news:
            self.tell(report)

    async def _told(self, known: KnownOrder, read: Read) -> Mapping[str, Any]:
        return (await self._named.ask(read, [known.venue_id]))[known.venue_id]

    async def _judge_stop(self, stop: KnownOrder, order: OrderRequest) -> Evidence:
        """Did the resting stop move as this intent asks?

        One that has ended may be of an earlier position: what asked for a first stop was sent by itself.
        """
        told = await self._told(stop, self.rest.read)
        if told["status"] == "open":
            if orders.is_as_asked(told, order, self.specs[order.market]):
                return Evidence(Known.WORKING, self.known.name(order, stop.venue_id).venue_id)
            return self._missing(order)
        if order.purpose == Purpose.PROTECT and order.seq != stop.order.seq:
            for report in await self.news(stop, told):
                self.tell(report)
            return await self._judge(order)
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
        return self._tell(*await self._facts(known, told))

    async def _facts(self, known: KnownOrder, told: Mapping[str, Any]) -> Facts:
        """All that must be read of an order before any of it is marked as told."""
        is_over = told["status"] not in ("open", "pending")
        return known, is_over, await self._trades(known, told)

    async def _trades(self, known: KnownOrder, told: Mapping[str, Any]) -> list[Execution] | None:
        """An order's trades that were not told, oldest first; None while some are not listed yet.

        Raises:
            ApiError, Unreached, NoAnswer: they cannot be had.
        """
        spec, listed = self.specs[known.order.market], told.get("trades") or []
        executed = orders.executed_lots(told, spec)
        fresh = [one for one in listed if one not in self.known.told]
        found = await self._executions(fresh, spec)
        if found is not None and known.filled_lots + sum(one.lots for one in found) < executed:
            # an earlier life's are not counted in ``filled_lots``: all that is listed must be enough
            whole = await self._executions(listed, spec)
            if whole is None or sum(one.lots for one in whole) < executed:
                return None
        return found

    async def _executions(self, names: Sequence[str], spec: MarketSpec) -> list[Execution] | None:
        found = list[Execution]()
        for first in range(0, len(names), MOST_ASKED):
            page = names[first : first + MOST_ASKED]
            trades = await self.rest.read("QueryTrades", txid=",".join(page))
            if set(page) - trades.keys():
                return None
            found += [orders.rest_execution(one, trades[one], spec) for one in page]
        return sorted(found, key=lambda execution: execution.time_ns)

    def _tell(
        self, known: KnownOrder, is_over: bool, trades: list[Execution] | None
    ) -> tuple[FillReport, ...]:
        """Nothing is awaited here, nor can anything fail: what is marked as told is told."""
        if trades is None:
            return ()  # the next look finds them
        reports = [self.known.fill(known, execution) for execution in trades]
        if is_over:
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
            told = await self._named.ask(self.rest.read, tuple(page))
            for venue_id, known in page.items():
                facts.append(await self._facts(known, told[venue_id]))
        return [report for one in facts for report in self._tell(*one)]

    async def list_orders(self, *, since_ns: int) -> list[VenueOrder]:
        """Every order that is open, or ended since then.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        found = dict[str, Any]((await self.rest.read("OpenOrders"))["open"])
        asked = {"start": max(0, since_ns) // NS}
        closed = dict[str, Any]()
        # The newest first: one that ends meanwhile moves the rest on, and none is missed.
        while True:
            page = (await self.rest.read("ClosedOrders", **asked, ofs=len(closed)))["closed"]
            if not page.keys() - closed.keys():
                return [orders.any_order(key, row) for key, row in (found | closed).items()]
            closed |= page
