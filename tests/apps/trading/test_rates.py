"""How much of its venue's rates an account has used, where people and programs look; and its tier."""

import json
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from tenants.models import AuditEntry, ExchangeAccount
from tenants.scoping import tenant_scope
from tests.apps.trading.conftest import People, signed_in
from trading.exchanges.kraken.call_rate import CallRate
from trading.exchanges.kraken.counters import Tier
from trading.exchanges.kraken.kept_rates import write_rates
from trading.exchanges.kraken.sign import Nonces
from trading.exchanges.kraken.trading_rate import TradingRate
from trading.models import Engine, EngineSnapshot
from trading.queries.rates import list_rates


def commit(people: People, *, used: float, mode: str = "LIVE", state: bytes | None = None) -> None:
    """What an engine at Kraken would leave in its journal."""
    calls = CallRate(now_ns=int)
    trading = TradingRate(symbols=["BTC/USD"], tier=Tier.STARTER, now_ns=int)
    calls.counter.be_at_least(3)
    trading.hear("BTC/USD", used)
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(observed="RUNNING", heartbeat_at=timezone.now())
        ExchangeAccount.objects.update(venue="simulator", mode=mode)
        EngineSnapshot.objects.create(
            tenant_id=people.engine.tenant_id,
            engine_id=people.engine.engine_id,
            sequence=1,
            account=b"",
            venue=write_rates(calls, trading, Nonces()) if state is None else state,
            portable=b"",
            saved_at=timezone.now(),
        )


def words_of(people: People) -> list[str]:
    with tenant_scope(people.engine.tenant_id):
        return [one.words for one in list_rates(account_id=people.engine.account_id)]


def doctor() -> list[dict[str, Any]]:
    out = StringIO()
    with suppress(SystemExit):  # what else it looks at is not this test's
        call_command("doctor", json=True, stdout=out)
    return [one for one in json.loads(out.getvalue()) if one["check"] == "venue's limits"]


def test_what_was_used_is_told_of_a_live_account_alone(people: People) -> None:
    commit(people, used=12)
    assert words_of(people) == ["BTC/USD 12 of 60", "private calls 3 of 15"]

    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.update(mode="PAPER")

    assert words_of(people) == []


@pytest.mark.parametrize("state", [b"", b"[]", b"[{}]"])
def test_what_another_venue_keeps_is_not_taken_for_it(people: People, state: bytes) -> None:
    commit(people, used=0, state=state)

    assert words_of(people) == []
    assert doctor() == []


@pytest.mark.parametrize(("used", "verdict"), [(12, "ok"), (45, "ok"), (46, "warn")])
def test_the_doctor_warns_when_most_of_it_is_used(people: People, used: int, verdict: str) -> None:
    commit(people, used=used)

    (told,) = doctor()

    assert told["verdict"] == verdict
    assert told["words"] == f"acme: Paper has used BTC/USD {used} of 60, private calls 3 of 15"


def test_pages_tell_it_to_those_of_the_workspace(people: People) -> None:
    commit(people, used=46)

    words = "BTC/USD 46 of 60, private calls 3 of 15"
    for path in ("/exchange-accounts/", "/status/"):
        assert words in signed_in(people.vera).get(path).content.decode(), path
        assert words not in signed_in(people.max).get(path).content.decode(), path


def test_programs_read_it_with_the_account(people: People) -> None:
    commit(people, used=46)

    (told,) = signed_in(people.vera).get("/api/v1/accounts").json()["items"]

    assert told["tier"] == "STARTER"
    rates = [(one["of"], one["used"], one["limit"]) for one in told["rates"]]
    assert rates == [("BTC/USD", 46.0, 60.0), ("private calls", 3.0, 15.0)]


def test_an_owner_alone_chooses_the_tier_on_its_page(people: People) -> None:
    commit(people, used=0)
    page = f"/exchange-accounts/{people.engine.account_id}/"

    for name, expected in {"max": 404, "vera": 403, "tom": 403, "olga": 302}.items():
        answer = signed_in(getattr(people, name)).post(f"{page}tier/", {"tier": "INTERMEDIATE"})
        assert answer.status_code == expected, name

    with tenant_scope(people.engine.tenant_id):
        assert ExchangeAccount.objects.get().tier == "INTERMEDIATE"
        assert AuditEntry.objects.get(action="account.tier").actor == people.olga
    shown = signed_in(people.olga).get(page).content.decode()
    assert '<option value="INTERMEDIATE" selected>' in shown


def test_a_venue_without_tiers_offers_none_and_takes_none(people: People) -> None:
    client, page = signed_in(people.olga), f"/exchange-accounts/{people.engine.account_id}/"

    assert "Choose the tier" not in client.get(page).content.decode()
    refused = client.post(f"{page}tier/", {"tier": "PRO"}, follow=True).content.decode()
    by_program = client.put(
        f"/api/v1/accounts/{people.engine.account_id}/tier",
        {"tier": "PRO"},
        content_type="application/json",
    )

    assert "This venue has no tiers; Kraken has." in refused
    assert by_program.status_code == 409
    with tenant_scope(people.engine.tenant_id):
        assert ExchangeAccount.objects.get().tier == "STARTER"
