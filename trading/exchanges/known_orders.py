"""Orders of ours at a venue: by which name each side knows them, and what was told of them already."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from trading.core.codes import Purpose, Side
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.batches import OpenIntent
from trading.engine.execution import end_of
from trading.engine.messages import FillReport, OrderRequest
from trading.engine.orders import State
from trading.engine.sights import Resting, VenueOrder

STOPS = (Purpose.PROTECT, Purpose.MOVE_STOP)
UNCLEAR = (State.PLANNED, State.UNKNOWN)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill as a venue tells it, in its own numbers turned into ours.

    A fee in base is also told in lots, with the worth of one.
    """

    trade_id: str
    lots: int
    ticks: int
    fee_units: int
    fee: str
    fee_currency: str
    is_maker: bool
    time_ns: int
    price: str
    fee_lots: Decimal = Decimal(0)
    lot_value: Decimal = Decimal(0)


@dataclass(slots=True)
class KnownOrder:
    """A venue's order and the newest intent it carries out (a moved stop is still the same order)."""

    order: OrderRequest
    venue_id: str
    filled_lots: int = 0
    unbooked_lots: int = 0  # of them, whose news the engine has not taken up
    is_over: bool = False
    fee_lots: Decimal = Decimal(0)  # of its fees in base
    taken_lots: int = 0  # by them

    def take(self, execution: Execution) -> int:
        """Lots of a purchase that its fee took: of all its fills whole lots up, never all of one."""
        if self.order.side is not Side.BUY:
            return 0
        self.fee_lots += execution.fee_lots
        owed = int(self.fee_lots.to_integral_value(ROUND_CEILING)) - self.taken_lots
        lots = min(max(0, owed), execution.lots - 1)
        self.taken_lots += lots
        return lots


@dataclass(slots=True)
class KnownOrders:
    """All of one engine, and every trade that was told.

    ``leaving`` is what was sold and the engine has not booked, in lots by market, whichever way its
    news takes; ``doubtful`` are stops and sales that left without an answer: they may still arrive.
    """

    told: set[str] = field(default_factory=set)
    by_id: dict[str, KnownOrder] = field(default_factory=dict)
    leaving: Counter[int] = field(default_factory=Counter)
    doubtful: set[Key] = field(default_factory=set)
    _by_key: dict[Key, str] = field(default_factory=dict)
    _by_client: dict[str, OrderRequest] = field(default_factory=dict)

    def adopt(
        self, intents: Iterable[OpenIntent], booked: Iterable[str], *, open_: set[str]
    ) -> None:
        """What an earlier leader knew; the newest intent of an order says whether it is over."""
        self.told |= set(booked)
        for intent in intents:
            self.expect(intent.order)
            if intent.venue_order_id:
                known = self.name(intent.order, intent.venue_order_id)
                if known.order is intent.order:  # an older one of it says nothing of a moved stop
                    known.is_over = intent.state not in open_
            elif intent.state in UNCLEAR:
                self.doubt(intent.order)

    def expect(self, order: OrderRequest) -> None:
        """An order is about to be sent under its client order id."""
        self._by_client[order.client_order_id] = order

    def doubt(self, order: OrderRequest) -> None:
        """It may have been sent, and may arrive yet; an entry takes nothing from what is held.

        What the venue has named meanwhile, in its news of it, has arrived.
        """
        if order.purpose != Purpose.ENTRY and (order.market, order.seq) not in self._by_key:
            self.doubtful.add((order.market, order.seq))

    def is_doubtful(self, market: int) -> bool:
        """Whether something may come to sell there of which nobody knows."""
        return any(m == market for m, _ in self.doubtful)

    def name(self, order: OrderRequest, venue_id: str) -> KnownOrder:
        """The venue calls this order so, or goes on with an order it calls so."""
        known = self.by_id.setdefault(venue_id, KnownOrder(order, venue_id))
        if order.seq >= known.order.seq:
            known.order = order
        self._by_key[order.market, order.seq] = venue_id
        self.doubtful.discard((order.market, order.seq))
        return known

    def find(self, *, venue_id: str, client_id: str = "") -> KnownOrder | None:
        """An order of ours by either name; None for a stranger's."""
        if venue_id in self.by_id:
            return self.by_id[venue_id]
        order = self._by_client.get(client_id)
        return self.name(order, venue_id) if order else None

    def is_ours(self, *, venue_id: str, client_id: str) -> bool:
        """Whether an order is one of ours, by either name."""
        return venue_id in self.by_id or client_id in self._by_client

    def of(self, market: int, seq: int) -> KnownOrder | None:
        """The venue's order that carries out an intent."""
        venue_id = self._by_key.get((market, seq))
        return self.by_id[venue_id] if venue_id else None

    def working(self) -> list[KnownOrder]:
        """Orders whose end was not told."""
        return [known for known in self.by_id.values() if not known.is_over]

    def asked(self) -> dict[str, OrderRequest]:
        """What was asked last of each working order, by the venue's name of it."""
        return {known.venue_id: known.order for known in self.working()}

    def resting(
        self, asked: Mapping[str, OrderRequest], told: Iterable[tuple[VenueOrder, Decimal]]
    ) -> tuple[Resting, ...]:
        """The venue's words beside ``asked``, taken before they were asked for; not what was changed since."""
        now = self.asked()
        return tuple(
            Resting(asked[one.venue_order_id], one, filled)
            for one, filled in told
            if one.venue_order_id in asked
            and now.get(one.venue_order_id) is asked[one.venue_order_id]
        )

    def stop_of(self, market: int) -> KnownOrder | None:
        """The stop that rests for a market."""
        stops = [k for k in self.working() if k.order.market == market and k.order.purpose in STOPS]
        return stops[-1] if stops else None

    def fill(self, known: KnownOrder, execution: Execution) -> FillReport | None:
        """The news of a fill; None when it was told before."""
        if execution.trade_id in self.told:
            return None
        self.told.add(execution.trade_id)
        order, taken = known.order, known.take(execution)
        known.filled_lots += execution.lots
        known.unbooked_lots += execution.lots
        is_whole = known.filled_lots >= order.quantity_lots and not known.is_over
        known.is_over = known.is_over or is_whole
        if order.purpose != Purpose.ENTRY:
            self.leaving[order.market] += execution.lots
        return FillReport(
            market=order.market,
            intent_seq=order.seq,
            time_ns=execution.time_ns,
            purpose=int(order.purpose),
            side=int(order.side),
            quantity_lots=execution.lots,
            price_ticks=execution.ticks,
            fee_units=_charged(execution, order, taken),
            liquidity=int(execution.is_maker),
            reason=int(order.reason),
            final=int(is_whole),
            venue_order_id=known.venue_id,
            venue_trade_id=execution.trade_id,
            fee=execution.fee,
            fee_currency=execution.fee_currency,
            taken_lots=taken,
            price=execution.price,
        )

    def booked(self, report: FillReport) -> None:
        """The engine counts with it from now on."""
        if report.purpose != Purpose.ENTRY:
            self.leaving[report.market] -= report.quantity_lots
        if report.quantity_lots:
            self.by_id[report.venue_order_id].unbooked_lots -= report.quantity_lots

    def end(self, known: KnownOrder, *, time_ns: int) -> FillReport | None:
        """The news that nothing of an order is left working; None when it was told before."""
        if known.is_over:
            return None
        known.is_over = True
        return end_of(known.order, time_ns=time_ns, venue_order_id=known.venue_id)


def _charged(execution: Execution, order: OrderRequest, taken: int) -> int:
    """A fee in the core's units; in base of a purchase: the lots taken, at the price they were met.

    A fill without a fee of its own may take what those before it left owing.
    """
    if order.side is not Side.BUY:
        return execution.fee_units
    in_lots = int((execution.lot_value * taken * FEE_UNITS_PER_QUOTE).to_integral_value())
    return in_lots if execution.fee_lots else execution.fee_units + in_lots
