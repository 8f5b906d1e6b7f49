"""Intents -> orders: what is open, what its outcome is, and what follows for the journal."""

from collections.abc import Iterable
from dataclasses import replace

from msgspec import structs

from trading.core.codes import Purpose
from trading.engine.batches import Evidence, IntentState, Known, OpenIntent, Sent
from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.engine.messages import FillReport, OrderRequest
from trading.engine.orders import OPEN_STATES, Event, State, advance
from trading.engine.ports import Clock, Venue
from trading.engine.tempo import Tempo

Key = tuple[int, int]
STOPS = (Purpose.PROTECT, Purpose.MOVE_STOP)
NS_PER_SECOND = 1_000_000_000
SEND_WITHIN_NS = 10_000_000_000  # a process that hung between commit and wire sends nothing late


class Execution:
    """The open orders of one engine: sends what the journal holds, and settles what is unclear."""

    def __init__(self, *, venue: Venue, clock: Clock, tempo: Tempo) -> None:
        self._venue = venue
        self._tempo = tempo
        self._clock = clock
        self._orders: dict[Key, OrderRequest] = {}
        self._states: dict[Key, State] = {}
        self._venue_ids: dict[Key, str] = {}

    def adopt(self, intents: Iterable[OpenIntent]) -> None:
        """Take over what the journal left open."""
        for intent in intents:
            key = (intent.order.market, intent.order.seq)
            self._orders[key] = intent.order
            self._states[key] = State(intent.state)
            if intent.venue_order_id:
                self._venue_ids[key] = intent.venue_order_id

    def planned(self, order: OrderRequest) -> None:
        """Remember an order whose intent is about to be committed."""
        key = (order.market, order.seq)
        self._orders[key] = order
        self._states[key] = State.PLANNED

    @property
    def unresolved(self) -> set[int]:
        """Markets with an order whose outcome is unknown."""
        return {m for (m, _), state in self._states.items() if state is State.UNKNOWN}

    def unclear(self) -> list[OrderRequest]:
        """Orders that may have been sent without a clear answer, oldest first."""
        wanted = (State.PLANNED, State.UNKNOWN)
        return [self._orders[key] for key in sorted(self._orders) if self._states[key] in wanted]

    def has_open(self, market: int) -> bool:
        """Whether an order of this market works, or may."""
        return any(m == market for m, _ in self._orders)

    def is_unclear(self, order: OrderRequest) -> bool:
        """Whether it still is."""
        return self._states.get((order.market, order.seq)) in (State.PLANNED, State.UNKNOWN)

    def is_working(self, order: OrderRequest) -> bool:
        """Whether it does, as far as the venue has said."""
        return self._states.get((order.market, order.seq)) is State.WORKING

    def open(self) -> list[OrderRequest]:
        """Every order that has not ended, oldest first."""
        return [self._orders[key] for key in sorted(self._orders)]

    def working_entries(self) -> list[OrderRequest]:
        """Entries that may still fill."""
        return [order for order in self._orders.values() if order.purpose == Purpose.ENTRY]

    @property
    def awaits_fills(self) -> bool:
        """Whether an entry or exit works."""
        return any(order.purpose not in STOPS for order in self._orders.values())

    async def send(self, order: OrderRequest, *, now_ns: int) -> list[IntentState]:
        """Send one committed order; the changes of the journal that follow from the answer.

        After a slow commit an entry is old, and what protects has as long as ever: we lead still. So
        has what an earlier leader planned: until when it was to be sent is not journalled.
        """
        if self._tempo.is_slow() and order.purpose == Purpose.ENTRY:
            return [self._move(order, Event.TOO_LATE, reason=f"not sent: {self._tempo.words}")]
        if self._tempo.is_slow() or not order.send_by_ns:
            order = structs.replace(order, send_by_ns=now_ns + SEND_WITHIN_NS)
        at_ns, begun = self._clock.now_ns(), self._clock.monotonic()
        try:
            venue_id = await self._venue.submit(order)
        except Refused as error:
            return [self._move(order, Event.REFUSED, reason=str(error))]
        except NotSent as error:
            return [self._move(order, Event.TOO_LATE, reason=f"not sent: {error}")]
        except OutcomeUnknown as error:
            return [self._move(order, Event.NO_ANSWER, reason=str(error))]
        took_ns = round((self._clock.monotonic() - begun) * NS_PER_SECOND)
        return self._acknowledged(order, venue_id, sent=Sent(at_ns, at_ns + took_ns))

    def _acknowledged(
        self, order: OrderRequest, venue_id: str, *, sent: Sent | None = None
    ) -> list[IntentState]:
        moved = self._move(order, Event.ACKNOWLEDGED, venue_id=venue_id)
        return [replace(moved, sent=sent), *self._replace(order, venue_id)]

    def _replace(self, order: OrderRequest, venue_id: str) -> list[IntentState]:
        """End what an order took the place of: what it says, and whatever the venue's same order carried out.

        A stop that is asked for anew is moved where one rests, and may name nothing that it replaces.
        """
        older = [
            one
            for key, one in self._orders.items()
            if one.market == order.market
            and one.seq < order.seq
            and (one.seq == order.replaces_seq or self._venue_ids.get(key) == venue_id)
        ]
        return [self._move(one, Event.ENDED, reason=f"replaced by {order.seq}") for one in older]

    async def settle(
        self, order: OrderRequest, evidence: Evidence, *, market_ns: int
    ) -> list[IntentState]:
        """What the venue's word on an unclear order means for the journal.

        Only an order that was planned, of which the venue proves that it never came, and whose
        deadline has not passed, is sent; past the deadline it expires and is never sent late. One
        whose sending had begun is never sent a second time. (Its news is booked by the caller.)
        """
        state = self._states[order.market, order.seq]
        match evidence.known:
            case Known.WORKING:
                return self._acknowledged(order, evidence.venue_order_id)
            case Known.UNDECIDED if state is State.PLANNED:
                return [self._move(order, Event.NO_ANSWER, reason="it may have been sent")]
            case Known.ABSENT if state is State.PLANNED and market_ns <= order.deadline_ns:
                return await self.send(order, now_ns=market_ns)
            case Known.ABSENT:
                return [self._move(order, Event.TOO_LATE, reason="never reached the venue")]
        return []

    async def cancel(self, order: OrderRequest, *, reason: str) -> list[IntentState]:
        """Cancel a working order; nothing changes when the venue no longer has it."""
        if await self._venue.cancel(market=order.market, seq=order.seq):
            return [self._move(order, Event.ENDED, reason=reason)]
        return []

    def report(self, report: FillReport) -> list[IntentState]:
        """What the venue's news means for the order it is about."""
        order = self._orders.get((report.market, report.intent_seq))
        if order is None:
            return []
        if not report.final:
            return [self._move(order, Event.PARTLY_FILLED, venue_id=report.venue_order_id)]
        ended = self._move(order, Event.ENDED, venue_id=report.venue_order_id)
        return [ended, *self._replace(order, report.venue_order_id)]

    def _move(
        self, order: OrderRequest, event: Event, *, reason: str = "", venue_id: str = ""
    ) -> IntentState:
        key = (order.market, order.seq)
        state = advance(self._states[key], event)
        self._states[key] = state
        if venue_id:
            self._venue_ids[key] = venue_id
        if state not in OPEN_STATES:
            del self._orders[key], self._states[key]
            self._venue_ids.pop(key, None)
        return IntentState(order.market, order.seq, state.value, reason, venue_id)


def ended_without_fill(
    order: OrderRequest, change: IntentState, *, time_ns: int
) -> FillReport | None:
    """The news for the core that an order of ours will not fill, or None while it may."""
    if change.state not in (State.REFUSED, State.EXPIRED) and not (
        change.state == State.DONE and order.purpose == Purpose.ENTRY
    ):
        return None
    return end_of(order, time_ns=time_ns)


def end_of(order: OrderRequest, *, time_ns: int, venue_order_id: str = "") -> FillReport:
    """An order's end without a (further) fill."""
    return FillReport(
        market=order.market,
        intent_seq=order.seq,
        time_ns=time_ns,
        purpose=int(order.purpose),
        side=int(order.side),
        quantity_lots=0,
        price_ticks=0,
        fee_units=0,
        liquidity=0,
        reason=int(order.reason),
        final=1,
        venue_order_id=venue_order_id,
        venue_trade_id="",
    )
