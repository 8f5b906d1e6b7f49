"""Bots over the API: revisions are read, and made only of what was read; a looser one waits."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.models import AuditEntry, ExchangeAccount
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.step_up import step_up
from tests.factories import NOW
from trading import operations
from trading.core.config.profiles import PROFILES
from trading.core.params import to_mapping
from trading.models import Bot, BotRevision, RevisionWait

TIGHTER, LOOSER = {"risk.max_open_positions": 3}, {"risk.max_open_positions": 9}


@pytest.fixture
def path(people) -> str:
    with tenant_scope(people.engine.tenant_id):
        return f"/bots/{Bot.objects.get().id}"


def change(client: Any, path: str, params: Any, *, match: str = '"r1"', **headers: str) -> Any:
    headers = {"If-Match": match, **headers}
    return post(client, f"{path}/revisions", {"params": params}, **headers)


def numbers(people) -> tuple[int, int]:
    """Of the revision in force, and of the newest."""
    with tenant_scope(people.engine.tenant_id):
        bot = Bot.objects.select_related("active_revision").get()
        return bot.active_revision.number, BotRevision.objects.count()


def test_a_bot_is_told_with_its_parameters_and_a_tag(people, as_caller, path) -> None:
    answer = as_caller("vera-read").get(f"/api/v1{path}")

    told = answer.json()
    assert answer["ETag"] == '"r1"'
    assert (told["name"], told["pairs"], told["timeframe"]) == ("Bot", ["BTC/USD"], "1m")
    assert (told["stage"], told["active_revision"], told["revisions"]) == ("PAPER", 1, 1)
    assert told["engine"] == str(people.engine.engine_id)
    assert told["params"] == to_mapping(PROFILES["active"])


def test_a_tighter_revision_is_in_force_at_once(people, as_caller, path) -> None:
    client = as_caller("tom-trade")

    answer = change(client, path, TIGHTER)

    assert (answer.status_code, answer["ETag"]) == (201, '"r2"')
    told = client.get(answer["Location"]).json()
    assert told == answer.json()
    assert (told["revision"], told["is_active"], told["author"]) == (2, True, "tom@example.com")
    assert (told["params"]["risk"]["max_open_positions"], told["wait"]) == (3, None)
    assert numbers(people) == (2, 2)


def test_a_group_is_changed_as_an_object(people, as_caller, path) -> None:
    answer = change(as_caller("tom-trade"), path, {"risk": {"max_open_positions": 3}})

    assert answer.json()["params"]["risk"]["max_open_positions"] == 3


@pytest.mark.parametrize(("headers", "code"), [({}, 428), ({"If-Match": '"r7"'}, 412)])
def test_nobody_changes_what_he_has_not_seen(people, as_caller, path, headers, code) -> None:
    answer = post(as_caller("tom-trade"), f"{path}/revisions", {"params": TIGHTER}, **headers)

    assert (answer.status_code, answer["Content-Type"]) == (code, "application/problem+json")
    assert '"r1"' in answer.json()["detail"]
    assert numbers(people) == (1, 1)


def test_of_two_who_saw_the_same_one_changes_it(people, as_caller, path) -> None:
    first = change(as_caller("tom-trade"), path, TIGHTER)
    second = change(as_caller("olga-admin"), path, {"risk.max_open_positions": 2})

    assert (first.status_code, second.status_code) == (201, 412)
    assert numbers(people) == (2, 2)


def test_the_same_request_is_one_revision_also_after_it_changed_the_tag(
    people, as_caller, path
) -> None:
    client = as_caller("tom-trade")

    first = change(client, path, TIGHTER, **{"Idempotency-Key": "k"})
    again = change(client, path, TIGHTER, **{"Idempotency-Key": "k"})

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert numbers(people) == (2, 2)


def test_a_traders_key_may_not_loosen(people, as_caller, path) -> None:
    answer = change(as_caller("tom-trade"), path, LOOSER)

    assert answer.status_code == 403
    assert answer.json()["detail"] == "Only an owner may loosen risk.max_open_positions."
    assert numbers(people) == (1, 1)


def test_an_owners_key_only_proposes_to_loosen(people, as_caller, path) -> None:
    answer = change(as_caller("olga-admin"), path, LOOSER)

    told = answer.json()
    assert (answer.status_code, answer["ETag"]) == (202, '"r1"')
    assert (told["is_active"], told["wait"]["loosens"]) == (False, ["risk.max_open_positions"])
    assert told["wait"]["ended_at"] is None
    assert numbers(people) == (1, 2)
    with tenant_scope(people.engine.tenant_id):
        assert RevisionWait.objects.filter(ended_at=None).count() == 1
        assert AuditEntry.objects.filter(action="bot.ask_loosening").exists()


def test_an_owners_session_loosens_with_the_second_factor_alone(people, as_caller, path) -> None:
    client = as_caller("olga")

    refused = change(client, path, LOOSER)
    waits = change(step_up(client, people.olga), path, LOOSER)

    assert (refused.status_code, waits.status_code) == (403, 202)
    assert "second factor" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({}, 400, "empty"),
        ({"risk.max_open_position": 3}, 400, "did you mean"),
        ({"risk.max_open_positions": 3000}, 400, "risk.max_open_positions"),
        ({"risk.max_open_positions": [1, 2]}, 400, "one value"),
        ({"risk.max_open_positions": 5}, 409, "Nothing differs"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    people, as_caller, path, params: Any, code: int, words: str
) -> None:
    answer = change(as_caller("tom-trade"), path, params)

    assert (answer.status_code, words in answer.content.decode()) == (code, True), answer.content
    assert numbers(people) == (1, 1)


def test_revisions_are_paged_and_the_queries_do_not_grow(people, as_caller, path) -> None:
    client = as_caller("tom-trade")
    for number, most in ((1, 4), (2, 3), (3, 2)):
        change(client, path, {"risk.max_open_positions": most}, match=f'"r{number}"')

    first = client.get(f"/api/v1{path}/revisions?limit=3").json()
    second = client.get(f"/api/v1{path}/revisions?limit=3&cursor={first['next']}").json()

    found = [one["revision"] for one in first["items"] + second["items"]]
    assert (found, second["next"]) == ([4, 3, 2, 1], None)
    assert asked(client, f"{path}/revisions?limit=1") == asked(client, f"{path}/revisions")


def test_the_queries_of_lists_do_not_grow_with_bots(people, as_caller) -> None:
    client = as_caller("vera-read")
    client.get("/api/v1/bots")
    before = [asked(client, one) for one in ("/bots", "/risk")]
    with tenant_scope(people.engine.tenant_id):
        for name in ("Second", "Third"):
            operations.create_bot(
                account=account_without_an_engine(people, name), name=name,
                instruments=[people.engine.instrument], timeframe_seconds=60,
                params=to_mapping(PROFILES["balanced"]), actor=None, now=NOW,
            )  # fmt: skip

    assert [asked(client, one) for one in ("/bots", "/risk")] == before
    told = {one["name"]: one["engine"] for one in client.get("/api/v1/bots").json()["items"]}
    assert told == {"Bot": str(people.engine.engine_id), "Second": None, "Third": None}


def account_without_an_engine(people, label: str) -> ExchangeAccount:
    return ExchangeAccount.objects.create(
        tenant_id=people.engine.tenant_id, venue="synthetic", label=label
    )


def asked(client: Any, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/api/v1{path}").status_code == 200
    return len(queries)


def test_another_workspace_finds_no_bot(people, as_caller, path) -> None:
    client = as_caller("max-admin")

    assert client.get("/api/v1/bots").json() == {"items": [], "next": None}
    assert client.get(f"/api/v1{path}").status_code == 404
    assert change(client, path, TIGHTER).status_code == 404
    assert numbers(people) == (1, 1)
