"""API keys: made on the page or in the terminal, shown once, revoked for ever."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tenants.models import ApiKey, AuditEntry
from tenants.operations import digest_of
from tenants.scoping import tenant_scope


def rows(people) -> list[ApiKey]:
    with tenant_scope(people.acme.id):
        return list(ApiKey.objects.order_by("created_at", "id"))


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("api_key", *arguments, stdout=out)
    return out.getvalue().strip()


def test_olga_makes_a_key_which_is_shown_once_and_opens(people) -> None:
    client = people.client("olga")

    page = client.post("/keys/", {"label": "Watchdog", "scope": "read", "days": "30"})

    (key,) = rows(people)
    shown = page.content.decode().split('id="new-key">')[1].split("<")[0]
    assert digest_of(shown) == key.digest
    assert shown not in client.get("/keys/").content.decode()
    assert Client(headers={"X-API-Key": shown}).get("/api/v1/status").status_code == 200
    with tenant_scope(people.acme.id):
        assert ApiKey.objects.get().last_used_at is not None
        assert AuditEntry.objects.filter(action="api_key.issue", actor=people.olga).exists()


def test_a_revoked_key_opens_nothing(people) -> None:
    client = people.client("olga")
    page = client.post("/keys/", {"label": "Watchdog", "scope": "read"}).content.decode()
    secret = page.split('id="new-key">')[1].split("<")[0]

    unsure = client.post(f"/keys/{rows(people)[0].id}/revoke/", follow=True).content.decode()
    before = Client(headers={"X-API-Key": secret}).get("/api/v1/status").status_code
    client.post(f"/keys/{rows(people)[0].id}/revoke/", {"word": "revoke"})

    assert "Nothing was done: type “revoke” to go on; nothing was typed." in unsure
    assert before == 200
    assert Client(headers={"X-API-Key": secret}).get("/api/v1/status").status_code == 401
    assert "revoked" in client.get("/keys/").content.decode()


@pytest.mark.parametrize("given", [{"label": " "}, {"scope": "root"}, {"days": "0"}])
def test_a_wrong_key_is_refused_beside_its_field(people, given: dict[str, Any]) -> None:
    page = people.client("olga").post("/keys/", {"label": "L", "scope": "read", **given})

    assert 'role="alert"' in page.content.decode()
    assert rows(people) == []


def test_the_terminal_makes_lists_and_revokes(people) -> None:
    made = json.loads(run("create", "--tenant", "acme", "--label", "Cron", "--json"))
    assert Client(headers={"X-API-Key": made["key"]}).get("/api/v1/status").status_code == 200

    (listed,) = json.loads(run("list", "--tenant", "acme", "--json"))
    assert (listed["user"], listed["scope"]) == ("olga@people.example", "read")
    assert "key" not in listed
    run("revoke", listed["id"], "--tenant", "acme")

    assert Client(headers={"X-API-Key": made["key"]}).get("/api/v1/status").status_code == 401
    with pytest.raises(CommandError, match="no key"):
        run("revoke", listed["id"], "--tenant", "acme")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("create", "--tenant", "nobody", "--label", "x"), "nobody", 2),
        (("create", "--tenant", "acme", "--label", "x", "--user", "max@people.example"), "max", 2),
        (("create", "--tenant", "acme", "--label", "x", "--days", "0"), "days", 4),
    ],
)
def test_the_terminal_says_what_is_wrong(people, arguments, words: str, code: int) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        run(*arguments)

    assert caught.value.returncode == code
