"""The page and the endpoint of an account's mode: what is on record, what is missing, an owner's reason."""

import pytest
from django.test import Client
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import AuditEntry, ExchangeAccount
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import as_caller, post  # noqa: F401 - a fixture
from tests.apps.step_up import step_up
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, people, signed_in  # noqa: F401 - a fixture
from tests.factories import NOW
from tests.vault.conftest import Kept
from trading.models import BacktestRun, Bot, Engine, EngineCommand

pytestmark = pytest.mark.django_db
REASON = "a year of live results elsewhere"


@pytest.fixture
def kept(people: People, settings) -> Kept:  # noqa: F811
    """A Kraken account whose key is good and whose engine stands still."""
    settings.ALLOW_LIVE = True
    made = Kept(people.engine.tenant_id, people.engine.account_id)
    with tenant_scope(made.tenant_id):
        ExchangeAccount.objects.update(venue="kraken")
        Engine.objects.update(desired="STOPPED", observed="STOPPED")
    made.seal()
    row = made.row()
    with tenant_scope(made.tenant_id):
        tenant_operations.note_check(
            credential_id=row.id, version=row.version, state="GOOD", detail="",
            rights=["query", "trade"], now=timezone.now(),
        )  # fmt: skip
    return made


def prove(kept: Kept, people: People) -> None:  # noqa: F811
    """A backtest that passed and enough fills on paper, long ago."""
    with tenant_scope(kept.tenant_id):
        revision = Bot.objects.get().active_revision
        BacktestRun.objects.create(
            tenant_id=kept.tenant_id, number=7, kind="BACKTEST", status="DONE",
            request={"timeframe": "1m", "pairs": ["BTC/USD"]}, result=b"x",
            params_hash=revision.params_hash, created_at=NOW, finished_at=NOW,
            facts={"verdict": {"level": "strong"}},
        )  # fmt: skip
    for number in range(1, 11):
        rows.write_fill(people.engine, number=number)


def mode(kept: Kept) -> str:
    with tenant_scope(kept.tenant_id):
        return ExchangeAccount.objects.get().mode


def acts(kept: Kept) -> list[dict[str, object]]:
    with tenant_scope(kept.tenant_id):
        return [one.after for one in AuditEntry.objects.filter(action="account.mode")]


@pytest.fixture
def olga(kept: Kept, people: People) -> Client:  # noqa: F811
    return step_up(signed_in(people.olga), people.olga)


def path(kept: Kept, act: str = "mode") -> str:
    return f"/exchange-accounts/{kept.account_id}/{act}/"


def test_the_page_tells_what_is_missing_and_takes_no_less_than_a_reason(kept, olga) -> None:
    shown = olga.get(path(kept)).content.decode()
    assert shown.count("✗") == 2
    assert "this revision has not traded on paper" in shown

    for reason in ("", "because"):
        refused = olga.post(path(kept), {"mode": "LIVE", "override": reason}).content.decode()
        assert "a reason of at least 10 characters" in refused
        assert mode(kept) == "PAPER"
    olga.post(path(kept), {"mode": "LIVE", "override": REASON})

    assert mode(kept) == "LIVE"
    (told,) = acts(kept)
    assert told["override"] == REASON
    assert len(told["missing"]) == 2


def test_the_page_tells_which_backtest_and_paper_period_speak_for_a_bot(kept, people, olga) -> None:  # noqa: F811
    prove(kept, people)

    shown = olga.get(path(kept)).content.decode()
    assert "/backtests/7/" in shown
    assert shown.count("✓") == 2
    assert "10 fills" in shown
    assert 'name="override"' not in shown

    olga.post(path(kept), {"mode": "LIVE"})
    assert mode(kept) == "LIVE"
    assert acts(kept)[0]["override"] == ""


def test_the_api_tells_the_same_and_refuses_the_same(kept, people, as_caller) -> None:  # noqa: F811
    address = f"/api/v1/accounts/{kept.account_id}/mode"
    owner = as_caller("olga-admin")

    told = as_caller("vera-read").get(address).json()
    refused = owner.put(address, {"mode": "LIVE"}, content_type="application/json")
    prove(kept, people)
    proven = as_caller("vera-read").get(address).json()
    done = owner.put(address, {"mode": "LIVE"}, content_type="application/json")

    assert (told["mode"], told["needed"], len(told["missing"])) == ("PAPER", [], 2)
    assert told["bots"][0]["backtest"] is None
    assert refused.status_code == 409
    assert "a reason of at least 10 characters" in refused.content.decode()
    (bot,) = proven["bots"]
    assert proven["missing"] == []
    assert (bot["backtest"], bot["paper_fills"]) == (7, 10)
    assert bot["paper_days"] >= 14
    assert (done.status_code, mode(kept)) == (200, "LIVE")


def test_play_money_is_asked_for_no_proof(kept, olga) -> None:
    with tenant_scope(kept.tenant_id):
        ExchangeAccount.objects.update(venue="simulator")

    shown = olga.get(path(kept)).content.decode()

    assert "play money" in shown
    assert 'id="evidence"' not in shown


def test_an_owner_chooses_what_guards_the_account(kept, people, olga) -> None:  # noqa: F811
    settings_page = path(kept, "x").replace("x/", "")
    assert 'value="STOPS" checked' in olga.get(settings_page).content.decode()

    olga.post(path(kept, "protection"), {"protection": "SWITCH"})

    shown = olga.get(settings_page).content.decode()
    assert 'value="SWITCH" checked' in shown
    assert "query, trade" in shown
    assert "a connection of its own" in shown
    assert "risk.max_drawdown" in shown
    tom = step_up(signed_in(people.tom), people.tom)
    assert tom.post(path(kept, "protection"), {"protection": "STOPS"}).status_code == 403
    stranger = step_up(signed_in(people.max), people.max)
    assert stranger.post(path(kept, "protection"), {"protection": "STOPS"}).status_code == 404
    with tenant_scope(kept.tenant_id):
        assert ExchangeAccount.objects.get().protection == "SWITCH"


def test_a_venue_without_a_switch_is_offered_none_and_refuses_it(kept, olga, as_caller) -> None:  # noqa: F811
    with tenant_scope(kept.tenant_id):
        ExchangeAccount.objects.update(venue="synthetic")

    shown = olga.get(path(kept, "x").replace("x/", "")).content.decode()
    answer = as_caller("olga-admin").put(
        f"/api/v1/accounts/{kept.account_id}/protection",
        {"protection": "SWITCH"},
        content_type="application/json",
    )

    assert 'name="protection"' not in shown
    assert answer.status_code == 409
    assert "no dead-man switch" in answer.content.decode()


def killed(kept: Kept) -> bool:
    with tenant_scope(kept.tenant_id):
        return EngineCommand.objects.filter(kind="KILL").exists()


def test_an_engine_with_real_orders_is_killed_with_the_second_factor(kept, people) -> None:  # noqa: F811
    address, kill = f"/engines/{people.engine.engine_id}/", "/control/kill"
    client = signed_in(people.olga)
    with tenant_scope(kept.tenant_id):
        ExchangeAccount.objects.update(mode="LIVE")

    asked = client.post(f"{address}commands/kill/", {"word": "kill"})
    told = client.post(f"{address}commands/kill/", {"word": "kill"}, headers={"HX-Request": "true"})
    by_session = post(client, kill, {})

    assert asked["Location"] == "/accounts/2fa/"
    assert told["HX-Redirect"] == "/accounts/2fa/"
    assert (by_session.status_code, "second factor" in by_session.json()["detail"]) == (403, True)
    assert not killed(kept)
    assert (
        client.post(f"{address}commands/pause/").status_code == 302
    )  # what stops entries never waits

    step_up(client, people.olga)
    assert client.post(f"{address}commands/kill/", {"word": "kill"})["Location"] == address
    assert killed(kept)


def test_on_paper_and_by_an_admin_key_a_kill_asks_for_nothing(kept, people, as_caller) -> None:  # noqa: F811
    assert (
        signed_in(people.olga)
        .post(f"/engines/{people.engine.engine_id}/commands/kill/", {"word": "kill"})
        .status_code
        == 302
    )
    assert killed(kept)
    with tenant_scope(kept.tenant_id):
        ExchangeAccount.objects.update(mode="LIVE")

    assert post(as_caller("olga-admin"), "/control/kill", {}).status_code == 202
