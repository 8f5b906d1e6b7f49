"""Holds our fills, orders and postings against the venue's own books, to the last digit."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from trading.exchanges.statement import Statement, VenueLine, VenueTrade
from trading.ledger import rows
from trading.ledger.proof import Difference, Kind
from trading.models import Engine, Fill, LedgerEntry, Order, OrderIntent

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Ours:
    """Our side, of the time the venue's statement speaks of; ``orders`` also of later."""

    fills: Mapping[str, Fill]
    orders: Mapping[str, Order]
    client_ids: frozenset[str]
    moved: Mapping[str, Mapping[str, Decimal]]  # by trade and currency


def read_ours(engine: Engine, statement: Statement) -> Ours:
    """Our rows; while the tenant's scope is open."""
    since, until = map(rows.to_datetime, (statement.since_ns, statement.until_ns))
    span = {"filled_at__gte": since, "filled_at__lte": until}
    fills = Fill.objects.filter(account=engine.account_id, **span)
    moved: dict[str, dict[str, Decimal]] = defaultdict(dict)
    booked = LedgerEntry.objects.filter(fill__in=fills, book=LedgerEntry.Book.ASSETS)
    totals = booked.values_list("fill__venue_trade_id", "currency").annotate(sum=Sum("amount"))
    for trade_id, currency, amount in totals.order_by():
        moved[trade_id][currency] = amount
    intents = OrderIntent.objects.filter(engine=engine)
    orders = Order.objects.filter(intent__in=intents, intent__planned_at__gte=since)
    orders = orders.select_related("intent")
    return Ours(
        fills={
            fill.venue_trade_id: fill
            for fill in fills.select_related("order", "order__intent__instrument")
        },
        orders={order.venue_order_id: order for order in orders},
        client_ids=frozenset(map(str, intents.values_list("client_order_id", flat=True))),
        moved=moved,
    )


def compare(ours: Ours, statement: Statement) -> Iterator[Difference]:
    """Every difference. The customer's own orders at the venue are none of ours, and none."""
    yield from _compare_trades(ours, statement)
    yield from _compare_orders(ours, statement)
    if statement.lines is not None:
        yield from _compare_lines(ours, statement, statement.lines)


def _our_trades(ours: Ours, statement: Statement) -> dict[str, VenueTrade]:
    mine = {
        order.order_id
        for order in statement.orders.values()
        if order.client_id in ours.client_ids or order.order_id in ours.orders
    }
    return {key: one for key, one in statement.trades.items() if one.order_id in mine}


def _compare_trades(ours: Ours, statement: Statement) -> Iterator[Difference]:
    theirs = _our_trades(ours, statement)
    for trade_id, trade in theirs.items():
        name, fill = f"trade {trade_id}", ours.fills.get(trade_id)
        if fill is None:
            words = f"the venue tells {trade.side} {trade.quantity} at {trade.price}; we do not"
            yield Difference(Kind.LOST, name, words)
            continue
        facts = {"side": trade.side, "quantity": trade.quantity, "price": trade.price}
        if fill.fee_currency == fill.order.intent.instrument.quote:
            facts["fee"] = trade.fee  # the venue tells it in quote
        for field, told in facts.items():
            if getattr(fill, field) != told:
                yield _different(name, field, getattr(fill, field), told)
        if fill.order.venue_order_id != trade.order_id:
            yield _different(name, "order", fill.order.venue_order_id, trade.order_id)
    for trade_id in ours.fills.keys() - theirs.keys():
        fill = ours.fills[trade_id]
        words = f"we booked {fill}; the venue knows no such trade of an order of ours"
        yield Difference(Kind.FOREIGN, f"trade {trade_id}", words)


def _compare_orders(ours: Ours, statement: Statement) -> Iterator[Difference]:
    theirs = statement.orders
    uses = Counter(one.client_id for one in theirs.values() if one.client_id in ours.client_ids)
    for client_id, count in uses.items():
        if count > 1:
            words = f"the venue knows {count} orders of this one intent"
            yield Difference(Kind.DOUBLED, f"intent {client_id}", words)
    for order_id, order in ours.orders.items():
        told = theirs.get(order_id)
        if told is None:
            if rows.to_ns(order.intent.planned_at) > statement.until_ns:
                continue  # it may have been placed after the venue was asked
            words = "we have it on record; the venue knows no such order"
            yield Difference(Kind.FOREIGN, f"order {order_id}", words)
        elif 0 < told.closed_ns <= statement.until_ns and told.filled != order.filled_quantity:
            yield _different(f"order {order_id}", "filled", order.filled_quantity, told.filled)
    for order_id, told in theirs.items():
        is_known = order_id in ours.orders or told.client_id not in ours.client_ids
        is_settled = told.opened_ns <= statement.until_ns
        if not is_known and is_settled and (told.is_open or told.filled):
            words = "the venue has it from us; it is not on our record"
            yield Difference(Kind.LOST, f"order {order_id}", words)


def _compare_lines(
    ours: Ours, statement: Statement, lines: Iterable[VenueLine]
) -> Iterator[Difference]:
    """What moved of each currency by each trade of ours, fee included."""
    theirs: dict[str, dict[str, list[VenueLine]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        theirs[line.reference][line.asset].append(line)
    for trade_id in ours.fills.keys() & _our_trades(ours, statement).keys():
        booked, told = ours.moved.get(trade_id, {}), theirs.get(trade_id, {})
        for currency in sorted(booked.keys() | told.keys()):
            own = told.get(currency, [])
            amount = sum((line.amount - line.fee for line in own), ZERO)
            if abs(booked.get(currency, ZERO) - amount) >= _last_digit(own):
                name = f"trade {trade_id}"
                yield _different(name, f"{currency} moved", booked.get(currency, ZERO), amount)


def _last_digit(lines: list[VenueLine]) -> Decimal:
    """The venue keeps each asset's ledger to its own number of decimals: one unit of the last."""
    told = [number for one in lines for number in (one.amount, one.fee)]
    exponents = [number.as_tuple().exponent for number in told]
    decimals = max((-int(one) for one in exponents), default=18)
    return Decimal(1).scaleb(-decimals)


def _different(name: str, field: str, ours: Any, theirs: Any) -> Difference:
    words = f"{field}: ours {_text(ours)}, the venue's {_text(theirs)}"
    return Difference(Kind.DIFFERENT, name, words)


def _text(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
