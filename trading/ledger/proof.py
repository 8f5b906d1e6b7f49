"""Proves an account's books by themselves: postings and positions follow from the fills alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from trading.core.codes import Purpose
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.models import Fill, LedgerEntry, Order, Position

STORED = Decimal(1).scaleb(-18)  # what a column keeps
EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
ROWS_AT_ONCE = 1000
ZERO = Decimal(0)


class Kind(StrEnum):
    """How our books and what they should be differ."""

    LOST = "lost"
    DOUBLED = "doubled"
    FOREIGN = "foreign"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, in words."""

    kind: Kind
    what: str
    words: str


@dataclass(slots=True)
class Holding:
    """A position as the fills alone make it."""

    side: str
    quantity: Decimal
    entry_price: Decimal
    fees: Decimal
    realized_pnl: Decimal
    opened_at: datetime
    exit_price: Decimal | None = None
    closed_at: datetime | None = None
    dust_quantity: Decimal = ZERO
    dust_cost: Decimal = ZERO


COMPARED = ("side", "quantity", "entry_price", "exit_price", "fees", "realized_pnl", "opened_at",
            "closed_at", "dust_quantity", "dust_cost")  # fmt: skip
Lines = Counter[tuple[str, str, Decimal]]


def prove_books(account_id: UUID) -> Iterator[Difference]:
    """Every difference within the books of an account; while the tenant's scope is open."""
    replayed = _replay(account_id)
    yield from _prove_postings(account_id, replayed.dust)
    yield from _prove_orders(account_id)
    yield from _prove_positions(account_id, replayed)


def stored(value: Decimal) -> Decimal:
    """A number as the database keeps it."""
    return EXACT.quantize(value, STORED)


def fee_in_quote(fill: Fill) -> Decimal:
    """A fee in the quote currency, to the engine's unit; nobody knows the worth of a third asset."""
    instrument = fill.order.intent.instrument
    paid = fill.fee if fill.fee_currency == instrument.quote else ZERO
    if fill.fee_currency == instrument.base != instrument.quote:
        lost = fill.taken if fill.side == "BUY" else fill.fee
        paid = EXACT.multiply(lost, fill.price)
    units = EXACT.multiply(paid, Decimal(FEE_UNITS_PER_QUOTE)).to_integral_value()
    return units / FEE_UNITS_PER_QUOTE


def expected_postings(fill: Fill) -> Lines:
    """The lines a fill is booked with."""
    instrument = fill.order.intent.instrument
    base = fill.quantity if fill.side == "BUY" else -fill.quantity
    quote = stored(EXACT.multiply(-base, fill.price))
    lines = [
        ("ASSETS", instrument.base, base),
        ("TRADING", instrument.base, -base),
        ("ASSETS", instrument.quote, quote),
        ("TRADING", instrument.quote, -quote),
    ]
    if fill.fee:
        lines += [("ASSETS", fill.fee_currency, -fill.fee), ("FEES", fill.fee_currency, fill.fee)]
    return Counter((book, currency, stored(amount)) for book, currency, amount in lines)


def _fills(account_id: UUID) -> Iterator[Fill]:
    """In the order they were booked."""
    chosen = Fill.objects.filter(account=account_id).select_related("order__intent__instrument")
    return chosen.order_by("id").iterator(chunk_size=ROWS_AT_ONCE)


def _prove_postings(account_id: UUID, dust: Mapping[int, Lines]) -> Iterator[Difference]:
    booked: dict[int | None, Lines] = defaultdict(Counter)
    entries = LedgerEntry.objects.filter(account=account_id).exclude(fill=None)
    lines = entries.values_list("fill", "book", "currency", "amount")
    for number, book, currency, amount in lines.iterator(chunk_size=ROWS_AT_ONCE):
        booked[number][book, currency, stored(amount)] += 1
    for fill in _fills(account_id):
        expected = expected_postings(fill) + dust.get(fill.pk, Counter())
        found = booked.pop(fill.pk, Counter())
        name = f"fill {fill.venue_trade_id}"
        for book, currency, amount in (expected - found).elements():
            yield Difference(Kind.LOST, name, f"no posting of {amount:f} {currency} on {book}")
        for book, currency, amount in (found - expected).elements():
            words = f"a posting of {amount:f} {currency} on {book} that does not follow from it"
            yield Difference(Kind.FOREIGN, name, words)
    loose = LedgerEntry.objects.filter(account=account_id, fill=None)
    for entry in loose.filter(Q(book="TRADING") | Q(book="FEES")).order_by("id"):
        words = f"{entry} belongs to no fill"
        yield Difference(Kind.FOREIGN, f"posting {entry.posting}", words)


def _prove_orders(account_id: UUID) -> Iterator[Difference]:
    """What an order says it filled is what its fills say."""
    orders = Order.objects.filter(intent__bot__account=account_id).annotate(
        booked=Sum("fills__quantity")
    )
    for order in orders.order_by("id").iterator(chunk_size=ROWS_AT_ONCE):
        booked = order.booked or ZERO
        if order.filled_quantity != booked:
            words = f"says it filled {order.filled_quantity:f}, its fills say {booked:f}"
            yield Difference(Kind.DIFFERENT, f"order {order.venue_order_id}", words)


def _prove_positions(account_id: UUID, told: "Replayed") -> Iterator[Difference]:
    replayed = told.holdings
    yield from told.impossible
    held: dict[tuple[UUID, int], list[Position]] = defaultdict(list)
    rows = Position.objects.filter(bot__account=account_id)
    for row in rows.order_by("opened_at", "closed_at", "id"):
        held[row.bot_id, row.instrument_id].append(row)
    for key in sorted(held.keys() | replayed.keys(), key=str):
        ours, theirs = held.get(key, []), replayed.get(key, [])
        for row, holding in zip(ours, theirs, strict=False):
            yield from _compare(row, holding)
        for row in ours[len(theirs) :]:
            yield Difference(Kind.FOREIGN, f"position {row.id}", "follows from no fill")
        for holding in theirs[len(ours) :]:
            words = f"the fills since {holding.opened_at:%Y-%m-%d %H:%M:%S} made one"
            yield Difference(Kind.LOST, "position", words)


def _compare(row: Position, holding: Holding) -> Iterator[Difference]:
    for name in COMPARED:
        ours, theirs = getattr(row, name), getattr(holding, name)
        if ours != theirs:
            words = f"{name} is {_plain(ours)}, the fills say {_plain(theirs)}"
            yield Difference(Kind.DIFFERENT, f"position {row.id}", words)


def _plain(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@dataclass(slots=True)
class Replayed:
    """What the fills make, in the order they were booked, and what follows each that left dust."""

    holdings: dict[tuple[UUID, int], list[Holding]] = field(
        default_factory=lambda: defaultdict(list)
    )
    dust: dict[int, Lines] = field(default_factory=dict)
    impossible: list[Difference] = field(default_factory=list)

    def play(self, fill: Fill, written_off_at: datetime | None) -> None:
        """One fill, and the write-off behind it."""
        intent = fill.order.intent
        holdings = self.holdings[intent.bot_id, intent.instrument_id]
        current = holdings[-1] if holdings and holdings[-1].closed_at is None else None
        if intent.purpose == Purpose.ENTRY:
            if current is None:
                holdings.append(_open(fill))
            else:
                _enlarge(current, fill)
        elif current is None or fill.quantity > current.quantity:
            self._cannot_be(fill, "an exit larger than what was held")
        else:
            _reduce(current, fill)
        if written_off_at is None:
            return
        if not holdings or holdings[-1].closed_at is not None:
            self._cannot_be(fill, "dust behind it where nothing was held")
        else:
            self.dust[fill.pk] = _write_off(holdings[-1], fill, written_off_at)

    def _cannot_be(self, fill: Fill, words: str) -> None:
        self.impossible.append(Difference(Kind.FOREIGN, f"fill {fill.venue_trade_id}", words))


def _replay(account_id: UUID) -> Replayed:
    """Positions from nothing, fill by fill; that dust was left is what its posting says."""
    dust = LedgerEntry.objects.filter(account=account_id, book=LedgerEntry.Book.DUST)
    written_off_at = dict(dust.order_by("id").values_list("fill", "booked_at"))
    replayed = Replayed()
    for fill in _fills(account_id):
        replayed.play(fill, written_off_at.get(fill.pk))
    return replayed


def _open(fill: Fill) -> Holding:
    fee = fee_in_quote(fill)
    side = "LONG" if fill.side == "BUY" else "SHORT"
    held = fill.quantity - fill.taken
    return Holding(side, held, fill.price, fee, -fee, fill.filled_at)


def _enlarge(holding: Holding, fill: Fill) -> None:
    more, fee = fill.quantity - fill.taken, fee_in_quote(fill)
    total = holding.quantity + more
    paid = EXACT.multiply(holding.entry_price, holding.quantity)
    paid = EXACT.add(paid, EXACT.multiply(fill.price, more))
    holding.entry_price = stored(EXACT.divide(paid, total))
    holding.quantity = total
    holding.fees += fee
    holding.realized_pnl -= fee


def _reduce(holding: Holding, fill: Fill) -> None:
    fee = fee_in_quote(fill)
    sign = 1 if holding.side == "LONG" else -1
    gained = EXACT.multiply(EXACT.subtract(fill.price, holding.entry_price), fill.quantity) * sign
    holding.realized_pnl = stored(EXACT.subtract(EXACT.add(holding.realized_pnl, gained), fee))
    holding.fees += fee
    holding.quantity -= fill.quantity
    if holding.quantity == 0:
        holding.exit_price, holding.closed_at = fill.price, fill.filled_at


def _write_off(holding: Holding, fill: Fill, at: datetime) -> Lines:
    """The rest leaves at cost; the lines that tell of it."""
    instrument = fill.order.intent.instrument
    dust, cost = holding.quantity, stored(EXACT.multiply(holding.quantity, holding.entry_price))
    holding.dust_quantity, holding.dust_cost = dust, cost
    holding.quantity, holding.realized_pnl = ZERO, holding.realized_pnl - cost
    holding.closed_at = at
    if fill.order.intent.purpose != Purpose.ENTRY:
        holding.exit_price = fill.price
    lines = [
        ("TRADING", instrument.base, dust),
        ("DUST", instrument.base, -dust),
        ("TRADING", instrument.quote, -cost),
        ("DUST", instrument.quote, cost),
    ]
    return Counter((book, currency, stored(amount)) for book, currency, amount in lines)
