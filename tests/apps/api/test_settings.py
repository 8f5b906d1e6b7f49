"""Settings, favourites and starting over: by API and on pages."""

from decimal import Decimal
from typing import Any

import pytest

from tenants.models import AuditEntry, ExchangeAccount
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.trading import rows
from tests.apps.trading.conftest import signed_in
from trading.models import Bot, Engine, Favorite, LedgerEntry, SettingsVersion
from trading.operations.favorites import MOST_FAVORITES

SETTINGS = "/api/v1/settings"


def patch(client: Any, body: Any, **headers: str) -> Any:
    return client.patch(SETTINGS, body, content_type="application/json", headers=headers)


def fields(answer: Any) -> list[str]:
    return [one["field"] for one in answer.json()["errors"]]


def test_settings_are_changed_on_what_was_read_and_each_version_stays(people, as_caller) -> None:
    client = as_caller("olga-admin")
    first = client.get(SETTINGS)
    assert (first["ETag"], first.json()) == (
        '"s0"',
        {"version": 0, "name": "Acme", "bot_profile": "balanced", "bot_timeframe": "1m",
         "paper_cash": "10000"},
    )  # fmt: skip

    changed = patch(client, {"name": "Acme & Co", "paper_cash": "250.5"}, **{"If-Match": '"s0"'})
    late = patch(client, {"bot_timeframe": "1h"}, **{"If-Match": '"s0"'})
    without = patch(client, {"bot_timeframe": "1h"})

    assert (changed.status_code, changed["ETag"]) == (200, '"s1"')
    assert (changed.json()["name"], changed.json()["paper_cash"]) == ("Acme & Co", "250.5")
    assert (late.status_code, without.status_code) == (412, 428)
    assert client.get(SETTINGS).json() == changed.json()
    with tenant_scope(people.engine.tenant_id):
        assert SettingsVersion.objects.get().author == people.olga
        entry = AuditEntry.objects.get(action="settings.change")
        assert entry.before == {"name": "Acme", "paper_cash": "10000"}
        assert entry.after == {"name": "Acme & Co", "paper_cash": "250.50000000"}


def test_a_change_of_nothing_makes_no_version(people, as_caller) -> None:
    client = as_caller("olga-admin")

    same = patch(client, {"bot_profile": "balanced"}, **{"If-Match": "*"})

    assert (same.status_code, same["ETag"]) == (200, '"s0"')


@pytest.mark.parametrize(
    ("body", "field"),
    [({"bot_profil": "active"}, "bot_profil"), ({"bot_profile": "wild"}, "bot_profile"),
     ({"bot_timeframe": "7m"}, "bot_timeframe"), ({"paper_cash": "0"}, "paper_cash"),
     ({"paper_cash": "1e13"}, "paper_cash"), ({"name": ""}, "name"), ({"name": "\u200b"}, "name"),
     ({"name": "x" * 81}, "name"), ({"tenant": 1}, "tenant"), ({"version": 9}, "version")],
)  # fmt: skip
def test_what_no_setting_can_be_is_refused_by_its_name(as_caller, body: Any, field: str) -> None:
    answer = patch(as_caller("olga-admin"), body, **{"If-Match": "*"})

    assert (answer.status_code, fields(answer)) == (400, [field])


def test_settings_are_what_new_bots_and_accounts_begin_with(people, as_caller) -> None:
    client = as_caller("olga-admin")
    body = {"bot_profile": "active", "bot_timeframe": "1m", "paper_cash": "250"}
    patch(client, body, **{"If-Match": "*"})

    account = post(client, "/accounts", {"exchange": "synthetic", "label": "Second"}).json()
    bot = post(client, "/bots", {"account": account["account"], "name": "B", "pairs": ["BTC/USD"]})
    page = signed_in(people.olga)

    assert (bot.status_code, bot.json()["timeframe"]) == (201, "1m")
    with tenant_scope(people.engine.tenant_id):
        paid = LedgerEntry.objects.filter(account=account["account"], book="CAPITAL").get()
        made, first = Bot.objects.get(name="B"), Bot.objects.get(name="Bot")
        assert paid.amount == -250
        assert made.active_revision is not None
        assert first.active_revision is not None
        assert made.active_revision.params == first.active_revision.params  # active's
    assert 'value="250' in page.get("/exchange-accounts/new/").content.decode()
    new_bot = page.get(f"/bots/new/?account={account['account']}").content.decode()
    assert '<option value="active" selected>' in new_bot


def test_an_owner_changes_settings_on_the_page(people) -> None:
    client = signed_in(people.olga)
    body = {"based_on": "0", "name": "Acme", "bot_profile": "active", "bot_timeframe": "5m",
            "paper_cash": "10000"}  # fmt: skip

    assert client.post("/settings/", body).status_code == 302
    late = client.post("/settings/", {**body, "name": "Other"})

    assert "Version 1 is in force, not 0" in late.content.decode()
    page = client.get("/settings/").content.decode()
    assert "bot_timeframe 5m" in page
    assert "Based on" not in page  # hidden, and so is its label
    assert signed_in(people.tom).get("/settings/").status_code == 403


def test_favourites_are_each_members_own(people, as_caller) -> None:
    tom, olga = as_caller("tom-trade"), as_caller("olga-admin")

    twice = [post(tom, "/favorites", {"pair": pair}).json() for pair in ("XBT/USD", "BTC/USD")]
    post(tom, "/favorites", {"pair": "ETH/USD"})

    assert [one["pair"] for one in twice[1]["items"]] == ["BTC/USD"]  # one coin, two names
    assert [one["pair"] for one in tom.get("/api/v1/favorites").json()["items"]] == [
        "BTC/USD",
        "ETH/USD",
    ]
    assert olga.get("/api/v1/favorites").json() == {"items": []}
    assert olga.delete("/api/v1/favorites?pair=BTC/USD").status_code == 404
    left = tom.delete("/api/v1/favorites?pair=BTC/USD").json()["items"]
    assert [one["pair"] for one in left] == ["ETH/USD"]


@pytest.mark.parametrize("query", ["", "?pair=x", "?pear=BTC/USD"])
def test_a_pair_that_is_none_is_named(as_caller, query: str) -> None:
    answer = as_caller("tom-trade").delete(f"/api/v1/favorites{query}")

    assert answer.status_code == 400
    assert set(fields(answer)) <= {"pair", "pear"}


def test_there_is_an_end_to_favourites(people, as_caller) -> None:
    with tenant_scope(people.engine.tenant_id):
        Favorite.objects.bulk_create(
            Favorite(tenant_id=people.engine.tenant_id, user=people.tom, pair=f"C{n}/USD",
                     created_at=people.tom.date_joined)
            for n in range(MOST_FAVORITES)
        )  # fmt: skip

    assert post(as_caller("tom-trade"), "/favorites", {"pair": "BTC/USD"}).status_code == 409


def test_a_star_is_set_on_the_page_of_markets_and_comes_first(people) -> None:
    rows.write_decision(people.engine)
    client = signed_in(people.tom)
    assert "☆" in client.get("/markets/").content.decode()

    assert client.post("/markets/mark/", {"pair": "BTC/USD"}).status_code == 302

    page = client.get("/markets/").content.decode()
    assert "★" in page
    assert "The votes were too weak." in page
    assert "☆" in signed_in(people.olga).get("/markets/").content.decode()
    vera = signed_in(people.vera)
    assert vera.post("/markets/mark/", {"pair": "BTC/USD"}).status_code == 403
    assert "/markets/mark/" not in vera.get("/markets/").content.decode()
    assert client.post("/markets/unmark/", {"pair": "BTC/USD"}).status_code == 302
    assert client.post("/markets/unmark/", {"pair": "BTC/USD"}).status_code == 404
    assert client.post("/markets/mark/", {"pair": "nonsense"}).status_code == 404


def at_rest(people) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(desired="STOPPED", observed="STOPPED")


def test_a_paper_account_starts_over_by_api(people, as_caller) -> None:
    client = as_caller("tom-trade")
    body = {"account": str(people.engine.account_id), "cash": "777"}
    refused = post(client, "/paper/reset", body)
    at_rest(people)

    done = post(client, "/paper/reset", body)
    again = post(client, "/paper/reset", {"account": body["account"]})

    assert (refused.status_code, "stop its engine first" in refused.json()["detail"]) == (409, True)
    assert (done.status_code, done.json()["cash"], done.json()["currency"]) == (200, "777", "USD")
    assert again.json()["cash"] == "10000"
    with tenant_scope(people.engine.tenant_id):
        held = LedgerEntry.objects.filter(book="ASSETS")
        assert sum((one.amount for one in held), Decimal(0)) == 10_000
        assert LedgerEntry.objects.filter(book="CLOSED").count() == 0  # nothing was won or lost


def test_a_paper_account_starts_over_on_its_page(people) -> None:
    client, path = signed_in(people.tom), f"/exchange-accounts/{people.engine.account_id}/reset/"
    assert path in client.get("/exchange-accounts/").content.decode()

    refused = client.post(path, {"cash": "500"})
    at_rest(people)
    done = client.post(path, {"cash": "500"})

    assert "stop its engine first" in refused.content.decode()
    assert done.status_code == 302
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.update(mode="LIVE")
    assert "only a paper account" in client.post(path, {"cash": "1"}).content.decode()
    assert signed_in(people.vera).get(path).status_code == 403
    assert signed_in(people.max).get(path).status_code == 404
