"""Accounts, bots and wishes by API: the same rules as the pages, once per Idempotency-Key."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from trading.models import Engine

ACCOUNT = {"exchange": "simulator", "label": "By program", "cash": "250"}


def made(client: Any) -> dict[str, Any]:
    answer = post(client, "/accounts", ACCOUNT)
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    return told


def bot(account: str, **changed: Any) -> dict[str, Any]:
    return {"account": account, "name": "Robot", "pairs": ["BTC/USD"], **changed}


def test_a_program_goes_from_an_account_to_a_started_engine(people, as_caller) -> None:
    client = as_caller("olga-admin")

    account = made(client)
    robot = post(client, "/bots", bot(account["account"], timeframe="5m", profile="active"))
    started = post(client, "/control/start", {"engine": account["engine"]})

    assert (account["mode"], account["currency"], account["key"]) == ("PAPER", "USD", None)
    assert robot.status_code == 201
    told = robot.json()
    assert (told["engine"], told["pairs"], told["timeframe"], told["active_revision"]) == (
        account["engine"], ["BTC/USD"], "5m", 1,
    )  # fmt: skip
    assert (started.status_code, started.json()["desired"]) == (202, "RUNNING")
    listed = client.get("/api/v1/bots").json()["items"]
    assert [one["name"] for one in listed] == ["Robot", "Bot"]
    stopped = post(client, "/control/stop", {"engine": account["engine"]})
    assert stopped.json()["desired"] == "STOPPED"


def test_accounts_are_told_page_by_page_at_the_cost_of_one(
    people, as_caller, django_assert_max_num_queries
) -> None:
    client = as_caller("olga-admin")
    for number in range(6):
        post(client, "/accounts", {**ACCOUNT, "label": f"Number {number}"})
    whole = client.get("/api/v1/accounts").json()
    with CaptureQueriesContext(connection) as of_one:
        client.get("/api/v1/accounts?limit=1")

    with django_assert_max_num_queries(len(of_one)):
        pages = [client.get("/api/v1/accounts?limit=3").json()]
    while pages[-1]["next"]:
        pages.append(client.get(f"/api/v1/accounts?limit=3&cursor={pages[-1]['next']}").json())

    assert [one for page in pages for one in page["items"]] == whole["items"]
    assert (len(whole["items"]), whole["next"], len(pages)) == (7, None, 3)
    wrong = client.get("/api/v1/accounts?cursor=here")
    assert (wrong.status_code, "'here' was not given" in wrong.content.decode()) == (400, True)


def test_the_same_request_twice_is_one_account(people, as_caller) -> None:
    client = as_caller("olga-admin")

    first, second = (
        post(client, "/accounts", ACCOUNT, **{"Idempotency-Key": "add-1"}) for _ in range(2)
    )

    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    with tenant_scope(people.engine.tenant_id):
        assert ExchangeAccount.objects.filter(label="By program").count() == 1


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"label": "PAPER"}, "label", "'PAPER' is taken"),
        ({"exchange": "mtgox"}, "exchange", "'mtgox': accepted is kraken"),
        ({"currency": "EUR"}, "currency", "quoted in USD only"),
        ({"cash": "-1"}, "cash", "-1.00000000, accepted is 1 to"),
        ({"speed": "fast"}, "speed", "fast"),
        ({"mode": "LIVE"}, "mode", "No such field"),
    ],
)
def test_an_account_that_cannot_be_is_refused_by_its_field(
    people, as_caller, changed: dict[str, str], field: str, words: str
) -> None:
    answer = post(as_caller("olga-admin"), "/accounts", {**ACCOUNT, **changed})

    assert answer.status_code == 400
    told = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert words in told[field]


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"pairs": ["MOON/USD"]}, "pairs", "known on By program"),
        ({"pairs": ["BTC/USD", "BTC/USD"]}, "pairs", "there twice"),
        ({"name": " "}, "name", "blank"),
        ({"timeframe": "7x"}, "timeframe", "accepted are"),
        ({"profile": "wild"}, "profile", "wild"),
    ],
)
def test_a_bot_that_cannot_be_is_refused_by_its_field(
    people, as_caller, changed: dict[str, Any], field: str, words: str
) -> None:
    client = as_caller("olga-admin")

    answer = post(client, "/bots", bot(made(client)["account"], **changed))

    assert answer.status_code == 400
    (told,) = [e["message"] for e in answer.json()["errors"] if e["field"].startswith(field)]
    assert words in told


def test_an_account_out_of_use_starts_nothing(people, as_caller) -> None:
    client = as_caller("olga-admin")
    account = made(client)
    path = f"/accounts/{account['account']}"

    disabled = post(client, f"{path}/disable")

    assert disabled.json()["disabled_at"] is not None
    assert post(client, f"{path}/disable").status_code == 409
    refused = post(client, "/control/start", {"engine": account["engine"]})
    assert (refused.status_code, "enable it first" in refused.json()["detail"]) == (409, True)
    assert post(client, "/bots", bot(account["account"])).status_code == 400
    assert post(client, f"{path}/enable").json()["disabled_at"] is None


def test_a_running_account_is_not_put_out_of_use(people, as_caller) -> None:
    answer = post(as_caller("olga-admin"), f"/accounts/{people.engine.account_id}/disable")

    assert (answer.status_code, "stop its engine first" in answer.json()["detail"]) == (409, True)


def test_the_reason_why_an_engine_does_not_run_is_told(people, as_caller) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(observed="FAILED", detail="Kraken does not list DOGE/USD")

    (engine,) = as_caller("vera").get("/api/v1/status").json()["engines"]

    assert (engine["observed"], engine["detail"]) == ("FAILED", "Kraken does not list DOGE/USD")


def test_nothing_of_another_workspace_is_renamed_or_started(people, as_caller) -> None:
    client, account = as_caller("max-admin"), people.engine.account_id

    renamed = client.patch(
        f"/api/v1/accounts/{account}", {"label": "Mine"}, content_type="application/json"
    )
    started = post(client, "/control/start", {"engine": str(people.engine.engine_id)})

    assert (renamed.status_code, started.status_code) == (404, 404)
    assert post(client, "/control/stop", {"engine": str(uuid.uuid4())}).status_code == 404
