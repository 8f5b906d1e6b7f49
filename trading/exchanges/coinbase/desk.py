"""Places and cancels orders at Coinbase; the only place that sends them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from trading.core.codes import Purpose, Side
from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.engine.messages import MarketSpec, OrderRequest
from trading.engine.sights import Sight
from trading.exchanges.caps import Caps
from trading.exchanges.coinbase import names, orders
from trading.exchanges.coinbase.account import Account
from trading.exchanges.coinbase.admission import check_key, check_product
from trading.exchanges.coinbase.cancels import Cancels
from trading.exchanges.coinbase.errors import FAILS, outcome_of, refusal
from trading.exchanges.coinbase.inquiry import Inquiry
from trading.exchanges.coinbase.rest import CoinbaseRest, segment
from trading.exchanges.coinbase.rules import Rules
from trading.exchanges.known_orders import STOPS, KnownOrder, KnownOrders
from trading.exchanges.listings import keep_tradable
from trading.exchanges.purse import Purse
from trading.exchanges.tables import OwnTable, Table
from trading.exchanges.venue_clock import VenueClock

SALES = (Purpose.EXIT, Purpose.REDUCE)


@dataclass(slots=True)
class CoinbaseDesk:
    """The orders of one account."""

    rest: CoinbaseRest
    specs: Sequence[MarketSpec]
    clock: VenueClock
    caps: Caps = field(default_factory=Caps)
    known: KnownOrders = field(default_factory=KnownOrders)
    inquiry: Inquiry = field(init=False)
    cancels: Cancels = field(init=False)
    last_prices: dict[int, Decimal] = field(default_factory=dict)
    wall_ns: Callable[[], int] | None = None
    account: Account = field(init=False)
    purse: Purse = field(init=False)
    rules: Rules = field(init=False)
    table: Table | None = None  # None: read by ourselves

    def __post_init__(self) -> None:
        self.inquiry = Inquiry(self.rest, self.specs, self.clock, self.known)
        table = self.table or OwnTable(self.rest, names.PRODUCTS)
        self.rules = Rules(table, self.specs, self.inquiry.products)
        self.cancels = Cancels(self.rest, self.inquiry)
        self.account = Account(self.inquiry, self.wall_ns)
        self.purse = Purse(self.account.money)

    @property
    def is_open(self) -> bool:
        """Whether everything was read and checked that must be before an order."""
        return self.inquiry.began_ns > 0

    async def open(self) -> None:
        """Read the time, what the key may, and the list of products.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
            CannotTrade: no product can be traded, or the key has a right too few or too many.
        """
        await self.rest.time_ns()
        await check_key(self.rest)
        products = names.read_list(await self.rules.table.whole())
        keep_tradable(self.specs, lambda spec: check_product(products, spec))
        self.inquiry.products.update(products)
        self.inquiry.began_ns = self.clock.now_ns()

    async def look(self) -> Sight:
        """How the account stands.

        Raises:
            ApiError, Unreached, NoAnswer: it cannot be had.
        """
        sight = await self.account.look()
        self.purse.see(sight.holdings)
        return sight

    async def submit(self, order: OrderRequest) -> str:
        """Place an order, or one in the place of the stop that rests; the venue's name of it.

        Raises:
            Refused: the venue or our own caps said no.
            NotSent: nothing left.
            OutcomeUnknown: it left, without a clear answer.
        """
        spec = self.specs[order.market]
        if spec.symbol not in self.inquiry.products:
            raise NotSent(f"{spec.symbol} is not listed")
        now_ns = self.clock.now_ns()
        if order.purpose == Purpose.ENTRY and now_ns > order.deadline_ns:
            raise NotSent("its deadline has passed")
        if order.send_by_ns and now_ns >= order.send_by_ns:  # this process hung
            raise NotSent("it was planned too long ago")
        last = self.last_prices.get(order.market, Decimal(0))
        self.caps.check(order, spec, last=last)
        await self.purse.spend(order, spec, last=last)
        if order.purpose == Purpose.ENTRY:
            await self._check_product(spec)
            return await self._place(order)
        if self.known.is_doubtful(order.market):
            raise NotSent("a stop or a sale of it has no answer yet")
        if order.purpose in STOPS:
            return await self._protect(order)
        self._what_is_left(order)
        if (stop := self.known.stop_of(order.market)) is not None:
            await self._take_away(stop, order)
        return await self._place(order)

    async def _protect(self, order: OrderRequest) -> str:
        for sale in self.known.working():
            if sale.order.market == order.market and sale.order.purpose in SALES:
                await self.cancels.outlast(sale)
        stop = self.known.stop_of(order.market)
        return await (self._move(stop, order) if stop else self._place(order))

    def _what_is_left(self, order: OrderRequest) -> OrderRequest:
        """What of it may be offered now: less what was sold and the engine has not booked.

        A stop is made smaller, for the core counts on what it sells in the same step until it is told.

        Raises:
            OutcomeUnknown: nothing, or it is for the core to say.
        """
        sold = self.known.leaving[order.market]
        if sold and order.purpose in SALES:
            self._hold_back(order, None, "something was sold that is not booked yet")
        if sold >= order.quantity_lots:
            self._hold_back(order, None, "all of it was sold, which is not booked yet")
        return msgspec.structs.replace(order, quantity_lots=order.quantity_lots - sold)

    async def _check_product(self, spec: MarketSpec) -> None:
        """Nothing is begun where a position could not be ended."""
        product_id = self._product_id(spec)
        try:
            self.rest.calls.insist()
            told = await self.rest.read_at_once(f"/products/{segment(product_id)}")
            product = names.read_product(told)
        except (*FAILS, KeyError, ArithmeticError, ValueError) as error:
            raise NotSent(f"{product_id} could not be looked at: {error}") from None
        if product.limited_by:
            raise Refused(f"{product_id}: {product.limited_by}")

    def _product_id(self, spec: MarketSpec) -> str:
        return names.choose(self.inquiry.products, spec.symbol).product_id

    async def _place(self, order: OrderRequest) -> str:
        """How much is decided here and not before: what was awaited until now may have brought news."""
        spec = self.specs[order.market]
        if order.purpose != Purpose.ENTRY:
            order = self._what_is_left(order)
        self.known.expect(order)
        self.inquiry.sent_ns[order.market, order.seq] = self.clock.now_ns()
        step = self.rules.step(order.market)
        body = orders.create_body(order, spec, product_id=self._product_id(spec), step=step)
        try:
            told = await self.rest.act("/orders", body, until_ns=order.send_by_ns)
        except FAILS as error:
            raise self._doubted(order, outcome_of(error)) from None
        if told.get("success") is not True:
            raise self._doubted(order, outcome_of(refusal(told)))
        named = told.get("success_response") or told
        venue_id = named.get("order_id") if isinstance(named, dict) else None
        if not venue_id:
            raise self._doubted(order, OutcomeUnknown("the answer names no order"))
        return self.known.name(order, str(venue_id)).venue_id

    def _doubted(self, order: OrderRequest, outcome: Exception) -> Exception:
        if isinstance(outcome, OutcomeUnknown):
            self.known.doubt(order)
        return outcome

    async def _move(self, stop: KnownOrder, order: OrderRequest) -> str:
        """Another stop in the place of the one that rests (docs/adr/0015)."""
        spec = self.specs[order.market]
        trigger = spec.tick_size * order.price_ticks
        last = self.last_prices.get(order.market, trigger)
        if (last - trigger) * (1 if order.side is Side.SELL else -1) < 0:
            raise Refused(f"stop: {trigger} is past the last price, {last}; the old one rests")
        try:
            facts = await self.inquiry.facts(stop.venue_id)
            rests = not orders.read_order(facts).is_over
        except FAILS as error:
            raise NotSent(f"the stop could not be looked at: {error}") from None
        left, step = self._what_is_left(order), self.rules.step(order.market)
        if rests and orders.rests_as_asked(facts, left, spec, step=step):
            return self.known.name(order, stop.venue_id).venue_id
        await self._take_away(stop, order)
        return await self._place(order)

    async def _take_away(self, stop: KnownOrder, order: OrderRequest) -> None:
        """The stop keeps what ``order`` is to sell or protect: it goes first, and surely.

        Raises:
            NotSent: it may still rest. OutcomeUnknown: it has sold, which the engine must book first.
        """
        if why := self.rules.closed_by(order.market):
            raise NotSent(f"the stop stays, for nothing can take its place now: {why}")
        had_left = self.known.leaving[order.market]
        self.inquiry.quiet.add(stop.venue_id)
        try:
            has_filled = await self.cancels.end(stop)
        except FAILS as error:
            raise NotSent(f"the stop could not be taken away: {error}") from None
        finally:
            self.inquiry.quiet.discard(stop.venue_id)
        if order.purpose == Purpose.REDUCE:
            stop.is_over = True  # the core goes on with it, asks for the rest once this has sold
        elif end := self.known.end(stop, time_ns=self.clock.now_ns()):
            self.inquiry.tell(end)
        if has_filled or self.known.leaving[order.market] > had_left:
            self._hold_back(order, stop, "its stop has filled")

    def _hold_back(self, order: OrderRequest, stop: KnownOrder | None, why: str) -> None:
        """Not refused: the core would ask for another before the news of what was sold came."""
        self.inquiry.unsent[order.market, order.seq] = stop
        raise OutcomeUnknown(why)

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order; False when it is not working, or its end comes with its last fills."""
        known = self.known.of(market, seq)
        if known is None or known.is_over:
            return False
        return await self.cancels.cancel(known)
