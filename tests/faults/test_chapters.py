"""A paper account that starts over goes on trading with new books; nothing written is lost."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from django.db.models import Max, Q, Sum

from tenants.models import AuditEntry, ExchangeAccount
from tenants.scoping import tenant_scope
from tests.factories import NOW, EngineRows
from tests.faults.test_journal import play
from trading import operations
from trading.core import explain
from trading.core.records import ACCOUNT
from trading.engine.names import to_names
from trading.ledger.proof import prove_books
from trading.models import Decision, Engine, EngineSnapshot, Fill, LedgerEntry, Order, Position
from trading.queries.attribution import attribute, strategy_results
from trading.queries.chapters import NoSuchChapter, Which, list_chapters
from trading.queries.history import Wanted
from trading.queries.overview import get_overview
from trading.queries.performance import list_performance
from trading.wiring.parity import check_parity
from trading.wiring.plans import CannotRun

pytestmark = pytest.mark.faults
NEW_CASH = Decimal(2_500)


def play_until_flat(rows: EngineRows) -> None:
    """A day, and then until something was traded and nothing is held."""
    for minutes in range(1500, 3500, 100):
        with tenant_scope(rows.tenant_id):
            until = bars_begin(rows) + timedelta(minutes=minutes)
            Engine.objects.update(replay_to=until, observed="STOPPED", desired="RUNNING")
        play(rows)
        with tenant_scope(rows.tenant_id):
            traded, held = Position.objects.all(), Position.objects.filter(closed_at=None)
            if traded.exists() and not held.exists():
                Engine.objects.update(replay_to=None, desired="STOPPED")
                return
    pytest.fail("something was held all the time")


def bars_begin(rows: EngineRows):
    with tenant_scope(rows.tenant_id):
        return rows.instrument.series.get().first_at


def start_over(rows: EngineRows, cash: Decimal = NEW_CASH) -> None:
    with tenant_scope(rows.tenant_id):
        operations.reset_paper(account_id=rows.account_id, cash=cash, actor=None, now=NOW)


def trades_of(rows: EngineRows, chapter: Which) -> int:
    found = list_performance(account_id=rows.account_id, chapter=chapter)
    return sum(one.closed.trades for one in found)


def attributed(rows: EngineRows, chapter: Which, *, of_account: bool = True) -> int:
    """Trades, told the same by strategy and by any other split."""
    wanted = Wanted(account_id=rows.account_id if of_account else None)
    by_side = sum(one.closed.trades for one in attribute(wanted, by="side", chapter=chapter))
    results = strategy_results(wanted, chapter=chapter)
    assert sum(part.closed.trades for one in results for part in one.parts) == by_side
    return by_side


def test_an_account_starts_over_and_its_engine_goes_on(street) -> None:
    rows = street(4000)
    play_until_flat(rows)
    with tenant_scope(rows.tenant_id):
        before = [model.objects.count() for model in (Decision, Fill, Position, LedgerEntry)]
        last = Decision.objects.aggregate(at=Max("bar_opened_at"))["at"]
        assert Fill.objects.exists()
        assert not Order.objects.filter(Q(sent_at=None) | Q(acknowledged_at=None)).exists()
        former = trades_of(rows, 1)

    start_over(rows)
    with tenant_scope(rows.tenant_id):
        (row,) = get_overview().rows
        assert (row.equity, row.today, row.total) == (2500.0, 0.0, 0.0)
        assert list_performance(account_id=rows.account_id) == []
        assert row.paid_in == NEW_CASH
        saved = EngineSnapshot.objects.get()
        account = np.frombuffer(bytes(saved.account), ACCOUNT)[0]
        assert (account["cash"], account["peak_equity"], account["entries"]) == (2500, 2500, 0)
        assert msgspec.json.decode(bytes(saved.portable)) == to_names(account)
        Engine.objects.update(desired="RUNNING", observed="STOPPED")
    play(rows)

    with tenant_scope(rows.tenant_id):
        after = [model.objects.count() for model in (Decision, Fill, Position, LedgerEntry)]
        assert all(new > old for new, old in zip(after, before, strict=True))
        newer = Decision.objects.filter(bar_opened_at__gt=last).order_by("bar_opened_at")
        assert explain.read(bytes(newer[0].record)).decision["equity"] == 2500.0
        assert list(prove_books(rows.account_id)) == []
        old, new = trades_of(rows, 1), trades_of(rows, 2)
        assert old == former
        assert old + new == Position.objects.exclude(closed_at=None).count()
        assert [one.closed.trades for one in list_performance(account_id=None)] == [new]
        (whole,) = list_performance(account_id=None, chapter="all")
        assert whole.closed.trades == trades_of(rows, "all") == old + new
        assert [attributed(rows, which) for which in (1, 2, None)] == [old, new, new]
        assert attributed(rows, None, of_account=False) == new
        assert attributed(rows, "all") == attributed(rows, "all", of_account=False) == old + new
        assert [one.is_current for one in list_chapters(account_id=rows.account_id)] == [
            False,
            True,
        ]
        with pytest.raises(NoSuchChapter, match="3, this account has 1 to 2"):
            trades_of(rows, 3)
        sums = LedgerEntry.objects.values("posting", "currency").annotate(total=Sum("amount"))
        assert {one["total"] for one in sums} == {Decimal(0)}
        entry = AuditEntry.objects.get(action="account.reset")
        assert entry.after == {"USD": "2500"}
    with pytest.raises(CannotRun, match="started over"):
        check_parity(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mode": "LIVE"}, "only a paper account"),
        ({"disabled_at": NOW}, "enable it first"),
        ({}, "stop its engine first"),
    ],
)
def test_what_may_not_start_over_is_told_why(street, change: dict[str, object], words: str) -> None:
    rows = street(10)
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.update(**change)
        before = LedgerEntry.objects.count()

    with pytest.raises(operations.ResetRefused, match=words):
        start_over(rows)

    with tenant_scope(rows.tenant_id):
        assert LedgerEntry.objects.count() == before


@pytest.mark.parametrize("cash", [Decimal("0.5"), Decimal(10**12) + 1])
def test_money_that_cannot_be_is_refused(street, cash: Decimal) -> None:
    with pytest.raises(operations.ResetRefused, match=r"accepted is 1 to"):
        start_over(street(10), cash)
