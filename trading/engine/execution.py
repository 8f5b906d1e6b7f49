"""Intents -> orders; owns the unknown-order resolver."""

from collections.abc import Iterable

from trading.core.codes import Purpose
from trading.engine.batches import IntentState, OpenIntent
from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.engine.messages import FillReport, OrderRequest
from trading.engine.orders import OPEN_STATES, Event, State, advance
from trading.engine.ports import Venue

Key = tuple[int, int]


class Execution:
    """The open orders of one engine: sends what the journal holds, and settles what is unclear."""

    def __init__(self, *, venue: Venue) -> None:
        self._venue = venue
        self._orders: dict[Key, OrderRequest] = {}
        self._states: dict[Key, State] = {}

    def adopt(self, intents: Iterable[OpenIntent]) -> None:
        """Take over what the journal left open."""
        for intent in intents:
            key = (intent.order.market, intent.order.seq)
            self._orders[key] = intent.order
            self._states[key] = State(intent.state)

    def planned(self, order: OrderRequest) -> None:
        """Remember an order whose intent is about to be committed."""
        key = (order.market, order.seq)
        self._orders[key] = order
        self._states[key] = State.PLANNED

    @property
    def unresolved(self) -> set[int]:
        """Markets with an order whose outcome is unknown."""
        return {m for (m, _), state in self._states.items() if state is State.UNKNOWN}

    def working_entries(self) -> list[OrderRequest]:
        """Entries that may still fill."""
        return [order for order in self._orders.values() if order.purpose == Purpose.ENTRY]

    async def send(self, order: OrderRequest) -> list[IntentState]:
        """Send one committed order; the changes of the journal that follow from the answer."""
        try:
            venue_id = await self._venue.submit(order)
        except Refused as error:
            return [self._move(order, Event.REFUSED, reason=str(error))]
        except NotSent as error:
            return [self._move(order, Event.TOO_LATE, reason=f"not sent: {error}")]
        except OutcomeUnknown as error:
            return [self._move(order, Event.NO_ANSWER, reason=str(error))]
        changes = [self._move(order, Event.ACKNOWLEDGED, venue_id=venue_id)]
        replaced = self._orders.get((order.market, order.replaces_seq))
        if order.replaces_seq and replaced is not None:
            changes.append(self._move(replaced, Event.ENDED, reason=f"replaced by {order.seq}"))
        return changes

    async def resolve(self, *, market_ns: int) -> list[IntentState]:
        """Settle what was planned or unclear before a restart, oldest first.

        The venue is asked for the order first. Only an order it does not know, whose deadline has
        not passed, is sent; past the deadline it expires and is never sent late.
        """
        changes: list[IntentState] = []
        for key in sorted(self._orders):
            state = self._states.get(key)
            if state not in (State.PLANNED, State.UNKNOWN):
                continue
            order = self._orders[key]
            venue_id = self._venue.find(market=order.market, seq=order.seq)
            if venue_id is not None:
                changes.append(self._move(order, Event.ACKNOWLEDGED, venue_id=venue_id))
            elif market_ns > order.deadline_ns:
                changes.append(self._move(order, Event.TOO_LATE, reason="deadline passed"))
            elif state is State.PLANNED:
                changes.extend(await self.send(order))
        return changes

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
        event = Event.ENDED if report.final else Event.PARTLY_FILLED
        return [self._move(order, event, venue_id=report.venue_order_id)]

    def _move(
        self, order: OrderRequest, event: Event, *, reason: str = "", venue_id: str = ""
    ) -> IntentState:
        key = (order.market, order.seq)
        state = advance(self._states[key], event)
        self._states[key] = state
        if state not in OPEN_STATES:
            del self._orders[key], self._states[key]
        return IntentState(order.market, order.seq, state.value, reason, venue_id)


def ended_without_fill(
    order: OrderRequest, change: IntentState, *, time_ns: int
) -> FillReport | None:
    """The news for the core that an order of ours will not fill, or None while it may."""
    if change.state not in (State.REFUSED, State.EXPIRED) and not (
        change.state == State.DONE and order.purpose == Purpose.ENTRY
    ):
        return None
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
        venue_order_id="",
        venue_trade_id="",
    )
