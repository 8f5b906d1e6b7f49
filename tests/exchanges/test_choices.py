"""An account's protection and tier: chosen from the terminal, kept, audited, taken up by its street."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
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
from trading.exchanges.kraken.dead_man import Protection
from trading.models import Bot
from trading.wiring.plans import read_plan
from trading.wiring.streets import build_street

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Choice:
    """A field of an account that its own command chooses."""

    field: str  # and the command's name
    first: str  # until somebody chooses
    other: str
    constraint: str

    def make(self, *more: str, venue: str = "simulator") -> str:
        told = StringIO()
        call_command(self.field, "--tenant=acme", f"--exchange={venue}", *more, stdout=told)
        return told.getvalue().strip()

    def kept(self, rows: EngineRows) -> str:
        with tenant_scope(rows.tenant_id):
            return str(getattr(ExchangeAccount.objects.get(id=rows.account_id), self.field))


PROTECTION = Choice("protection", "STOPS", "SWITCH", "account_switch_where_there_is_one")
TIER = Choice("tier", "STARTER", "PRO", "account_tier_where_there_are_some")
BOTH = pytest.mark.parametrize("choice", [PROTECTION, TIER], ids=lambda one: one.field)


def make(venue: str = "simulator") -> EngineRows:
    return factories.make_engine("acme", factories.make_instrument(venue), venue=venue)


@BOTH
def test_an_account_has_the_first_until_somebody_chooses(choice: Choice) -> None:
    rows = make()

    assert choice.make().endswith(f": {choice.first}")
    assert choice.kept(rows) == choice.first


@BOTH
def test_a_choice_is_kept_and_stands_in_the_audit_log(choice: Choice) -> None:
    rows = make()

    assert choice.make(f"--choose={choice.other.lower()}").endswith(f": {choice.other}")

    assert choice.kept(rows) == choice.other
    with tenant_scope(rows.tenant_id):
        entry = AuditEntry.objects.get(action=f"account.{choice.field}")
    assert (entry.before, entry.after) == (
        {choice.field: choice.first},
        {choice.field: choice.other},
    )


@pytest.mark.parametrize(
    ("choice", "venue", "word", "words"),
    [
        (PROTECTION, "simulator", "prayer", "protection: 'PRAYER', accepted is STOPS, SWITCH"),
        (
            PROTECTION,
            "synthetic",
            "switch",
            "protection: 'SWITCH': This venue has no dead-man switch; Kraken has.",
        ),
        (TIER, "simulator", "gold", "tier: 'GOLD', accepted is STARTER, INTERMEDIATE, PRO"),
        (TIER, "synthetic", "pro", "tier: 'PRO': This venue has no tiers; Kraken has."),
    ],
)
def test_what_cannot_be_had_is_refused_and_nothing_is_changed(
    choice: Choice, venue: str, word: str, words: str
) -> None:
    rows = make(venue)

    with pytest.raises(CommandError) as error:
        choice.make(f"--choose={word}", venue=venue)

    assert str(error.value) == words
    assert error.value.returncode == 4
    assert choice.kept(rows) == choice.first


@BOTH
def test_an_account_that_is_not_there_is_named_beside_those_that_are(choice: Choice) -> None:
    make()

    with pytest.raises(CommandError) as error:
        choice.make(venue="nope")

    assert str(error.value) == (
        "--exchange 'nope': no account fits; there is --exchange simulator --account 'Paper'"
    )
    assert error.value.returncode == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("--tenant=nobody", "--exchange=simulator"), "nobody"),
        (("--tenant=acme", "--venue=simulator"), "required: --exchange"),
    ],
)
def test_what_is_not_there_and_what_is_not_understood_end_with_2(
    line: tuple[str, ...], words: str, fresh_database, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(["manage.py", "tier", *line])

    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@BOTH
def test_the_database_refuses_it_where_there_is_none(choice: Choice) -> None:
    rows = make("synthetic")

    with (
        pytest.raises(IntegrityError, match=choice.constraint),
        transaction.atomic(),
        tenant_scope(rows.tenant_id),
    ):
        ExchangeAccount.objects.filter(id=rows.account_id).update(**{choice.field: choice.other})


def test_the_model_and_the_adapter_know_the_same_tiers() -> None:
    assert {tier.value for tier in Tier} == set(ExchangeAccount.Tier)
    assert set(TRADING) == set(CALLS) == set(Tier)


@pytest.mark.parametrize(
    ("choice", "word"),
    [*((PROTECTION, one.value) for one in Protection), *((TIER, one.value) for one in Tier)],
)
def test_the_street_of_a_live_account_takes_it_up(
    choice: Choice, word: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.DATA_DIR = tmp_path
    rows = make()
    choice.make(f"--choose={word}")
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
    if choice is PROTECTION:
        assert desk.dead_man.protection is Protection(word)
        return
    assert [one.limit for one in desk.rate.pairs.values()] == [TRADING[Tier(word)]]
    assert desk.rest.calls.counter.limit == CALLS[Tier(word)]
