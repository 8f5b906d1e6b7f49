"""Places, amends, cancels and looks up orders at Kraken; the only place that sends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import structlog

from trading.core.codes import Purpose
from trading.engine.batches import Evidence, Known
from trading.engine.errors import CannotTrade, NotSent, OutcomeUnknown
from trading.engine.messages import FillReport, MarketSpec, OrderRequest
from trading.exchanges.caps import Caps
from trading.exchanges.known_orders import STOPS, KnownOrder, KnownOrders
from trading.exchanges.kraken import names, orders
from trading.exchanges.kraken.errors import ApiError, NoAnswer, Unreached, outcome_of
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

NS = 1_000_000_000
DEADLINE_NS = 10 * NS  # the venue refuses an order that reaches it later
LAG_NS = 3 * NS  # its lists may be behind its book by so much
ABSENCES = 2  # how often it must not know an order before that is believed
FAILS = (ApiError, Unreached, NoAnswer)
MOST_ASKED = 20
BAD_KEY = ("EAPI:Invalid key", "EAPI:Invalid signature", "EGeneral:Permission denied")
FORBIDDEN = frozenset({"withdraw-funds", "add-withdraw-address", "update-withdraw-address"})
NEEDED = frozenset(
    {
        "query-funds",
        "query-open-trades",
        "query-closed-trades",
        "modify-trades",
        "close-trades",
        "create-ws-token",
    }
)


@dataclass(slots=True)
class KrakenDesk:
    """The orders of one account."""

    rest: KrakenRest
    specs: Sequence[MarketSpec]
    clock: VenueClock
    caps: Caps = field(default_factory=Caps)
    known: KnownOrders = field(default_factory=KnownOrders)
    last_prices: dict[int, Decimal] = field(default_factory=dict)
    pairs: dict[str, names.Pair] = field(default_factory=dict)
    _sent_ns: dict[tuple[int, int], int] = field(default_factory=dict)
    _absent: dict[tuple[int, int], int] = field(default_factory=dict)
    _began_ns: int = 0

    @property
    def is_open(self) -> bool:
        """Whether everything was read and checked that must be before an order."""
        return self._began_ns > 0

    async def open(self) -> None:
        """Read the table of pairs, the time, and what the key may.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
            CannotTrade: a pair is not listed or its grid is another, or the key has a right too few
                or too many; one clear sentence.
        """
        await self._check_key()
        self.pairs = names.read_pairs(await self.rest.public("AssetPairs"))
        for spec in self.specs:
            self._check_pair(spec)
        told = await self.rest.public("Time")
        self.clock.hear(int(told["unixtime"]) * NS)
        self._began_ns = self.clock.now_ns()

    async def _check_key(self) -> None:
        try:
            told = await self.rest.read("GetApiKeyInfo")
        except ApiError as error:
            if error.words.startswith(BAD_KEY):
                raise CannotTrade(f"Kraken does not accept the key: {error.words}") from None
            raise
        rights = set(told.get("permissions") or [])
        if rights & FORBIDDEN:
            found = ", ".join(sorted(rights & FORBIDDEN))
            raise CannotTrade(f"the key may {found}; make one at Kraken that cannot")
        if NEEDED - rights:
            missing = ", ".join(sorted(NEEDED - rights))
            raise CannotTrade(f"the key lacks {missing}; grant it at Kraken")

    def _check_pair(self, spec: MarketSpec) -> None:
        try:
            pair = names.choose(self.pairs, spec.symbol)
        except names.UnknownPair as error:
            raise CannotTrade(str(error)) from None
        ours, theirs = (spec.tick_size, spec.lot_size), (pair.tick_size, pair.lot_size)
        if any(mine % other for mine, other in zip(ours, theirs, strict=True)):
            raise CannotTrade(
                f"{spec.symbol}: Kraken has tick {theirs[0]} and lot {theirs[1]}, stored are "
                f"{ours[0]} and {ours[1]}; run sync_instruments"
            )

    async def submit(self, order: OrderRequest) -> str:
        """Place an order, or move the stop that rests; the venue's name of it.

        Raises:
            Refused: the venue or our own caps said no.
            NotSent: nothing left.
            OutcomeUnknown: it left, without a clear answer.
        """
        spec = self.specs[order.market]
        if order.purpose == Purpose.ENTRY and self.clock.now_ns() > order.deadline_ns:
            raise NotSent("its deadline has passed")
        self.caps.check(order, spec, last=self.last_prices.get(order.market, Decimal(0)))
        stop = self.known.stop_of(order.market)
        if order.purpose in STOPS and stop is not None:
            return await self._move(stop, order)
        if order.purpose == Purpose.EXIT and stop is not None:
            await self._take_away(stop)
        elif order.purpose == Purpose.REDUCE and stop is not None:
            await self._shrink(stop, order)
        return await self._place(order)

    async def _place(self, order: OrderRequest) -> str:
        spec = self.specs[order.market]
        pair = names.choose(self.pairs, spec.symbol)
        self.known.expect(order)
        now_ns = self.clock.now_ns()
        self._sent_ns[order.market, order.seq] = now_ns
        params = orders.add_params(order, spec, pair=pair.altname, deadline_ns=now_ns + DEADLINE_NS)
        try:
            result = await self.rest.act("AddOrder", **params)
        except FAILS as error:
            raise outcome_of(error) from None
        txids = result.get("txid") if isinstance(result, dict) else None
        if not txids:
            raise OutcomeUnknown("the answer names no order")
        return self.known.name(order, str(txids[0])).venue_id

    async def _move(self, stop: KnownOrder, order: OrderRequest) -> str:
        """Amend the resting stop: until the venue confirms, the old one protects."""
        spec = self.specs[order.market]
        self._sent_ns[order.market, order.seq] = self.clock.now_ns()
        params = orders.amend_params(order, spec, deadline_ns=self.clock.now_ns() + DEADLINE_NS)
        try:
            await self.rest.act("AmendOrder", txid=stop.venue_id, **params)
        except FAILS as error:
            raise outcome_of(error) from None
        return self.known.name(order, stop.venue_id).venue_id

    async def _take_away(self, stop: KnownOrder) -> None:
        """The stop keeps what an exit sells; it goes first, and only for an exit at once."""
        try:
            await self.rest.act("CancelOrder", txid=stop.venue_id)
        except ApiError as error:
            if not error.is_gone:
                raise NotSent(f"the stop could not be taken away: {error.words}") from None
            if await self._may_have_filled(stop):
                # Not refused: the core would ask for another stop before the news of this one came.
                raise OutcomeUnknown("its stop has filled, or may have") from None
        except (Unreached, NoAnswer) as error:
            raise NotSent(f"the stop could not be taken away: {error}") from None

    async def _may_have_filled(self, stop: KnownOrder) -> bool:
        try:
            told = await self.rest.read("QueryOrders", txid=stop.venue_id)
        except FAILS:
            return True  # sell nothing; its news will come
        return Decimal(str(told[stop.venue_id]["vol_exec"])) > 0

    async def _shrink(self, stop: KnownOrder, order: OrderRequest) -> None:
        """The stop lets go of what is to be sold, and protects the rest."""
        spec = self.specs[order.market]
        left = spec.lot_size * (stop.order.quantity_lots - order.quantity_lots)
        try:
            await self.rest.act("AmendOrder", txid=stop.venue_id, order_qty=orders.plain(left))
        except FAILS as error:
            raise NotSent(f"the stop could not be made smaller: {error}") from None

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order; False when it is not working, or nobody can tell."""
        known = self.known.of(market, seq)
        if known is None or known.is_over:
            return False
        try:
            await self.rest.act("CancelOrder", txid=known.venue_id)
        except FAILS as error:
            log.warning("cancel_failed", order=known.venue_id, why=str(error))
            return False
        return True

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What the venue says of an order whose outcome is not clear."""
        try:
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
        settled_ns = self._sent_ns.get(key, self._began_ns) + DEADLINE_NS + LAG_NS
        if self.clock.now_ns() < settled_ns:
            return Evidence(Known.UNDECIDED)
        self._absent[key] = self._absent.get(key, 0) + 1
        return Evidence(Known.ABSENT if self._absent[key] >= ABSENCES else Known.UNDECIDED)

    async def news(self, known: KnownOrder, told: Mapping[str, Any]) -> tuple[FillReport, ...]:
        """What an order's facts tell beyond what was told: its fills, and its end.

        Raises:
            ApiError, Unreached, NoAnswer: its trades cannot be had.
        """
        fresh = [one for one in told.get("trades") or [] if one not in self.known.told]
        reports: list[FillReport | None] = []
        spec = self.specs[known.order.market]
        for first in range(0, len(fresh), MOST_ASKED):
            page = fresh[first : first + MOST_ASKED]
            trades = await self.rest.read("QueryTrades", txid=",".join(page))
            found = [orders.rest_execution(one, trades[one], spec) for one in page if one in trades]
            found.sort(key=lambda execution: execution.time_ns)
            reports += [self.known.fill(known, execution) for execution in found]
        if told["status"] not in ("open", "pending"):
            reports.append(self.known.end(known, time_ns=self.clock.now_ns()))
        return tuple(report for report in reports if report is not None)

    async def catch_up(self) -> list[FillReport]:
        """News of every working order, by REST: what the stream did not tell.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        working, reports = self.known.working(), list[FillReport]()
        for first in range(0, len(working), MOST_ASKED):
            page = {one.venue_id: one for one in working[first : first + MOST_ASKED]}
            told = await self.rest.read("QueryOrders", txid=",".join(page), trades="true")
            for venue_id, known in page.items():
                if venue_id in told:
                    reports += await self.news(known, told[venue_id])
        return reports
