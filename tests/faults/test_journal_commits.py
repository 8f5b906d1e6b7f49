"""One commit over real PostgreSQL: all or nothing though nothing waits, and the memory by market."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import uvloop
from django.db import DatabaseError, IntegrityError, OperationalError, connections

from tenants.scoping import tenant_scope
from trading.core import explain
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.batches import (
    DecisionRow,
    IntentState,
    LedgerBatch,
    MarketMemory,
    PositionView,
    Sent,
    Snapshot,
)
from trading.engine.errors import IllegalTransition, NotLeader
from trading.engine.messages import OrderRequest
from trading.ledger import reads, rows
from trading.models import (
    Decision,
    Engine,
    EngineSnapshot,
    MarketChanges,
    MarketSnapshot,
    Order,
    OrderIntent,
)
from trading.wiring.engines import EngineProcess
from trading.wiring.plans import read_plan

pytestmark = pytest.mark.faults
SECOND_NS = 1_000_000_000


class Bench:
    """An engine's journal, led by us, without the engine."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
        self.ledger = EngineProcess(plan=plan, speed="max")._ledger
        self.epoch = plan.engine.epoch
        self.ledger._epoch = lambda: self.epoch

    def commit(self, batch: LedgerBatch) -> None:
        uvloop.run(self.ledger.commit(batch))

    def memory(self) -> tuple[tuple[int, bytes, bytes], ...]:
        snapshot = uvloop.run(self.ledger.load()).snapshot
        assert snapshot is not None
        return tuple((one.market, one.record, one.portable) for one in snapshot.markets)

    def standing(self) -> tuple[Any, ...]:
        """Everything a batch of these tests could have left behind."""
        with tenant_scope(self.rows.tenant_id):
            return (
                Decision.objects.count(),
                list(OrderIntent.objects.order_by("seq").values_list("seq", "state")),
                list(Order.objects.values_list("venue_order_id", flat=True)),
                list(MarketSnapshot.objects.order_by("market").values_list("market", "sequence")),
                list(EngineSnapshot.objects.values_list("sequence", flat=True)),
            )


@pytest.fixture(params=["sent ahead", "one by one"], autouse=True)
def server(request, monkeypatch) -> None:
    """A server that ends long transactions, or an older one."""
    if request.param == "one by one":
        monkeypatch.setattr(reads, "TIMED_TRANSACTIONS", 10**9)


@pytest.fixture
def bench(street) -> Iterator[Bench]:
    made = Bench(street(10))
    yield made
    uvloop.run(made.ledger.close())


def order(seq: int) -> OrderRequest:
    return OrderRequest(
        market=0,
        seq=seq,
        client_order_id=f"00000000-0000-4000-8000-{seq:012}",
        at_ns=SECOND_NS,
        purpose=Purpose.PROTECT,
        side=Side.SELL,
        quantity_lots=100,
        price_ticks=640_000,
        expires_ns=0,
        replaces_seq=0,
        reason=ExitReason.NONE,
        deadline_ns=2 * SECOND_NS,
    )


def remember(sequence: int, **records: bytes) -> Snapshot:
    """A memory of markets named m0, m1, …"""
    markets = (MarketMemory(int(name[1:]), raw, b"{}" + raw) for name, raw in records.items())
    return Snapshot(sequence, tuple(markets), b"account", b"", b"{}")


def decided(number: int) -> DecisionRow:
    """On the bar of this number."""
    decision = np.zeros(1, dtype=explain.DECISION)
    decision["bar_open_ns"] = number * SECOND_NS
    return DecisionRow(0, decision.tobytes())


def whole(sequence: int, **records: bytes) -> LedgerBatch:
    """A decision, an order of this number and the memory it led to."""
    return LedgerBatch(
        decisions=[decided(sequence)],
        intents=[order(sequence)],
        snapshot=remember(sequence, **records),
    )


def test_only_the_markets_that_a_commit_brings_are_written(bench: Bench) -> None:
    bench.commit(LedgerBatch(snapshot=remember(1, m0=b"\x00a", m1=b"\xffb", m2=b"c")))
    bench.commit(LedgerBatch(snapshot=remember(2, m1=b"\x80d")))
    bench.commit(LedgerBatch(snapshot=remember(3)))

    assert bench.standing()[3:] == ([(0, 1), (1, 2), (2, 1)], [3])
    assert bench.memory() == (
        (0, b"\x00a", b"{}\x00a"),
        (1, b"\x80d", b"{}\x80d"),
        (2, b"c", b"{}c"),
    )


def test_a_later_life_reads_what_many_small_changes_led_to(bench: Bench) -> None:
    records = np.zeros((3, 4_000), "u1")
    commits, changed = 60, 12

    for number in range(1, commits + 1):
        records[:, number * changed : (number + 1) * changed] += np.uint8(number)
        told = {f"m{m}": record.tobytes() for m, record in enumerate(records)}
        bench.commit(LedgerBatch(snapshot=remember(number, **told)))

    expected = tuple((m, raw.tobytes(), b"{}" + raw.tobytes()) for m, raw in enumerate(records))
    assert bench.memory() == expected
    with tenant_scope(bench.rows.tenant_id):
        assert 0 < MarketChanges.objects.count() < commits
    bench.ledger._memory = None
    bench.commit(LedgerBatch(snapshot=remember(commits + 1, m1=b"d")))
    assert bench.memory() == (expected[0], (1, b"d", b"{}d"), expected[2])


def test_what_the_server_refuses_takes_the_whole_batch_with_it(bench: Bench) -> None:
    bench.commit(whole(1, m0=b"a"))
    before = bench.standing(), bench.memory()
    batch = whole(2, m0=b"b")
    batch.intents.append(order(1))

    with pytest.raises(IntegrityError, match="intent_"):
        bench.commit(batch)

    assert (bench.standing(), bench.memory()) == before
    bench.commit(whole(2, m0=b"b"))
    assert bench.standing()[0] == 2


def test_a_batch_about_an_intent_the_journal_does_not_have_is_refused_whole(bench: Bench) -> None:
    bench.commit(whole(1, m0=b"a"))
    before = bench.standing()
    batch = whole(2, m0=b"b")
    batch.intent_states.append(IntentState(0, 77, "WORKING", venue_order_id="V"))

    with pytest.raises(IllegalTransition, match="intent 77 of BTC/USD is not in the journal"):
        bench.commit(batch)

    assert bench.standing() == before


def test_states_and_orders_of_old_and_new_intents_go_into_one_commit(bench: Bench) -> None:
    bench.commit(whole(1, m0=b"a"))
    batch = whole(2, m0=b"b")
    batch.intent_states += [
        IntentState(0, 1, "WORKING", venue_order_id="V1"),
        IntentState(0, 2, "WORKING", venue_order_id="V2"),
        IntentState(0, 1, "WORKING", venue_order_id="V1"),
        IntentState(0, 1, "DONE"),
    ]

    bench.commit(batch)

    with tenant_scope(bench.rows.tenant_id):
        assert sorted(
            Order.objects.values_list("intent__seq", "venue_order_id", "status", "intent__state")
        ) == [(1, "V1", "CANCELLED", "DONE"), (2, "V2", "WORKING", "WORKING")]


def test_when_an_order_was_sent_and_acknowledged_stands_beside_it(bench: Bench) -> None:
    bench.commit(whole(1, m0=b"a"))
    batch, sent = whole(2, m0=b"b"), Sent(5_000_000, 5_250_000)
    batch.intent_states += [
        IntentState(0, 1, "WORKING", venue_order_id="V1", sent=sent),
        IntentState(0, 2, "WORKING", venue_order_id="V2"),
        IntentState(
            0, 2, "WORKING", venue_order_id="V2", sent=sent
        ),  # named before it was answered
    ]

    bench.commit(batch)

    times = (rows.to_datetime(5_000_000), rows.to_datetime(5_250_000))
    with tenant_scope(bench.rows.tenant_id):
        assert set(Order.objects.values_list("sent_at", "acknowledged_at")) == {times}
        assert Order.objects.count() == 2


MORE_THAN_A_SOCKET_HOLDS = 1 << 21


@pytest.fixture
def impatient(street, settings) -> Iterator[Bench]:
    """One whose commits are ended after four seconds: a wait without an end shows."""
    settings.LEASE_SECONDS = (2.0, 0.5, 1.0)
    made = Bench(street(10))
    yield made
    uvloop.run(made.ledger.close())


def test_a_commit_may_be_larger_than_a_socket_holds(impatient: Bench) -> None:
    noise = np.random.default_rng(1)

    for number in range(1, 6):
        large = [noise.bytes(MORE_THAN_A_SOCKET_HOLDS) for _ in range(2)]
        impatient.commit(whole(number, m0=large[0], m1=large[1]))

    assert [raw for _, raw, _ in impatient.memory()] == large


def test_a_large_batch_is_refused_whole_for_the_reason_it_has(impatient: Bench) -> None:
    impatient.commit(whole(1, m0=b"a"))
    before = impatient.standing()
    batch = whole(2, m0=b"b")
    bars = range(2, MORE_THAN_A_SOCKET_HOLDS // explain.DECISION.itemsize)
    batch.decisions = [decided(number) for number in bars]
    batch.intent_states.append(IntentState(0, 77, "WORKING", venue_order_id="V"))

    for _ in range(3):
        with pytest.raises(IllegalTransition, match="intent 77 of BTC/USD is not in the journal"):
            impatient.commit(batch)

    assert impatient.standing() == before


def test_an_older_epoch_writes_nothing_of_a_full_batch(bench: Bench) -> None:
    bench.commit(whole(1, m0=b"a"))
    before = bench.standing()
    with tenant_scope(bench.rows.tenant_id):
        Engine.objects.filter(id=bench.rows.engine_id).update(epoch=bench.epoch + 1)

    with pytest.raises(NotLeader):
        bench.commit(whole(2, m0=b"b"))

    assert bench.standing() == before


@contextmanager
def stuck(bench: Bench, batch: LedgerBatch) -> Iterator[tuple[Future[None], int, Callable]]:
    """A commit that waits for the memory's row, everything before it sent: (it, its session, let go)."""
    staff = connections["owner"]
    with staff.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE trading_enginesnapshot IN EXCLUSIVE MODE")
        commit = pool.submit(bench.commit, batch)
        try:
            yield commit, wait_for_waiter(cursor), lambda: cursor.execute("ROLLBACK")
        finally:
            cursor.execute("ROLLBACK")


def wait_for_waiter(cursor: Any) -> int:
    for _ in range(500):
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE NOT granted"
            " AND relation = 'trading_enginesnapshot'::regclass"
        )
        if found := cursor.fetchone():
            return int(found[0])
        time.sleep(0.02)
    raise AssertionError("the commit never came to the memory's row")


def test_a_session_that_dies_before_commit_leaves_nothing(bench: Bench) -> None:
    bench.commit(whole(1, m0=b"a"))
    before = bench.standing()

    with stuck(bench, whole(2, m0=b"b")) as (commit, pid, _):
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(DatabaseError):
            commit.result(30)

    assert bench.standing() == before


def take_over(bench: Bench) -> None:
    with tenant_scope(bench.rows.tenant_id), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '200ms'")
        cursor.execute(
            "UPDATE trading_engine SET epoch = epoch + 1 WHERE id = %s", [bench.rows.engine_id]
        )


def test_a_takeover_waits_for_the_commit_that_holds_the_fence(bench: Bench) -> None:
    bench.commit(whole(1, m0=b"a"))

    with stuck(bench, whole(2, m0=b"b")) as (commit, _, let_go):
        with pytest.raises(OperationalError, match="lock timeout"):
            take_over(bench)
        let_go()
        commit.result(30)

    assert [seq for seq, _ in bench.standing()[1]] == [1, 2]
    take_over(bench)
    with pytest.raises(NotLeader):
        bench.commit(whole(3, m0=b"c"))


class Hang(list[PositionView]):
    """Positions at which the process stops for a while: sent is what comes before, held the fence."""

    def __iter__(self) -> Iterator[PositionView]:
        time.sleep(3)
        return super().__iter__()


def test_a_leader_that_hangs_between_two_statements_of_a_commit_loses_it(street, settings) -> None:
    settings.LEASE_SECONDS = (0.4, 0.2, 0.3)
    bench = Bench(street(10))
    bench.commit(whole(1, m0=b"a"))
    before = bench.standing()
    batch = whole(2, m0=b"b")
    batch.positions = Hang()

    with pytest.raises(DatabaseError):
        bench.commit(batch)

    assert bench.standing() == before
    uvloop.run(bench.ledger.close())
