"""The journal over real PostgreSQL: fence, one transaction, append-only, sums."""

import time
import uuid
from pathlib import Path

import pytest
import uvloop
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum

from tenants.scoping import tenant_scope
from tests.factories import NOW
from trading.engine.batches import LedgerBatch
from trading.engine.errors import NotLeader
from trading.ledger.snapshots import read_memory
from trading.models import (
    Decision,
    Engine,
    EngineSnapshot,
    Fill,
    Hold,
    LedgerEntry,
    OrderIntent,
    Position,
)
from trading.queries.history import TABLES, Wanted
from trading.wiring.audit import verify_chains
from trading.wiring.engines import EngineProcess
from trading.wiring.plans import read_plan

TRADES = TABLES["trades"]
NO_ANCHORS = Path("/nonexistent")
pytestmark = pytest.mark.faults


def play(rows) -> EngineProcess:
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    process = EngineProcess(plan=plan, speed="max")
    uvloop.run(process.run())
    return process


def test_a_leader_of_an_older_epoch_writes_nothing(street) -> None:
    rows = street(600)
    play(rows)
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    stale = EngineProcess(plan=plan, speed="max")
    ledger = stale._ledger
    ledger._epoch = lambda: plan.engine.epoch - 1
    before = engine_rows(rows)

    async def write() -> None:
        with pytest.raises(NotLeader):
            await ledger.commit(LedgerBatch())
        await ledger.close()

    uvloop.run(write())

    assert engine_rows(rows) == before


def test_a_leader_that_hangs_inside_a_transaction_loses_it_after_the_lease(
    street, settings
) -> None:
    rows = street(10)
    settings.LEASE_SECONDS = (0.6, 0.2, 0.4)
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    ledger = EngineProcess(plan=plan, speed="max")._ledger

    def hang_holding_the_fence() -> int:
        Engine.objects.select_for_update().get(id=rows.engine_id)
        time.sleep(1.5)
        return Engine.objects.count()

    async def work() -> None:
        with pytest.raises(DatabaseError):
            await ledger.call(hang_holding_the_fence)
        await ledger.close()

    uvloop.run(work())


def engine_rows(rows) -> tuple[int, int, object]:
    with tenant_scope(rows.tenant_id):
        snapshot = EngineSnapshot.objects.get(engine_id=rows.engine_id)
        return Decision.objects.count(), OrderIntent.objects.count(), snapshot.saved_at


def test_books_follow_from_fills(street) -> None:
    rows = street(4000)
    play(rows)

    with tenant_scope(rows.tenant_id):
        fills = list(Fill.objects.order_by("id"))
        cash = sum(
            LedgerEntry.objects.filter(book="ASSETS", currency="USD").values_list(
                "amount", flat=True
            )
        )
        coins = sum(
            LedgerEntry.objects.filter(book="ASSETS", currency="BTC").values_list(
                "amount", flat=True
            )
        )
        closed = list(Position.objects.exclude(closed_at=None))
        held = sum(Position.objects.filter(closed_at=None).values_list("quantity", flat=True))
    signs = {"BUY": 1, "SELL": -1}
    assert len(fills) > 10
    assert cash == 10_000 - sum(signs[f.side] * f.quantity * f.price + f.fee for f in fills)
    assert coins == held == sum(signs[f.side] * f.quantity for f in fills)
    assert all(p.quantity == 0 and p.exit_reason for p in closed)
    if held == 0:
        assert sum(p.realized_pnl for p in closed) == cash - 10_000


def test_what_an_engine_decided_is_one_whole_chain(street) -> None:
    rows = street(1200)
    play(rows)
    with tenant_scope(rows.tenant_id):
        decided = Decision.objects.count()
    found = list(
        verify_chains(tenant_id=rows.tenant_id, anchors=NO_ANCHORS, now=NOW, checked_by="a test")
    )

    assert [one.walk.first_break for one in found] == [None, None]
    assert found[1].walk.head.sequence == decided > 1000


def test_every_trade_is_told_with_its_reason_and_sums_to_what_was_earned(street) -> None:
    rows = street(4000)
    play(rows)

    with tenant_scope(rows.tenant_id):
        trades = [dict(zip(TRADES.columns, row, strict=True)) for row in TRADES.rows(Wanted())]
        earned = Position.objects.exclude(closed_at=None).aggregate(sum=Sum("realized_pnl"))["sum"]
    assert len(trades) > 5
    assert all(trade["strategy"] and trade["regime"] and trade["score"] for trade in trades)
    assert all(trade["quantity"] > 0 for trade in trades)
    assert sum(trade["net_pnl"] for trade in trades) == earned


def test_a_posting_that_does_not_sum_to_zero_is_refused_at_commit(street) -> None:
    rows = street(10)

    with (
        pytest.raises(IntegrityError, match="does not sum to zero"),
        tenant_scope(rows.tenant_id),
    ):
        LedgerEntry.objects.create(
            tenant_id=rows.tenant_id,
            account_id=rows.account_id,
            posting=uuid.uuid4(),
            book="ASSETS",
            currency="USD",
            amount=1,
            booked_at="2026-01-01T00:00Z",
        )


def kept_by_names() -> list[bytes]:
    saved = EngineSnapshot.objects.get()
    markets = read_memory(str(saved.engine_id)).markets
    return [bytes(saved.portable), *(one.portable for one in markets)]


def test_what_the_core_held_survives_another_core(street) -> None:
    rows = street(4000)
    with tenant_scope(rows.tenant_id):
        engine = Engine.objects.get(id=rows.engine_id)
    play(rows)
    with tenant_scope(rows.tenant_id):
        EngineSnapshot.objects.update(core_hash="0" * 64)
        before = kept_by_names()

    play(rows)

    with tenant_scope(rows.tenant_id):
        after = EngineSnapshot.objects.get(engine=engine)
        assert kept_by_names() == before
    assert after.core_hash != "0" * 64


def test_a_second_open_hold_of_one_cause_is_refused(street) -> None:
    rows = street(10)
    facts = {
        "kind": "OPERATOR",
        "cause": "operator",
        "reason": "x",
        "placed_at": "2026-01-01T00:00Z",
    }

    with tenant_scope(rows.tenant_id):
        Hold.objects.create(tenant_id=rows.tenant_id, engine_id=rows.engine_id, **facts)
        with pytest.raises(IntegrityError), transaction.atomic():
            Hold.objects.create(tenant_id=rows.tenant_id, engine_id=rows.engine_id, **facts)


def test_the_intent_of_an_order_is_older_than_its_fill(street) -> None:
    rows = street(4000)
    play(rows)

    with tenant_scope(rows.tenant_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM trading_fill f JOIN trading_order o ON o.id = f.order_id"
            " JOIN trading_orderintent i ON i.id = o.intent_id"
            " WHERE f.filled_at < i.planned_at"
        )
        assert cursor.fetchone() == (0,)
