"""Intents, orders, fills and their postings as rows of one transaction."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from trading.engine.batches import IntentState, Sent
from trading.engine.errors import IllegalTransition
from trading.engine.messages import FillReport, MarketSpec, OrderRequest
from trading.ledger import rows
from trading.ledger.positions import apply_fill
from trading.ledger.reads import Key, KnownIntent, KnownOrder
from trading.models import Fill, LedgerEntry, Order, OrderIntent


@dataclass(slots=True)
class OrderRows:
    """What a transaction writes of orders; ``known`` are the intents it moves, as they were read."""

    tenant_id: str
    engine_id: str
    account_id: str
    specs: Sequence[MarketSpec]
    known: dict[Key, KnownIntent]
    booked: list[tuple[MarketSpec, FillReport, Fill]] = field(default_factory=list)

    def plan(self, orders: Sequence[OrderRequest], *, epoch: int) -> None:
        """New intents, by one statement."""
        planned = [
            OrderIntent(
                tenant_id=self.tenant_id,
                engine_id=self.engine_id,
                epoch=epoch,
                **rows.intent_fields(self.specs[order.market], order),
            )
            for order in orders
        ]
        OrderIntent.objects.bulk_create(planned)
        for order, row in zip(orders, planned, strict=True):
            self.known[order.market, order.seq] = KnownIntent(row.id)

    def change(self, change: IntentState) -> None:
        """A new state of an intent, and its order where the venue named one."""
        intent = self._intent(change.market, change.seq)
        OrderIntent.objects.filter(id=intent.id).update(
            state=change.state, state_reason=change.reason[:200]
        )
        if change.venue_order_id:
            self._order(intent, change.venue_order_id, sent=change.sent)
        elif change.state == OrderIntent.State.DONE:
            Order.objects.filter(intent_id=intent.id, status=Order.Status.WORKING).update(
                status=Order.Status.CANCELLED
            )

    def book(self, report: FillReport) -> None:
        """A fill of an order; ``post`` writes it."""
        spec = self.specs[report.market]
        order = self._order(self._intent(report.market, report.intent_seq), report.venue_order_id)
        fields = rows.fill_fields(spec, report)
        fill = Fill(
            tenant_id=self.tenant_id, order_id=order.id, account_id=self.account_id, **fields
        )
        self.booked.append((spec, report, fill))
        order.filled += fields["quantity"]
        Order.objects.filter(id=order.id).update(
            filled_quantity=order.filled,
            status=Order.Status.FILLED if report.final else Order.Status.WORKING,
        )

    def post(self) -> None:
        """The fills booked, what they move on the books, and the positions they lead to."""
        if not self.booked:
            return
        Fill.objects.bulk_create(fill for _, _, fill in self.booked)
        LedgerEntry.objects.bulk_create(
            LedgerEntry(
                tenant_id=self.tenant_id,
                account_id=self.account_id,
                posting=uuid.uuid5(uuid.UUID(self.account_id), report.venue_trade_id),
                book=book,
                currency=currency,
                amount=amount,
                fill=fill,
                booked_at=fill.filled_at,
            )
            for spec, report, fill in self.booked
            for book, currency, amount in rows.postings(spec, report)
        )
        for spec, report, _ in self.booked:
            apply_fill(tenant_id=self.tenant_id, spec=spec, report=report)

    def _intent(self, market: int, seq: int) -> KnownIntent:
        intent = self.known.get((market, seq))
        if intent is None:
            raise IllegalTransition(
                f"intent {seq} of {self.specs[market].symbol} is not in the journal"
            )
        return intent

    def _order(
        self, intent: KnownIntent, venue_order_id: str, *, sent: Sent | None = None
    ) -> KnownOrder:
        order = intent.orders.get(venue_order_id)
        if order is None:
            row = Order(
                tenant_id=self.tenant_id,
                intent_id=intent.id,
                venue_order_id=venue_order_id,
                **rows.sent_fields(sent),
            )
            Order.objects.bulk_create([row])
            order = intent.orders[venue_order_id] = KnownOrder(row.id)
        elif sent is not None:  # it filled before its acknowledgement was read
            Order.objects.filter(id=order.id).update(**rows.sent_fields(sent))
        return order
