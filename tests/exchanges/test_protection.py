"""What guards an account: chosen from the terminal, kept, audited, and taken up by its street."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from tenants import operations as tenant_operations
from tenants.models import AuditEntry, ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.exchanges.street import KEY, SECRET
from tests.factories import EngineRows
from tests.simulator_place import tell_port
from trading.engine.clock import SystemClock
from trading.exchanges.kraken.dead_man import Protection
from trading.models import Bot
from trading.wiring.plans import read_plan
from trading.wiring.streets import build_street

pytestmark = pytest.mark.django_db


def make(venue: str = "simulator") -> EngineRows:
    return factories.make_engine("acme", factories.make_instrument(venue), venue=venue)


def choose(*more: str, venue: str = "simulator") -> str:
    told = StringIO()
    call_command("protection", "--tenant=acme", f"--exchange={venue}", *more, stdout=told)
    return told.getvalue().strip()


def kept(rows: EngineRows) -> str:
    with tenant_scope(rows.tenant_id):
        return ExchangeAccount.objects.get(id=rows.account_id).protection


def test_stops_are_what_an_account_has_until_somebody_chooses() -> None:
    rows = make()

    assert choose().endswith(": STOPS")
    assert kept(rows) == "STOPS"


def test_a_choice_is_kept_and_stands_in_the_audit_log() -> None:
    rows = make()

    assert choose("--choose=switch").endswith(": SWITCH")

    assert kept(rows) == "SWITCH"
    with tenant_scope(rows.tenant_id):
        entry = AuditEntry.objects.get(action="account.protection")
    assert (entry.before, entry.after) == ({"protection": "STOPS"}, {"protection": "SWITCH"})


@pytest.mark.parametrize(
    ("venue", "word", "words"),
    [
        ("simulator", "prayer", "protection: 'PRAYER', accepted is STOPS, SWITCH"),
        ("synthetic", "switch", "This venue has no dead-man switch; Kraken has."),
    ],
)
def test_what_cannot_be_had_is_refused_and_nothing_is_changed(
    venue: str, word: str, words: str
) -> None:
    rows = make(venue)

    with pytest.raises(CommandError) as error:
        choose(f"--choose={word}", venue=venue)

    assert words in str(error.value)
    assert error.value.returncode == 4
    assert kept(rows) == "STOPS"


def test_the_database_refuses_a_switch_where_there_is_none() -> None:
    rows = make("synthetic")

    with (
        pytest.raises(IntegrityError, match="account_switch_where_there_is_one"),
        transaction.atomic(),
        tenant_scope(rows.tenant_id),
    ):
        ExchangeAccount.objects.filter(id=rows.account_id).update(protection="SWITCH")


@pytest.mark.parametrize("word", ["STOPS", "SWITCH"])
def test_the_street_of_a_live_account_takes_it_up(
    word: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.DATA_DIR = tmp_path
    rows = make()
    choose(f"--choose={word}")
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.filter(id=rows.account_id).update(mode="LIVE")
        Bot.objects.filter(account_id=rows.account_id).update(stage="LIVE")
        tenant_operations.seal_key(
            account_id=rows.account_id, key=KEY, secret=SECRET, actor=None, now=factories.NOW
        )
    tell_port(tmp_path, 1)
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))

    street = build_street(plan, speed=None, clock=SystemClock())

    assert street.venue._desk.dead_man.protection is Protection(word)  # type: ignore[attr-defined]
