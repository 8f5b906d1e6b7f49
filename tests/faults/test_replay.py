"""``manage.py replay`` over real PostgreSQL, real processes and a tape that a kill interrupted."""

import json
import signal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tenants.scoping import tenant_scope
from tests.faults.processes import decisions, ended_afterwards, run_engine, wait_for
from tests.faults.test_journal import play
from trading.models import Decision
from trading.queries.storage import tape_folder

pytestmark = pytest.mark.faults


def replay(*words: str) -> str:
    out = StringIO()
    call_command("replay", *words, stdout=out)
    return out.getvalue()


def stored(rows) -> list[Decision]:
    with tenant_scope(rows.tenant_id):
        return list(Decision.objects.order_by("id").select_related("instrument"))


def test_a_stored_decision_is_made_again_and_shown_with_its_gates(street) -> None:
    rows = street(1500)
    play(rows)
    entered = next(one for one in stored(rows) if one.get_reason_display() == "none")

    by_number = replay(str(entered.id), "--tenant", "acme")
    by_bar = replay(f"{entered.instrument.symbol}@{entered.bar_opened_at:%Y-%m-%dT%H:%M}", "--json")

    assert "equal, byte for byte" in by_number
    assert "Entered: every gate said yes." in by_number
    assert "gate holds: passed" in by_number
    assert json.loads(by_bar)["is_equal"] is True
    assert json.loads(by_bar)["decision"] == entered.id


def test_what_cannot_be_replayed_is_named(street) -> None:
    rows = street(300)
    play(rows)
    last = stored(rows)[-1]

    with pytest.raises(CommandError, match=r"decision '0': none is stored"):
        replay("0")
    with pytest.raises(CommandError, match="accepted is its number, or SYMBOL@TIME"):
        replay("yesterday")
    with pytest.raises(CommandError, match="tenant 'nobody': there is none"):
        replay(str(last.id), "--tenant", "nobody")
    for path in tape_folder(rows.engine_id).iterdir():
        path.unlink()
    with pytest.raises(CommandError, match="is missing: this engine has no tape here"):
        replay(str(last.id))


def test_an_engine_killed_in_the_middle_leaves_a_tape_of_all_it_committed(
    street, environment
) -> None:
    rows = street(4000)
    process = run_engine(rows, environment)
    with ended_afterwards(process):
        wait_for(lambda: decisions(rows) >= 500, "500 decisions", seconds=180.0)
        process.send_signal(signal.SIGKILL)

    committed = stored(rows)

    for one in (committed[0], committed[len(committed) // 2], committed[-1]):
        assert "equal, byte for byte" in replay(str(one.id))
