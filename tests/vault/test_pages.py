"""The page Exchange accounts: who sees what, who may change it, and never without a second factor."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tenants import operations as tenant_operations
from tenants.models import AuditEntry, ExchangeAccount, ExchangeCredential
from tenants.scoping import tenant_scope
from tests.apps.step_up import give_second_factor, step_up
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, people, signed_in  # noqa: F401 - a fixture
from tests.factories import NOW
from tests.vault.conftest import KEY, OTHER_KEY, OTHER_SECRET, SECRET, Kept
from trading.models import Bot, Engine, EngineCommand

pytestmark = pytest.mark.django_db
LIST = "/exchange-accounts/"
GIVEN = {"key": KEY, "secret": SECRET}
ACTS = ("key", "mode", "check", "disable")


@dataclass(frozen=True)
class House:
    """Acme's people and the account of its engine, at the simulator."""

    people: People
    kept: Kept

    def path(self, act: str) -> str:
        return f"{LIST}{self.kept.account_id}/{act}/"

    def account(self) -> ExchangeAccount:
        with tenant_scope(self.kept.tenant_id):
            return ExchangeAccount.objects.get(id=self.kept.account_id)

    def audit(self) -> list[str]:
        with tenant_scope(self.kept.tenant_id):
            entries = AuditEntry.objects.filter(action__regex="exchange_key|account")
            return list(entries.order_by("sequence").values_list("action", flat=True))

    def set(self, model: Any, **values: Any) -> None:
        with tenant_scope(self.kept.tenant_id):
            model.objects.update(**values)


@pytest.fixture
def house(people) -> House:  # noqa: F811
    kept = Kept(people.engine.tenant_id, people.engine.account_id)
    made = House(people, kept)
    made.set(ExchangeAccount, venue="simulator")
    made.set(Engine, desired="STOPPED", observed="STOPPED")
    return made


@pytest.fixture
def olga(house) -> Client:
    return step_up(signed_in(house.people.olga), house.people.olga)


def test_every_member_sees_how_keys_stand_and_nothing_more_of_them(house) -> None:
    house.kept.seal()
    rows.write_hold(house.people.engine)

    for name in ("olga", "tom", "vera"):
        page = signed_in(getattr(house.people, name)).get(LIST).content.decode()

        assert f"…{KEY[-4:]}" in page
        assert "hold since" in page
        assert KEY not in page
        assert SECRET not in page
        assert ("Rotate" in page) == (name == "olga")


def test_max_sees_no_account_of_acme(house) -> None:
    house.kept.seal()

    page = signed_in(house.people.max).get(LIST).content.decode()

    assert str(house.kept.account_id) not in page
    assert KEY[-4:] not in page


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["tom", "vera"])
def test_who_does_not_own_changes_nothing(house, act: str, name: str) -> None:
    house.kept.seal()
    user = getattr(house.people, name)

    answer = step_up(signed_in(user), user).post(house.path(act), {**GIVEN, "mode": "LIVE"})

    assert answer.status_code == 403
    assert house.audit() == ["exchange_key.add"]


@pytest.mark.parametrize("act", ACTS)
def test_max_finds_nothing_to_change(house, act: str) -> None:
    house.kept.seal()
    client = step_up(signed_in(house.people.max), house.people.max)

    answer = client.post(house.path(act), {**GIVEN, "mode": "LIVE"})

    assert answer.status_code == 404
    assert house.audit() == ["exchange_key.add"]


@pytest.mark.parametrize("act", ["key", "mode"])
def test_without_a_second_factor_one_is_to_be_set_up_first(house, act: str) -> None:
    client = signed_in(house.people.olga)

    for answer in (client.get(house.path(act)), client.post(house.path(act), GIVEN)):
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/")
    assert "set up an app or a passkey" in client.get("/accounts/2fa/").content.decode()
    assert house.audit() == []


@pytest.mark.parametrize("act", ["key", "mode"])
def test_a_factor_that_was_not_given_lately_is_asked_for_and_leads_back(house, act: str) -> None:
    give_second_factor(house.people.olga)
    client = signed_in(house.people.olga)

    answer = client.post(house.path(act), GIVEN)

    there = urlsplit(answer["Location"])
    assert there.path == "/accounts/2fa/reauthenticate/"
    assert parse_qs(there.query) == {"next": [house.path(act)]}
    assert SECRET not in str(dict(client.session))
    assert house.audit() == []


def test_a_step_up_wears_off(house, olga) -> None:
    session = olga.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 301
    session.save()

    assert olga.get(house.path("key")).status_code == 302
    assert olga.post(house.path("key"), GIVEN).status_code == 302
    assert house.audit() == []


def test_olga_adds_tests_rotates_and_disables_a_key(house, olga) -> None:
    assert olga.post(house.path("key"), GIVEN)["Location"] == LIST
    page = olga.get(LIST).content.decode()
    assert "being checked" in page
    assert 'hx-trigger="every 2s"' in page
    with tenant_scope(house.kept.tenant_id):
        row = ExchangeCredential.objects.get()
        tenant_operations.note_check(
            credential_id=row.id, version=1, state="GOOD", detail="", rights=["one"], now=NOW
        )
    page = olga.get(LIST).content.decode()
    assert "May trade, cannot withdraw" in page
    assert "hx-trigger" not in page
    assert "Checked (UTC)" in page
    assert "2026-01-05 12:00" in page

    olga.post(house.path("check"))
    assert house.kept.row().check_asked_at is not None
    olga.post(house.path("key"), {"key": OTHER_KEY, "secret": OTHER_SECRET})
    assert f"…{OTHER_KEY[-4:]}" in olga.get(LIST).content.decode()
    olga.post(house.path("disable"))
    assert "Disabled" in olga.get(LIST).content.decode()
    acts = ("add", "check", "check_asked", "rotate", "disable")
    assert house.audit() == [f"exchange_key.{act}" for act in acts]


def test_a_wrong_key_is_told_beside_the_form_which_forgets_what_was_typed(house, olga) -> None:
    page = olga.post(house.path("key"), {"key": KEY, "secret": "not base64!"}).content.decode()

    assert "base64 text" in page
    assert "not base64!" not in page
    assert house.audit() == []


def test_a_disabled_key_holds_the_entries_of_a_live_engine(house, olga) -> None:
    house.kept.seal()
    house.set(ExchangeAccount, mode="LIVE")

    olga.post(house.path("disable"))

    with tenant_scope(house.kept.tenant_id):
        command = EngineCommand.objects.get()
    assert (command.kind, command.reason) == ("HOLD_KEY", "the account's key was disabled")


def test_the_simulators_account_goes_live_and_back_with_its_bots(house, olga) -> None:
    house.kept.seal()

    olga.post(house.path("mode"), {"mode": "LIVE"})

    with tenant_scope(house.kept.tenant_id):
        assert Bot.objects.get().stage == "LIVE"
    assert house.account().mode == "LIVE"
    olga.post(house.path("mode"), {"mode": "PAPER"})
    assert house.account().mode == "PAPER"
    assert house.audit()[-2:] == ["account.mode", "account.mode"]


def test_without_a_key_nothing_goes_live(house, olga) -> None:
    page = olga.post(house.path("mode"), {"mode": "LIVE"}).content.decode()

    assert "it has no key" in page
    assert house.account().mode == "PAPER"


def test_a_running_engine_keeps_its_mode(house, olga) -> None:
    house.kept.seal()
    house.set(Engine, desired="RUNNING")

    page = olga.post(house.path("mode"), {"mode": "LIVE"}).content.decode()

    assert "stop its engine first" in page
    assert house.account().mode == "PAPER"


def test_an_open_position_keeps_the_mode(house, olga) -> None:
    house.kept.seal()
    rows.write_position(house.people.engine)

    page = olga.post(house.path("mode"), {"mode": "LIVE"}).content.decode()

    assert "close its positions first" in page


def test_an_account_that_is_not_there_is_not_found(house, olga) -> None:
    for act in ACTS:
        assert olga.post(f"{LIST}{uuid.uuid4()}/{act}/", GIVEN).status_code == 404


def test_a_key_that_may_everything_needs_the_second_factor_too(house) -> None:
    client = signed_in(house.people.olga)
    asked = {"label": "Root", "scope": "admin"}

    assert client.post("/keys/", asked)["Location"] == "/accounts/2fa/"
    assert "new-key" in step_up(client, house.people.olga).post("/keys/", asked).content.decode()
