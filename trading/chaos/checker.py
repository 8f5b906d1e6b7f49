"""The judge: the venue's own log against our books. It never asks the engine what it believes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
NEVER_SENT = ("REFUSED", "EXPIRED")
UNSETTLED = ("PLANNED", "UNKNOWN")
STOPS = ("stop-loss", "stop-limit")
SWITCH = "Dead man's switch"  # as the venue's log says
LONGEST_NAKED_SECONDS = 120.0  # of the venue's time, which moves in steps of twenty seconds

Event = Mapping[str, Any]
Booked = tuple[str, Decimal, Decimal, Decimal]  # side, quantity, price, fee


@dataclass(frozen=True, slots=True)
class Books:
    """What our journal says: intents by client order id, fills by the venue's trade id."""

    states: Mapping[str, str]
    epochs: Mapping[str, int]
    fills: Sequence[tuple[str, Booked]]
    position: Decimal
    dust: Decimal = ZERO  # written off: the venue holds it, no stop covers it
    cash: Decimal | None = None  # quote currency; None where it is not kept
    imbalance: Decimal = ZERO  # of all postings of any one event
    rounding: Decimal = ZERO  # what fees in base may have left with the customer: parts of lots


@dataclass(slots=True)
class Resting:
    """One order as the log tells it."""

    side: str
    kind: str
    quantity: Decimal
    filled: Decimal = ZERO
    is_open: bool = True
    is_triggered: bool = False  # a stop with a limit is a mere limit order from then on

    @property
    def left(self) -> Decimal:
        return self.quantity - self.filled if self.is_open else ZERO

    @property
    def protects(self) -> bool:
        """Whether a falling price lets it sell."""
        return self.kind in STOPS and not self.is_triggered


@dataclass(slots=True)
class Replay:
    """The log played again: what was held, offered and covered at every moment."""

    dust: Decimal = ZERO
    rounding: Decimal = ZERO
    position: Decimal = ZERO
    orders: dict[str, Resting] = field(default_factory=dict)
    oversold: bool = False
    naked_ns: int = 0
    _naked_since: int = 0

    def play(self, event: Event) -> None:
        """One event of one customer."""
        match event["kind"]:
            case "order":
                quantity = Decimal(event["quantity"])
                self.orders[event["order_id"]] = Resting(event["side"], event["type"], quantity)
            case "amend" if event["order_id"] in self.orders:
                self.orders[event["order_id"]].quantity = Decimal(event["quantity"])
            case "fill" if event["order_id"] in self.orders:
                self._fill(self.orders[event["order_id"]], event)
            case "trigger" if event["order_id"] in self.orders:
                self.orders[event["order_id"]].is_triggered = True
            case "end" if event["order_id"] in self.orders:
                self.orders[event["order_id"]].is_open = False
            case _:
                return
        self._look(int(event["at_ns"]))

    def _fill(self, order: Resting, event: Event) -> None:
        quantity = Decimal(event["quantity"])
        order.filled += quantity
        order.is_open = order.filled < order.quantity
        self.position += quantity if order.side == "buy" else -quantity
        if event["fee_asset"] == event["symbol"].split("/")[0]:
            self.position -= Decimal(event["fee"])

    def _look(self, at_ns: int) -> None:
        offered = sum((o.left for o in self.orders.values() if o.side == "sell"), ZERO)
        self.oversold = self.oversold or offered > self.position
        if self.position - self.dust - self.rounding > self.covered:
            self._naked_since = self._naked_since or at_ns
            self.naked_ns = max(self.naked_ns, at_ns - self._naked_since)
        else:
            if self._naked_since:
                self.naked_ns = max(self.naked_ns, at_ns - self._naked_since)
            self._naked_since = 0

    @property
    def covered(self) -> Decimal:
        """What resting stops would sell."""
        return sum((o.left for o in self.orders.values() if o.protects), ZERO)


def replay(oracle: Sequence[Event], books: Books) -> Replay:
    """The log with the orders of our journal alone."""
    told, ours = Replay(books.dust, books.rounding), books.states
    mine = {e["order_id"] for e in oracle if e["kind"] == "order" and e["client_id"] in ours}
    for event in oracle:
        if event.get("order_id") in mine:
            told.play(event)
    return told


def compare(
    oracle: Sequence[Event],
    books: Books,
    *,
    funds: Decimal = ZERO,
    foreign: Sequence[str] = (),
    is_settled: bool = True,
) -> list[str]:
    """Every difference in words; empty when the books are right.

    Args:
        oracle: the venue's log of one account.
        books: what our journal says.
        funds: quote currency deposited, to check ``books.cash``.
        foreign: client ids of orders that are not ours.
        is_settled: whether everything has ended that was on its way.
    """
    found = [*_orders(oracle, books, foreign), *_paused(oracle, foreign), *_switched(oracle)]
    told = replay(oracle, books)
    if told.oversold:
        found.append("more was offered for sale than was bought")
    if told.naked_ns > LONGEST_NAKED_SECONDS * 1e9:
        found.append(f"a position was without a stop for {told.naked_ns / 1e9:.0f} s")
    if is_settled:
        found += [*_fills(oracle, books, foreign), *_ending(told, books)]
    if books.imbalance:
        found.append(f"postings of one event do not sum to zero but to {books.imbalance}")
    if is_settled and books.cash is not None:
        right = funds + sum((_cash_of(booked) for _, booked in books.fills), ZERO)
        if books.cash != right:
            found.append(f"cash is {books.cash}, the fills make it {right}")
    return found


def _orders(oracle: Sequence[Event], books: Books, foreign: Sequence[str]) -> Iterator[str]:
    sent = [e["client_id"] for e in oracle if e["kind"] == "order"]
    epoch = 0
    refused = sum(event["kind"] == "invalid_nonce" for event in oracle)
    if refused:
        yield f"{refused} requests had a nonce that was used or passed"
    for client_id, times in Counter(sent).items():
        if times > 1:
            yield f"order {client_id} was placed {times} times"
    for client_id in dict.fromkeys(sent):
        if client_id in foreign:
            continue
        state = books.states.get(client_id)
        if state is None:
            yield f"order {client_id} has no committed intent"
        elif state in NEVER_SENT:
            yield f"order {client_id} was taken, our journal says {state}"
        if books.epochs.get(client_id, epoch) < epoch:
            yield f"order {client_id} of an epoch that was over came after a later one's"
        epoch = max(epoch, books.epochs.get(client_id, 0))


def _fills(oracle: Sequence[Event], books: Books, foreign: Sequence[str]) -> Iterator[str]:
    theirs = {
        e["trade_id"]: (
            str(e["side"]).upper(),
            Decimal(e["quantity"]),
            Decimal(e["price"]),
            Decimal(e["fee"]),
        )
        for e in oracle
        if e["kind"] == "fill" and e["client_id"] not in foreign
    }
    for trade_id, times in Counter(one for one, _ in books.fills).items():
        if times > 1:
            yield f"fill {trade_id} was booked {times} times"
    ours = dict(books.fills)
    for trade_id in theirs.keys() - ours.keys():
        yield f"fill {trade_id} was lost"
    for trade_id in ours.keys() - theirs.keys():
        yield f"fill {trade_id} never happened"
    for trade_id in ours.keys() & theirs.keys():
        if ours[trade_id] != theirs[trade_id]:
            yield f"fill {trade_id} is {_plain(ours[trade_id])}, was {_plain(theirs[trade_id])}"


def _ending(told: Replay, books: Books) -> Iterator[str]:
    held = told.position - books.dust
    if not 0 <= held - books.position <= books.rounding:
        yield f"the position is {books.position}, the venue holds {held} beside what is dust"
    if told.covered != books.position:
        yield f"{books.position} held, {told.covered} covered by stops"
    for client_id, state in books.states.items():
        if state in UNSETTLED:
            yield f"intent {client_id} is still {state}"


def _paused(oracle: Sequence[Event], foreign: Sequence[str]) -> Iterator[str]:
    """After a person's pause was confirmed nothing is bought until the end."""
    is_paused = False
    for event in oracle:
        is_paused = is_paused or (event["kind"] == "note" and event["words"] == "paused")
        bought = event["kind"] == "order" and event["side"] == "buy"
        if is_paused and bought and event["client_id"] not in foreign:
            yield f"order {event['client_id']} bought while a person had paused"


def _switched(oracle: Sequence[Event]) -> Iterator[str]:
    """No stop ever rests under the venue's dead-man switch, whoever's it is."""
    stops, on_until_ns = set[str](), 0
    for event in oracle:
        at_ns = int(event["at_ns"])
        match event["kind"]:
            case "dead_man":
                on_until_ns = int(event["until_ns"])
                if stops and on_until_ns:
                    yield f"the dead-man switch was turned on over stop {min(stops)}"
            case "order" if event["type"] in STOPS:
                stops.add(event["order_id"])
                if on_until_ns > at_ns:
                    yield f"stop {event['order_id']} was placed under the dead-man switch"
            case "end":
                if event["order_id"] in stops and event["reason"] == SWITCH:
                    yield f"stop {event['order_id']} was cancelled by the dead-man switch"
                stops.discard(event["order_id"])
            case "fill":
                stops.discard(event["order_id"])


def _cash_of(booked: Booked) -> Decimal:
    side, quantity, price, fee = booked
    return (-quantity if side == "BUY" else quantity) * price - fee


def _plain(booked: Booked) -> str:
    return " ".join(str(one) for one in booked)
