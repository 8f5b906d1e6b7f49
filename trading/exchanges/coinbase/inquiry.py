"""What became of orders, by REST: of unclear ones, and of working ones the stream may have missed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from trading.engine.batches import Evidence, Known
from trading.engine.messages import FillReport, MarketSpec, OrderRequest
from trading.engine.sights import VenueOrder
from trading.exchanges.coinbase import names, orders
from trading.exchanges.coinbase.errors import FAILS, NoAnswer
from trading.exchanges.coinbase.named_orders import Facts, NamedOrders
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.failures import reading
from trading.exchanges.known_orders import Execution, Key, KnownOrder, KnownOrders
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

NS = 1_000_000_000
SETTLED_NS = 30 * NS  # its token was valid for ten seconds; what left arrives by then or never
MARGIN_NS = 60 * NS  # between the times of two machines
ABSENCES = 2  # how often it must not know an order before that is believed
PAGE, MOST_PAGES = 100, 100


@dataclass(frozen=True, slots=True)
class News:
    """How an order stands, and what was not told of it before."""

    reports: tuple[FillReport, ...]
    standing: orders.Standing
    is_whole: bool  # every fill is listed

    @property
    def is_settled(self) -> bool:
        """Whether it is over and all of it is known."""
        return self.standing.is_over and self.is_whole


def _to_nobody(report: FillReport) -> None:
    log.error("news_for_nobody", seq=report.intent_seq)


@dataclass(slots=True)
class Inquiry:
    """Asks for one account; ``sent_ns`` says when each order left, ``began_ns`` when this life began.

    ``unsent`` are orders we know never left, each with the stop whose news must be booked before that
    may be said; ``quiet`` are orders whose end somebody else tells; ``heard_lots`` is what the stream
    said of each, which REST may not know yet; ``tell`` takes news that nobody waits for.
    """

    rest: CoinbaseRest
    specs: Sequence[MarketSpec]
    clock: VenueClock
    known: KnownOrders
    products: dict[str, names.Product] = field(default_factory=dict)
    began_ns: int = 0
    sent_ns: dict[Key, int] = field(default_factory=dict)
    unsent: dict[Key, KnownOrder | None] = field(default_factory=dict)
    quiet: set[str] = field(default_factory=set)
    heard_lots: dict[str, int] = field(default_factory=dict)
    tell: Callable[[FillReport], None] = _to_nobody
    _absent: dict[Key, int] = field(default_factory=dict)
    _named: NamedOrders = field(init=False)

    def __post_init__(self) -> None:
        self._named = NamedOrders(self.rest, self.clock, self.pages)

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What the venue says of an order whose outcome is not clear."""
        try:
            with reading("what became of an order"):
                if (order.market, order.seq) in self.unsent:
                    return await self._judge_unsent(order)
                return await self._judge(order)
        except FAILS as error:
            log.warning("lookup_failed", seq=order.seq, why=str(error))
            return Evidence(Known.UNDECIDED)

    async def _judge_unsent(self, order: OrderRequest) -> Evidence:
        """Absent from the moment on at which the engine knows what was sold in its place."""
        stop = self.unsent[order.market, order.seq]
        news = await self.ask(stop) if stop else None
        reports = news.reports if news else ()
        if reports or (news and not news.is_whole) or self.known.leaving[order.market]:
            return Evidence(Known.UNDECIDED, news=reports)
        return Evidence(Known.ABSENT)

    async def _judge(self, order: OrderRequest) -> Evidence:
        known = self.known.of(order.market, order.seq)
        facts = await self.facts(known.venue_id) if known else await self._search(order)
        if facts is None:
            return self._missing(order)
        known = self.known.name(order, orders.read_order(facts).order_id)
        news = await self.news(known, facts)
        if not news.standing.is_over:
            return Evidence(Known.WORKING, known.venue_id, news.reports)
        verdict = Known.OVER if news.is_whole else Known.UNDECIDED
        return Evidence(verdict, known.venue_id, news.reports)

    async def _search(self, order: OrderRequest) -> Facts | None:
        """The order among the recent ones: the venue has no list by client order id.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        product = self.products.get(self.specs[order.market].symbol)
        named = [name for name in (product.product_id, product.alias) if name] if product else []
        since_ns = min(order.at_ns, self.sent_ns.get((order.market, order.seq), order.at_ns))
        asked = {
            "start_date": orders.stamp(max(0, since_ns - MARGIN_NS)),
            **({"product_ids": named} if named else {}),  # of one not listed: all the account's
        }
        for facts in await self.pages("/orders/historical/batch", "orders", asked):
            if facts.get("client_order_id") == order.client_order_id:
                return facts
        return None

    def _missing(self, order: OrderRequest) -> Evidence:
        """Absent is believed when nothing can be on its way any more, and not at once."""
        key = (order.market, order.seq)
        if self.clock.now_ns() < self.sent_ns.get(key, self.began_ns) + SETTLED_NS:
            return Evidence(Known.UNDECIDED)
        self._absent[key] = self._absent.get(key, 0) + 1
        if self._absent[key] < ABSENCES:
            return Evidence(Known.UNDECIDED)
        self.known.doubtful.discard(key)
        return Evidence(Known.ABSENT)

    async def ask(self, known: KnownOrder) -> News:
        """How an order stands now.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        return await self.news(known, await self.facts(known.venue_id))

    async def look_at(self, known: KnownOrder) -> News:
        """How an order stands; what was not told of it before is told.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        news = await self.ask(known)
        for report in news.reports:
            self.tell(report)
        return news

    async def news(self, known: KnownOrder, facts: Facts) -> News:
        """What an order's facts tell beyond what was told: its fills, and its end once all are listed.

        Raises:
            ApiError, Unreached, NoAnswer: its fills cannot be had.
        """
        return self._note(known, orders.read_order(facts), await self._executions(known, facts))

    def _note(
        self, known: KnownOrder, standing: orders.Standing, executions: Sequence[Execution]
    ) -> News:
        """Nothing is awaited here: what is marked as told is told."""
        spec = self.specs[known.order.market]
        expected = max(standing.filled_lots(spec), self.heard_lots.get(known.venue_id, 0))
        reports = [self.known.fill(known, one) for one in executions]
        listed = sum(one.lots for one in executions)  # an earlier life's are not in ``filled_lots``
        is_whole = max(listed, known.filled_lots) >= expected
        if standing.is_over and is_whole and known.venue_id not in self.quiet:
            reports.append(self.known.end(known, time_ns=self.clock.now_ns()))
        return News(tuple(one for one in reports if one is not None), standing, is_whole)

    async def _executions(self, known: KnownOrder, facts: Facts) -> list[Execution]:
        standing, spec = orders.read_order(facts), self.specs[known.order.market]
        if not standing.filled and not self.heard_lots.get(known.venue_id):
            return []
        asked = {"order_ids": [known.venue_id]}
        rows = await self.pages("/orders/historical/fills", "fills", asked)
        found = [made for row in rows if (made := orders.execution(row, spec)) is not None]
        return sorted(found, key=lambda one: one.time_ns)

    async def catch_up(self) -> list[FillReport]:
        """News of every working order, by REST: what the stream did not tell.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had; then nothing was marked as told.
        """
        heard = []
        for known in self.known.working():
            await self.rest.calls.wait_for_room()
            facts = await self.facts(known.venue_id)
            found = await self._executions(known, facts)
            heard.append((known, orders.read_order(facts), found))
        return [report for one in heard for report in self._note(*one).reports]

    async def facts(self, venue_id: str) -> Facts:
        """An order as the venue has it; one that it does not know any more is over.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        return await self._named.ask(venue_id)

    async def pages(self, path: str, name: str, asked: Facts) -> list[Facts]:
        """Every row of a list that comes in pages; what does not fit on one gives way.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had, or never ends.
        """
        rows, cursor = list[Facts](), ""
        for _ in range(MOST_PAGES):
            more = {"cursor": cursor} if cursor else {}
            ask = self.rest.read if cursor else self.rest.read_at_once
            told = await ask(path, **asked, limit=PAGE, **more)
            page = told.get(name)
            rows += [row for row in page if isinstance(row, dict)] if isinstance(page, list) else []
            last, cursor = cursor, str(told.get("cursor") or "")
            if not cursor or cursor == last or told.get("has_next") is False:
                return rows
        raise NoAnswer(f"Coinbase's list of {name} does not end")

    async def list_orders(self, *, since_ns: int) -> list[VenueOrder]:
        """Every order that is open, or was made since then.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        path, since = "/orders/historical/batch", {"start_date": orders.stamp(max(0, since_ns))}
        rows = await self.pages(path, "orders", {"order_status": ["OPEN"]})
        rows += await self.pages(path, "orders", since)
        return list({str(row["order_id"]): orders.any_order(row) for row in rows}.values())
