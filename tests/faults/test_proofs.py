"""Books that were tampered with are found by a replay from nothing, to the last digit."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import Model

from tenants.scoping import tenant_scope
from tests.factories import EngineRows
from tests.faults.test_journal import play
from trading.ledger.proof import Difference, prove_books
from trading.management.commands import run_fleet
from trading.models import Fill, LedgerProof, Order, Position

pytestmark = pytest.mark.faults
LEAST = Decimal(1).scaleb(-18)


@pytest.fixture
def played(street) -> EngineRows:
    rows = street(3000)
    play(rows)
    with tenant_scope(rows.tenant_id):
        assert Fill.objects.count() > 6
    return rows


def found(rows: EngineRows) -> list[tuple[str, str]]:
    with tenant_scope(rows.tenant_id):
        return [(one.kind, words_of(one)) for one in prove_books(rows.account_id)]


def words_of(one: Difference) -> str:
    return f"{one.what}: {one.words}"


def as_owner(statement: str, *values: Any) -> None:
    """What only the owner of the database can: change what is never changed."""
    with connections["owner"].cursor() as cursor:
        for table in ("trading_fill", "trading_ledgerentry", "trading_position", "trading_order"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        cursor.execute(statement, values)


def change_a_fee() -> None:
    as_owner("UPDATE trading_fill SET fee = fee + %s WHERE id = (SELECT min(id) FROM trading_fill)",
             LEAST)  # fmt: skip


def take_a_posting() -> None:
    as_owner("DELETE FROM trading_ledgerentry WHERE id = (SELECT max(id) FROM trading_ledgerentry"
             " WHERE fill_id IS NOT NULL)")  # fmt: skip


def book_twice() -> None:
    as_owner(
        "INSERT INTO trading_ledgerentry (tenant_id, account_id, posting, book, currency, amount,"
        " fill_id, booked_at) SELECT tenant_id, account_id, posting, book, currency, amount,"
        " fill_id, booked_at FROM trading_ledgerentry WHERE fill_id = (SELECT min(id) FROM"
        " trading_fill)"
    )


def forget_a_position() -> None:
    as_owner("DELETE FROM trading_position WHERE id = (SELECT id FROM trading_position"
             " ORDER BY opened_at DESC LIMIT 1)")  # fmt: skip


def move(model: type[Model], field: str) -> Callable[[], None]:
    """A number of the oldest row moves by the last digit a column keeps."""

    table = model._meta.db_table

    def act() -> None:
        as_owner(
            f"UPDATE {table} SET {field} = {field} + %s"
            f" WHERE id = (SELECT id FROM {table} ORDER BY id LIMIT 1)",
            LEAST,
        )

    return act


TAMPERED = [
    (change_a_fee, "lost", "no posting of"),
    (take_a_posting, "lost", "no posting of"),
    (book_twice, "foreign", "does not follow from it"),
    (move(Position, "realized_pnl"), "different", "realized_pnl is"),
    (move(Position, "fees"), "different", "fees is"),
    (move(Position, "entry_price"), "different", "entry_price is"),
    (move(Order, "filled_quantity"), "different", "says it filled"),
    (forget_a_position, "lost", "the fills since"),
]


def test_what_an_engine_left_behind_is_proven_and_the_smallest_change_is_found(
    played: EngineRows,
) -> None:
    seen = found(played)
    assert seen == []

    for tamper, kind, words in TAMPERED:
        tamper()
        known, seen = seen, found(played)
        fresh = [told for told in seen if told not in known]
        assert any(told[0] == kind and words in told[1] for told in fresh), (tamper, fresh)


def test_the_fleet_proves_daily_the_command_says_it_and_the_doctor_shows_it(
    played: EngineRows,
) -> None:
    assert run_fleet.has_unproven()
    assert run_fleet.prove_books() == 0
    assert not run_fleet.has_unproven()
    with tenant_scope(played.tenant_id):
        assert LedgerProof.objects.latest("id").differing == 0
    move(Position, "realized_pnl")()

    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("prove_ledger", "--engine", str(played.engine_id), json=True, stdout=out)

    assert ended.value.code == 1
    [told] = json.loads(out.getvalue())
    assert (told["holds"], told["differences"][0]["kind"]) == (False, "different")
    assert ("ledger", "fail") in {(one["check"], one["verdict"]) for one in doctor()}


def doctor() -> list[dict[str, str]]:
    out = StringIO()
    try:
        call_command("doctor", json=True, stdout=out)
    except SystemExit:
        pass
    return json.loads(out.getvalue())


def test_an_unknown_engine_ends_with_two(fresh_database) -> None:
    with pytest.raises(CommandError, match="no engine x; there are: none") as refused:
        call_command("prove_ledger", "--engine", "x")

    assert refused.value.returncode == 2
