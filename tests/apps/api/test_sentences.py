"""What is refused says which field, what was sent, and what is accepted; never a secret."""

from typing import Any

import pytest

from tests.apps.api.conftest import ASKED, issue, post, program
from tests.vault.conftest import SECRET

NOWHERE = "/accounts/00000000-0000-4000-8000-000000000000/key"


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        ("/backtest/run", {**ASKED, "profile": "reckless"}, "profile",
         ("'reckless' is not accepted", "active", "balanced")),
        ("/backtest/run", {**ASKED, "seed": "x"}, "seed", ("integer", "was 'x'")),
        ("/backtest/run", {**ASKED, "pairs": ["BTC/USD", "BTC"]}, "pairs.1", ("BTC", "BASE/QUOTE")),
        ("/keys", {"label": "x", "days": 0}, "days", ("greater than or equal to 1", "was 0.")),
        ("/keys", {"label": "x", "scope": ["read"]}, "scope", ("['read']", "read, trade, admin")),
        ("/keys", {"label": "x" * 61}, "label", ("no more than 60", "was 'xxx")),
        ("/keys", {"scope": "read"}, "label", ("required",)),
        ("/team/invitations", {"email": "nobody", "role": "VIEWER"}, "email", ("was 'nobody'",)),
        ("/control/pause", {"engine": "7"}, "engine", ("UUID", "was '7'")),
        ("/webhooks", {"url": "https://example.com/", "kinds": ["ALERT", "RAIN"]}, "kinds.1",
         ("'RAIN' is not accepted", "ALERT", "SECURITY")),
        ("/bots", {"account": "7", "name": "x", "pairs": ["BTC/USD"]}, "account", ("was '7'",)),
    ],
)  # fmt: skip
def test_a_body_is_refused_with_what_was_sent_and_what_is_accepted(
    people, as_caller, path: str, body: Any, field: str, words: tuple[str, ...]
) -> None:
    answer = post(as_caller("olga-admin"), path, body)

    assert answer.status_code == 400
    (told,) = answer.json()["errors"]
    assert told["field"] == field
    for one in words:
        assert one in told["message"], told


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("/fills?account=7", ("account", "was '7'")),
        ("/fills?since=yesterday", ("UTC", "was 'yesterday'")),
        ("/decisions?stage=dreaming", ("dreaming",)),
        ("/attribution?by=mood", ("strategy", "regime", "mood")),
        ("/notifications?kind=RAIN", ("ALERT", "RAIN")),
        ("/decisions?limit=501", ("1 to 500", "501")),
    ],
)
def test_a_query_is_refused_with_what_was_sent_and_what_is_accepted(
    people, as_caller, query: str, words: tuple[str, ...]
) -> None:
    answer = as_caller("vera-read").get(f"/api/v1{query}")

    assert answer.status_code == 400
    (told,) = answer.json()["errors"]
    for one in words:
        assert one in told["message"], told


def test_what_is_secret_is_not_told_again(people, as_caller) -> None:
    body = {"key": SECRET * 100, "secret": SECRET * 100}

    answer = post(as_caller("olga-admin"), NOWHERE, body)

    assert answer.status_code == 400
    assert {one["field"] for one in answer.json()["errors"]} == {"key", "secret"}
    assert SECRET not in answer.content.decode()


def test_an_idempotency_key_that_cannot_be_is_told(people) -> None:
    client = program(issue(people, "tom", "trade")[1])

    answer = post(client, "/control/pause", {}, **{"Idempotency-Key": "k" * 121})

    (told,) = answer.json()["errors"]
    assert told["field"] == "Idempotency-Key"
    assert "1 to 120" in told["message"]
    assert "was 'kkk" in told["message"]
