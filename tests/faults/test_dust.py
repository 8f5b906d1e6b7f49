"""What is left of a trade and cannot be sold, in the rows: at cost, once, proven, and still the account's."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
import uvloop
from django.db import IntegrityError, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tenants.scoping import tenant_scope
from tests.faults.test_journal_commits import SECOND_NS, Bench, order
from tests.faults.test_proofs import as_owner, found
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.batches import IntentState, LedgerBatch, WriteOff
from trading.engine.errors import IllegalTransition
from trading.engine.messages import FillReport, OrderRequest
from trading.models import LedgerEntry, Position
from trading.queries.history import TABLES, Wanted

pytestmark = pytest.mark.faults
LOT, TICK, DIGIT = Decimal("0.0001"), Decimal("0.1"), Decimal(1).scaleb(-18)
Part = tuple[int, int]  # lots, ticks


@pytest.fixture
def bench(street) -> Iterator[Bench]:
    made = Bench(street(10))
    yield made
    uvloop.run(made.ledger.close())


class Trader:
    """Buys and sells in parts, one order after the other."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.seq, self.at = bench, 0, 1

    def trade(self, purpose: Purpose, parts: list[Part], *, dust: int = 0) -> None:
        """One order with its fills, and what is written off behind them; one commit."""
        self.seq, self.at = self.seq + 1, self.at + 1
        side = Side.BUY if purpose == Purpose.ENTRY else Side.SELL
        reason = ExitReason.NONE if purpose == Purpose.ENTRY else ExitReason.TARGET
        wanted = replace(order(self.seq), purpose=purpose, side=side, price_ticks=0, reason=reason)
        fills = [self._fill(wanted, n, part) for n, part in enumerate(parts)]
        left = [WriteOff(0, self.at * SECOND_NS, dust)] if dust else []
        done = IntentState(0, self.seq, "DONE")
        self.bench.commit(
            LedgerBatch(intents=[wanted], intent_states=[done], fills=fills, write_offs=left)
        )

    def _fill(self, wanted: OrderRequest, number: int, part: Part) -> FillReport:
        lots, ticks = part
        return FillReport(
            market=0, intent_seq=wanted.seq, time_ns=self.at * SECOND_NS, purpose=wanted.purpose,
            side=wanted.side, quantity_lots=lots, price_ticks=ticks, fee_units=lots * ticks,
            liquidity=0, reason=wanted.reason, final=0, venue_order_id=f"o{wanted.seq}",
            venue_trade_id=f"t{wanted.seq}-{number}",
        )  # fmt: skip


def balance(book: str, currency: str) -> Decimal:
    booked = LedgerEntry.objects.filter(book=book, currency=currency)
    return booked.aggregate(total=Sum("amount"))["total"] or Decimal(0)


parts = st.lists(
    st.tuples(st.integers(10, 10**6), st.integers(10**4, 10**6)), min_size=1, max_size=3
)


def test_any_trade_with_a_rest_leaves_books_that_are_proven(bench: Bench) -> None:
    trader, dust, cost, trades = Trader(bench), Decimal(0), Decimal(0), 0

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bought=parts, rest=st.integers(1, 9), ticks=st.integers(10**4, 10**6))
    def check(bought: list[Part], rest: int, ticks: int) -> None:
        nonlocal dust, cost, trades
        lots = sum(part[0] for part in bought)
        trader.trade(Purpose.ENTRY, bought)
        trader.trade(Purpose.EXIT, [(lots - rest, ticks)], dust=rest)
        with tenant_scope(bench.rows.tenant_id):
            newest = Position.objects.latest("closed_at")
            dust, cost, trades = dust + rest * LOT, cost + newest.dust_cost, trades + 1
            assert (newest.quantity, newest.dust_quantity) == (0, rest * LOT)
            assert abs(newest.dust_cost - newest.entry_price * rest * LOT) < DIGIT
            assert newest.exit_price == ticks * TICK
            assert newest.get_exit_reason_display() == "target"
            assert (balance("ASSETS", "BTC"), balance("DUST", "BTC")) == (dust, -dust)
            assert (balance("TRADING", "BTC"), balance("DUST", "USD")) == (0, cost)
            earned = Position.objects.aggregate(sum=Sum("realized_pnl"))["sum"]
            gained = balance("ASSETS", "USD") - 10_000
            assert abs(earned - gained) < trades * 1000 * DIGIT  # an average price has 18 digits
            sums = LedgerEntry.objects.values("posting", "currency").annotate(sum=Sum("amount"))
            assert all(one["sum"] == 0 for one in sums)

    check()

    assert trades >= 25
    assert found(bench.rows) == []


def test_what_was_never_sold_is_closed_as_dust_and_the_next_entry_is_another(bench: Bench) -> None:
    trader = Trader(bench)

    trader.trade(Purpose.ENTRY, [(3, 200_000)], dust=3)
    trader.trade(Purpose.ENTRY, [(50, 210_000)])

    with tenant_scope(bench.rows.tenant_id):
        first, second = Position.objects.order_by("opened_at")
        assert (first.exit_price, first.get_exit_reason_display()) == (None, "dust")
        assert first.realized_pnl == -first.fees - 3 * LOT * 20_000
        assert (second.quantity, second.closed_at) == (50 * LOT, None)
        [told] = list(TABLES["trades"].rows(Wanted()))
        row = dict(zip(TABLES["trades"].columns, told, strict=True))
        assert row["note"] == "dust written off: 0.0003 BTC (6 USD)"
    assert found(bench.rows) == []


def test_dust_is_written_off_once_and_never_more_than_is_left(bench: Bench) -> None:
    trader = Trader(bench)
    trader.trade(Purpose.ENTRY, [(103, 200_000)])
    for wrong in (2, 104):
        with pytest.raises(IllegalTransition, match=r"dust of 0\.\d+ BTC where 0\.010300"):
            bench.commit(LedgerBatch(write_offs=[WriteOff(0, SECOND_NS, wrong)]))
    trader.trade(Purpose.EXIT, [(100, 200_000)], dust=3)

    with pytest.raises(IllegalTransition, match="where 0 is held"):
        bench.commit(LedgerBatch(write_offs=[WriteOff(0, SECOND_NS, 3)]))

    with tenant_scope(bench.rows.tenant_id):
        again = list(LedgerEntry.objects.filter(posting=dust_posting()))
        for line in again:
            line.pk = None
        with pytest.raises(IntegrityError, match="ledger_dust_once"), transaction.atomic():
            LedgerEntry.objects.bulk_create(again)
        assert LedgerEntry.objects.filter(book="DUST").count() == 2
    assert found(bench.rows) == []


def dust_posting() -> object:
    return LedgerEntry.objects.filter(book="DUST").values_list("posting", flat=True)[0]


def move(table: str, column: str) -> Callable[[], None]:
    where = "WHERE book = 'DUST'" if table == "trading_ledgerentry" else ""
    statement = f"UPDATE {table} SET {column} = {column} + %s {where}"
    return lambda: as_owner(statement, DIGIT)


def forget() -> None:
    as_owner("DELETE FROM trading_ledgerentry WHERE posting IN"
             " (SELECT posting FROM trading_ledgerentry WHERE book = 'DUST')")  # fmt: skip


@pytest.mark.parametrize(
    ("tamper", "kind", "words"),
    [
        (move("trading_position", "dust_quantity"), "different", "dust_quantity is"),
        (move("trading_position", "dust_cost"), "different", "dust_cost is"),
        (move("trading_ledgerentry", "amount"), "foreign", "on DUST that does not follow"),
        (forget, "different", "closed_at is"),
    ],
)
def test_a_write_off_that_was_tampered_with_is_found(
    bench: Bench, tamper: Callable[[], None], kind: str, words: str
) -> None:
    trader = Trader(bench)
    trader.trade(Purpose.ENTRY, [(103, 200_000)])
    trader.trade(Purpose.EXIT, [(100, 200_000)], dust=3)
    assert found(bench.rows) == []

    tamper()

    assert any(told[0] == kind and words in told[1] for told in found(bench.rows))
