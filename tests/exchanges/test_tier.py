"""An account's tier: chosen from the terminal, kept, audited, and taken up by its street."""

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
from trading.exchanges.kraken.counters import CALLS, TRADING, Tier
from trading.models import Bot
from trading.wiring.plans import read_plan
from trading.wiring.streets import build_street

pytestmark = pytest.mark.django_db


def make(venue: str = "simulator") -> EngineRows:
    return factories.make_engine("acme", factories.make_instrument(venue), venue=venue)


def choose(*more: str, venue: str = "simulator") -> str:
    told = StringIO()
    call_command("tier", "--tenant=acme", f"--exchange={venue}", *more, stdout=told)
    return told.getvalue().strip()


def kept(rows: EngineRows) -> str:
    with tenant_scope(rows.tenant_id):
        return ExchangeAccount.objects.get(id=rows.account_id).tier


def test_an_account_has_the_lowest_until_somebody_chooses() -> None:
    rows = make()

    assert choose().endswith(": STARTER")
    assert kept(rows) == "STARTER"


def test_a_choice_is_kept_and_stands_in_the_audit_log() -> None:
    rows = make()

    assert choose("--choose=pro").endswith(": PRO")

    assert kept(rows) == "PRO"
    with tenant_scope(rows.tenant_id):
        entry = AuditEntry.objects.get(action="account.tier")
    assert (entry.before, entry.after) == ({"tier": "STARTER"}, {"tier": "PRO"})


@pytest.mark.parametrize(
    ("venue", "word", "words"),
    [
        ("simulator", "vip", "tier: 'VIP', accepted is STARTER, INTERMEDIATE, PRO"),
        ("synthetic", "pro", "This venue has no tiers; Kraken has."),
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
    assert kept(rows) == "STARTER"


def test_the_database_refuses_a_tier_where_there_are_none() -> None:
    rows = make("synthetic")

    with (
        pytest.raises(IntegrityError, match="account_tier_where_there_are_some"),
        transaction.atomic(),
        tenant_scope(rows.tenant_id),
    ):
        ExchangeAccount.objects.filter(id=rows.account_id).update(tier="PRO")


def test_the_model_and_the_adapter_know_the_same_tiers() -> None:
    assert {tier.value for tier in Tier} == set(ExchangeAccount.Tier)
    assert set(TRADING) == set(CALLS) == set(Tier)


@pytest.mark.parametrize("tier", Tier)
def test_the_street_of_a_live_account_takes_it_up(
    tier: Tier, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.DATA_DIR = tmp_path
    rows = make()
    choose(f"--choose={tier.value}")
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.filter(id=rows.account_id).update(mode="LIVE")
        Bot.objects.filter(account_id=rows.account_id).update(stage="LIVE")
        tenant_operations.seal_key(
            account_id=rows.account_id, key=KEY, secret=SECRET, actor=None, now=factories.NOW
        )
    tell_port(tmp_path, 1)
    plan = read_plan(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))

    street = build_street(plan, speed=None, clock=SystemClock())

    desk = street.venue._desk  # type: ignore[attr-defined]
    assert [one.limit for one in desk.rate.pairs.values()] == [TRADING[tier]]
    assert desk.rest.calls.counter.limit == CALLS[tier]
