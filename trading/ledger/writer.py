"""DjangoLedger: implements ports.Ledger, one transaction per batch, fenced by the epoch."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from django.db import connection
from django.utils import timezone

from tenants.scoping import tenant_scope
from trading.engine.batches import (
    EngineState,
    IntentState,
    LedgerBatch,
    PositionView,
    Snapshot,
)
from trading.engine.errors import NotLeader
from trading.engine.messages import FillReport, MarketSpec, OrderRequest
from trading.ledger import rows
from trading.ledger.breakers import change_hold, note_strangers
from trading.ledger.decisions import DecisionChain, write_decisions
from trading.ledger.positions import apply_fill, note_stop
from trading.ledger.reader import read_state
from trading.models import (
    EngineCommand,
    EngineSnapshot,
    Fill,
    LedgerEntry,
    Order,
    OrderIntent,
)

Result = TypeVar("Result")


class DjangoLedger:
    """The journal of one engine on a thread and a connection of its own."""

    def __init__(
        self,
        *,
        tenant_id: str,
        engine_id: str,
        account_id: str,
        specs: Sequence[MarketSpec],
        epoch: Callable[[], int],
        decision_dtype: np.dtype,
        core_hash: str,
        layout_hash: str,
        longest_pause_seconds: float,
    ) -> None:
        self._tenant_id = tenant_id
        self._engine_id = engine_id
        self._account_id = account_id
        self._specs = tuple(specs)
        self._epoch = epoch
        self._decision_dtype = decision_dtype
        self._core_hash = core_hash
        self._chain = DecisionChain(tenant_id, engine_id, core_hash[:16])
        self._layout_hash = layout_hash
        self._longest_pause_ms = int(longest_pause_seconds * 1000)
        self._is_prepared = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    async def call(self, work: Callable[[], Result]) -> Result:
        """Run ``work`` on the ledger's thread, inside the tenant's scope."""

        def scoped() -> Result:
            if not self._is_prepared:
                self._prepare()
            with tenant_scope(self._tenant_id):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, scoped)

    def _prepare(self) -> None:
        """A leader that hangs inside a transaction must not keep the fence's row locked for ever."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false)",
                [str(self._longest_pause_ms)],
            )
        self._is_prepared = True

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, lambda: connection.close())
        self._thread.shutdown()

    async def load(self) -> EngineState:
        """State, open intents and holds as last committed."""
        return await self.call(
            lambda: read_state(
                engine_id=self._engine_id, account_id=self._account_id, specs=self._specs
            )
        )

    async def commit(self, batch: LedgerBatch) -> None:
        """Write all of the batch or nothing.

        Raises:
            NotLeader: the epoch is no longer ours; nothing was written.
        """
        await self.call(lambda: self._commit(batch))

    def _commit(self, batch: LedgerBatch) -> None:
        self._assert_epoch()
        write_decisions(self._chain, batch.decisions, self._specs, self._decision_dtype)
        self._write_intents(batch.intents)
        for change in batch.intent_states:
            self._change_intent(change)
        for report in batch.fills:
            self._book_fill(report)
        for view in batch.positions:
            self._note_position(view)
        self._note_watch(batch)
        for done in batch.commands:
            EngineCommand.objects.filter(id=done.command_id, finished_at=None).update(
                finished_at=timezone.now(), outcome=done.outcome[:300]
            )
        if batch.snapshot is not None:
            self._save_snapshot(batch.snapshot)

    def _assert_epoch(self) -> None:
        """Hold the fence for this transaction: a takeover's new epoch waits for our commit."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM trading_engine WHERE id = %s AND epoch = %s FOR SHARE",
                [self._engine_id, self._epoch()],
            )
            if cursor.fetchone() is None:
                raise NotLeader(f"epoch {self._epoch()} of engine {self._engine_id} is over")

    def _write_intents(self, orders: Sequence[OrderRequest]) -> None:
        if orders:
            OrderIntent.objects.bulk_create(
                OrderIntent(
                    tenant_id=self._tenant_id,
                    engine_id=self._engine_id,
                    epoch=self._epoch(),
                    **rows.intent_fields(self._specs[order.market], order),
                )
                for order in orders
            )

    def _intent(self, market: int, seq: int) -> OrderIntent:
        spec = self._specs[market]
        return OrderIntent.objects.get(
            engine_id=self._engine_id,
            bot_id=spec.bot_id,
            instrument_id=spec.instrument_id,
            seq=seq,
        )

    def _change_intent(self, change: IntentState) -> None:
        intent = self._intent(change.market, change.seq)
        intent.state = change.state
        intent.state_reason = change.reason[:200]
        intent.save(update_fields=["state", "state_reason"])
        if change.venue_order_id:
            self._order(intent, change.venue_order_id)
        if change.state == "DONE" and not change.venue_order_id:
            intent.orders.filter(status="WORKING").update(status="CANCELLED")

    def _order(self, intent: OrderIntent, venue_order_id: str) -> Order:
        order, _ = Order.objects.get_or_create(
            tenant_id=self._tenant_id, intent=intent, venue_order_id=venue_order_id
        )
        return order

    def _book_fill(self, report: FillReport) -> None:
        spec = self._specs[report.market]
        intent = self._intent(report.market, report.intent_seq)
        order = self._order(intent, report.venue_order_id)
        fields = rows.fill_fields(spec, report)
        fill = Fill.objects.create(
            tenant_id=self._tenant_id, order=order, account_id=self._account_id, **fields
        )
        order.filled_quantity += fields["quantity"]
        order.status = "FILLED" if report.final else "WORKING"
        order.save(update_fields=["filled_quantity", "status"])
        self._post(spec, report, fill)
        apply_fill(tenant_id=self._tenant_id, spec=spec, report=report)

    def _post(self, spec: MarketSpec, report: FillReport, fill: Fill) -> None:
        posting = uuid.uuid5(uuid.UUID(self._account_id), report.venue_trade_id)
        LedgerEntry.objects.bulk_create(
            LedgerEntry(
                tenant_id=self._tenant_id,
                account_id=self._account_id,
                posting=posting,
                book=book,
                currency=currency,
                amount=amount,
                fill=fill,
                booked_at=fill.filled_at,
            )
            for book, currency, amount in rows.postings(spec, report)
        )

    def _note_position(self, view: PositionView) -> None:
        if view.quantity_lots and view.stop_ticks:
            spec = self._specs[view.market]
            note_stop(spec=spec, stop_price=rows.price(spec, view.stop_ticks))

    def _note_watch(self, batch: LedgerBatch) -> None:
        whose = {"tenant_id": self._tenant_id, "engine_id": self._engine_id}
        now = timezone.now()
        for change in batch.holds:
            change_hold(**whose, change=change, now=now)
        if batch.strangers is not None:
            note_strangers(**whose, seen=batch.strangers, now=now)

    def _save_snapshot(self, snapshot: Snapshot) -> None:
        EngineSnapshot.objects.update_or_create(
            tenant_id=self._tenant_id,
            engine_id=self._engine_id,
            defaults={
                "sequence": snapshot.sequence,
                "core_hash": self._core_hash,
                "layout_hash": self._layout_hash,
                "markets": snapshot.markets,
                "account": snapshot.account,
                "venue": snapshot.venue,
                "portable": snapshot.portable,
                "saved_at": timezone.now(),
            },
        )
