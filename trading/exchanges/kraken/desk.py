"""Places, amends and cancels orders at Kraken; the only place that sends them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from trading.core.codes import Purpose
from trading.engine.errors import NotSent, OutcomeUnknown
from trading.engine.messages import MarketSpec, OrderRequest
from trading.engine.sights import Holding, Sight
from trading.exchanges.caps import Caps
from trading.exchanges.failures import reading
from trading.exchanges.known_orders import STOPS, KnownOrder, KnownOrders
from trading.exchanges.kraken import names, orders, stops
from trading.exchanges.kraken.account import Account
from trading.exchanges.kraken.admission import check_key, check_pair
from trading.exchanges.kraken.counters import Tier
from trading.exchanges.kraken.dead_man import DeadMan, Protection
from trading.exchanges.kraken.endings import Endings
from trading.exchanges.kraken.errors import FAILS, outcome_of
from trading.exchanges.kraken.inquiry import DEADLINE_NS, Inquiry
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.roads import CountedRoad, RestRoad, Road
from trading.exchanges.kraken.rules import Rules
from trading.exchanges.kraken.socket_road import SocketRoad
from trading.exchanges.kraken.trading_rate import TradingRate
from trading.exchanges.listings import keep_tradable
from trading.exchanges.purse import Purse
from trading.exchanges.tables import OwnTable, Table
from trading.exchanges.venue_clock import VenueClock

NS = 1_000_000_000


@dataclass(slots=True)
class KrakenDesk:
    """The orders of one account; over its socket where a venue keeps that open, else by REST."""

    rest: KrakenRest
    specs: Sequence[MarketSpec]
    clock: VenueClock
    caps: Caps = field(default_factory=Caps)
    known: KnownOrders = field(default_factory=KnownOrders)
    inquiry: Inquiry = field(init=False)
    endings: Endings = field(init=False)
    last_prices: dict[int, Decimal] = field(default_factory=dict)
    pairs: dict[str, names.Pair] = field(default_factory=dict)
    wall_ns: Callable[[], int] | None = None
    socket: SocketRoad = field(default_factory=SocketRoad)
    prefers_socket: bool = True
    protection: Protection = Protection.STOPS
    dead_man: DeadMan = field(init=False)
    tier: Tier = Tier.STARTER
    passing_ns: Callable[[], int] | None = None  # a time that only passes; None: the venue's own
    rate: TradingRate = field(init=False)
    account: Account = field(init=False)
    purse: Purse = field(init=False)
    rules: Rules = field(init=False)
    table: Table | None = None  # None: read by ourselves
    _by_rest: RestRoad = field(init=False)

    def __post_init__(self) -> None:
        self._by_rest = RestRoad(self.rest)
        self.dead_man = DeadMan(self.rest, self.known, self.clock, self.protection)
        self.account = Account(self.rest, self.known, self.wall_ns)
        self.purse = Purse(self._count_money)
        symbols = [spec.symbol for spec in self.specs]
        now_ns = self.passing_ns or self.clock.now_ns
        self.rate = TradingRate(symbols=symbols, tier=self.tier, now_ns=now_ns)
        self.rules = Rules(self.table or OwnTable(self.rest, names.TABLE), self.specs, self.pairs)
        self.inquiry = Inquiry(self.rest, self.specs, self.clock, self.known)
        self.endings = Endings(self.inquiry, self.socket)

    @property
    def is_open(self) -> bool:
        """Whether everything was read and checked that must be before an order."""
        return self.inquiry.began_ns > 0

    async def open(self) -> None:
        """Read the table of pairs, the time, and what the key may.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
            CannotTrade: no pair is listed on a grid that fits, or the key has a right too few or too
                many; one clear sentence.
        """
        await check_key(self.rest)
        with reading("Kraken's table of pairs or its time"):
            self.pairs.update(names.read_pairs(await self.rules.table.whole()))
            keep_tradable(self.specs, lambda spec: check_pair(self.pairs, spec))
            self.clock.hear(int((await self.rest.public("Time"))["unixtime"]) * NS)
        await self.dead_man.turn_off()
        self.inquiry.began_ns = self.clock.now_ns()

    async def look(self) -> Sight:
        """How the account stands.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        sight = await self.account.look(self.pairs)
        self.purse.see(sight.holdings)
        return sight

    async def submit(self, order: OrderRequest) -> str:
        """Place an order, or move the stop that rests; the venue's name of it.

        Raises:
            Refused: the venue or our own caps said no.
            NotSent: nothing left.
            OutcomeUnknown: it left, without a clear answer.
        """
        spec = self.specs[order.market]
        if order.purpose == Purpose.ENTRY:
            if self.clock.now_ns() > order.deadline_ns:
                raise NotSent("its deadline has passed")
            if why := self.rules.closed_by(order.market):
                raise NotSent(f"nothing is entered now: {why}")
            self.rate.check_entry(order.market, working=self.known.working())
        else:
            self._check_sales(order)
        last = self.last_prices.get(order.market, Decimal(0))
        self.caps.check(order, spec, last=last)
        await self.purse.spend(order, spec, last=last)
        if order.purpose in STOPS:
            async with self.dead_man.kept_off():
                return await self._protect(order)
        if order.purpose == Purpose.ENTRY and order.price_ticks:
            async with self.dead_man.kept_on():
                return await self._place(self._road(), order)
        return await self._trade(order)

    def _check_sales(self, order: OrderRequest) -> None:
        """Nothing is offered that may have been sold.

        Raises:
            NotSent: it may.
        """
        if self.known.leaving[order.market]:
            raise NotSent("something was sold that is not booked yet")
        if self.known.is_doubtful(order.market):
            raise NotSent("a stop or a sale of it has no answer yet")

    async def _count_money(self) -> Mapping[str, Holding]:
        """For an entry, which is not waited for."""
        self.rest.calls.insist("BalanceEx")
        return await self.account.holdings()

    async def _protect(self, order: OrderRequest) -> str:
        stop, road = self.known.stop_of(order.market), self._road()
        if stop is not None:
            return await self._move(road, stop, order)
        if order.purpose == Purpose.MOVE_STOP:  # it may have filled; the core hears of it first
            raise NotSent("the stop that is to be moved does not rest any more")
        return await self._place(road, order)

    async def _trade(self, order: OrderRequest) -> str:
        """At the market; what rests for the position makes room first."""
        stop, road = self.known.stop_of(order.market), self._road()
        why = self.rules.closed_by(order.market)
        if stop is not None and why:
            raise NotSent(f"its stop stays, for nothing can be sold now: {why}")
        until_ns = self._until(order)  # or the next leader's stop would make room
        if order.purpose == Purpose.EXIT and stop is not None:
            await self.endings.take_away(road, stop, order)
        elif order.purpose == Purpose.REDUCE and stop is not None:
            await stops.shrink(road, self.specs[order.market], stop, order, deadline_ns=until_ns)
        return await self._place(road, order)

    def _road(self) -> Road:
        """The one road of all that an intent needs; when it ends on the way, the other is not taken."""
        is_socket = self.prefers_socket and self.socket.is_ready
        return CountedRoad(self.socket if is_socket else self._by_rest, self.rate, self._symbol_of)

    def _symbol_of(self, venue_id: str) -> str:
        return self.rate.symbols[self.known.by_id[venue_id].order.market]

    async def _place(self, road: Road, order: OrderRequest) -> str:
        spec, order = self.specs[order.market], self.rules.fit(order)  # terms change while we wait
        pair = self.pairs.get(spec.symbol)
        if pair is None:
            raise NotSent(f"{spec.symbol} is not listed")
        if order.purpose != Purpose.ENTRY:
            self._check_sales(order)  # again: what was awaited until now may have brought news
        self.known.expect(order)
        deadline_ns = self._deadline(order)
        params = orders.add_params(order, spec, pair=pair.altname, deadline_ns=deadline_ns)
        try:
            venue_id = await road.add(params, symbol=spec.symbol)
        except FAILS as error:
            raise self._doubted(order, outcome_of(error)) from None
        if not venue_id:
            raise self._doubted(order, OutcomeUnknown("the answer names no order"))
        return self.known.name(order, venue_id).venue_id

    def _deadline(self, order: OrderRequest) -> int:
        """Until when the venue may take an order that is sent now, which is noted.

        Raises:
            NotSent: that moment is over; this process hung.
        """
        deadline_ns = self._until(order)
        self.inquiry.sent_ns[order.market, order.seq] = self.clock.now_ns()
        return deadline_ns

    def _until(self, order: OrderRequest) -> int:
        now_ns = self.clock.now_ns()
        deadline_ns = order.send_by_ns or now_ns + DEADLINE_NS
        if now_ns >= deadline_ns:
            raise NotSent("it was planned too long ago")
        return deadline_ns

    async def _move(self, road: Road, stop: KnownOrder, order: OrderRequest) -> str:
        """Amend the resting stop: until the venue confirms, the old one protects."""
        spec, order = self.specs[order.market], self.rules.fit(order)  # idem
        params = orders.amend_params(order, spec, deadline_ns=self._deadline(order))
        try:
            await road.amend(stop.venue_id, params)
        except FAILS as error:
            raise self._doubted(order, outcome_of(error)) from None
        return self.known.name(order, stop.venue_id).venue_id

    def _doubted(self, order: OrderRequest, outcome: Exception) -> Exception:
        if isinstance(outcome, OutcomeUnknown):
            self.known.doubt(order)
        return outcome

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order; False when it is not working, or its end comes with its last fills."""
        known = self.known.of(market, seq)
        if known is None or known.is_over:
            return False
        return await self.endings.cancel(self._road(), known)
