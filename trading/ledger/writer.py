"""DjangoLedger: implements ports.Ledger, one transaction per batch, fenced by the epoch."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import psycopg
from django.db import connection
from django.utils import timezone

from tenants.scoping import set_session_tenant, tenant_scope
from trading.engine.batches import EngineState, LedgerBatch, PositionView
from trading.engine.errors import NotLeader
from trading.engine.messages import MarketSpec
from trading.ledger import rows
from trading.ledger.breakers import change_hold, note_strangers
from trading.ledger.cutting import cut
from trading.ledger.decisions import ChainHead, DecisionChain, ask_head, read_head, write_decisions
from trading.ledger.dust import write_off
from trading.ledger.memory import JournaledMemory
from trading.ledger.orders import OrderRows
from trading.ledger.positions import note_stop
from trading.ledger.reader import read_state
from trading.ledger.reads import (
    FENCE,
    Key,
    KnownIntent,
    ask_intents,
    limit_pauses,
    pipelined,
    read_intents,
    told_whole,
)
from trading.ledger.snapshots import SnapshotOwner, read_memory, save_snapshot
from trading.models import EngineCommand

Result = TypeVar("Result")
GOODBYE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a transaction knows before it writes."""

    head: ChainHead | None  # None: it has no decisions
    intents: dict[Key, KnownIntent]


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
        self._chain = DecisionChain(tenant_id, engine_id, core_hash[:16])
        self._owner = SnapshotOwner(tenant_id, engine_id, core_hash, layout_hash)
        self._memory: JournaledMemory | None = None
        self._longest_pause_ms = int(longest_pause_seconds * 1000)
        self._prepared: psycopg.Connection[Any] | None = None  # the connection that was
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")

    async def call(self, work: Callable[[], Result]) -> Result:
        """Run ``work`` on the ledger's thread, inside the tenant's scope."""

        def scoped() -> Result:
            self._prepare()
            with tenant_scope(self._tenant_id):
                return work()

        return await self._on_thread(scoped)

    async def look(self, statement: str, parameters: Sequence[str]) -> list[tuple[Any, ...]]:
        """The rows of one statement without a transaction: for what is asked four times a second."""

        def asked() -> list[tuple[Any, ...]]:
            self._prepare()
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return list(cursor.fetchall())

        return await self._on_thread(asked)

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _prepare(self) -> None:
        if connection.connection is not None and connection.connection is self._prepared:
            return
        limit_pauses(most_ms=self._longest_pause_ms)
        set_session_tenant(self._tenant_id)
        self._prepared = connection.connection

    async def close(self) -> None:
        """Close the connection and end the thread, also where the server answers no more."""
        closing = asyncio.ensure_future(self._on_thread(lambda: connection.close()))
        await asyncio.wait({closing}, timeout=GOODBYE_SECONDS)
        if not closing.done() and self._prepared is not None:
            cut(self._prepared)
        await closing
        self._thread.shutdown()

    async def load(self) -> EngineState:
        """State, open intents and holds as last committed."""
        return await self.call(self._load)

    def _load(self) -> EngineState:
        self._memory = read_memory(self._engine_id)
        return read_state(
            engine_id=self._engine_id,
            account_id=self._account_id,
            specs=self._specs,
            markets=self._memory.markets,
        )

    async def commit(self, batch: LedgerBatch) -> None:
        """Write all of the batch or nothing.

        Raises:
            NotLeader: the epoch is no longer ours; nothing was written.
        """
        await self._on_thread(lambda: self._commit(batch))

    def _commit(self, batch: LedgerBatch) -> None:
        """Two exchanges with the server: what must be known, then all that is written, and COMMIT."""
        self._prepare()
        memory = self._known_memory()
        brought = memory.bring(batch.snapshot.markets if batch.snapshot else ())
        with pipelined(), tenant_scope(self._tenant_id), told_whole():
            self._write(batch, self._look(batch))
            if batch.snapshot is not None:
                save_snapshot(self._owner, batch.snapshot, brought)
        memory.note(brought)

    def _known_memory(self) -> JournaledMemory:
        if self._memory is None:
            with tenant_scope(self._tenant_id):
                self._memory = read_memory(self._engine_id)
        return self._memory

    def _look(self, batch: LedgerBatch) -> Found:
        planned = {(order.market, order.seq) for order in batch.intents}
        moved = {(change.market, change.seq) for change in batch.intent_states}
        moved |= {(report.market, report.intent_seq) for report in batch.fills}
        with ExitStack() as open_cursors:
            fence, head, intents = (
                open_cursors.enter_context(connection.cursor()) for _ in range(3)
            )
            fence.execute(FENCE, [self._engine_id, self._epoch()])
            if batch.decisions:
                ask_head(head, self._chain)
            wanted = sorted(moved - planned)
            if wanted:
                ask_intents(intents, wanted, self._specs, whose=(self._tenant_id, self._engine_id))
            self._assert_epoch(fence.fetchone())
            return Found(
                head=read_head(head) if batch.decisions else None,
                intents=read_intents(intents) if wanted else {},
            )

    def _assert_epoch(self, fence: object | None) -> None:
        """The fence is held for this transaction: a takeover's new epoch waits for our commit."""
        if fence is None:
            raise NotLeader(f"epoch {self._epoch()} of engine {self._engine_id} is over")

    def _write(self, batch: LedgerBatch, found: Found) -> None:
        if found.head is not None:
            write_decisions(
                self._chain, batch.decisions, self._specs, self._decision_dtype, found.head
            )
        self._write_orders(batch, found.intents)
        for told in batch.write_offs:
            spec = self._specs[told.market]
            write_off(tenant_id=self._tenant_id, account_id=self._account_id, spec=spec, told=told)
        for view in batch.positions:
            self._note_position(view)
        self._note_watch(batch)
        for done in batch.commands:
            EngineCommand.objects.filter(id=done.command_id, finished_at=None).update(
                finished_at=timezone.now(), outcome=done.outcome[:300]
            )

    def _write_orders(self, batch: LedgerBatch, known: dict[Key, KnownIntent]) -> None:
        orders = OrderRows(
            tenant_id=self._tenant_id,
            engine_id=self._engine_id,
            account_id=self._account_id,
            specs=self._specs,
            known=known,
        )
        if batch.intents:
            orders.plan(batch.intents, epoch=self._epoch())
        for change in batch.intent_states:
            orders.change(change)
        for report in batch.fills:
            orders.book(report)
        orders.post()

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
