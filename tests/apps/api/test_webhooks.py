"""Webhooks over the API: added, tried, given another secret, out of use and back, removed."""

import hashlib
import hmac
from typing import Any

import pytest

from tenants.models import AuditEntry, WebhookEndpoint
from tenants.notifications.delivering import deliver_due
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.tenants.hook_server import Receiver, receiving
from tests.apps.tenants.notices import some_news, tell_all
from tests.factories import NOW


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_LOOPBACK = True
    with receiving() as found:
        yield found


def add(client: Any, url: str, **body: Any) -> Any:
    return post(client, "/webhooks", {"url": url, **body})


def deliver(people) -> None:
    deliver_due(tenant_id=people.engine.tenant_id, clock=lambda: NOW)


def is_signed_with(secret: str, got: tuple[dict[str, str], bytes]) -> bool:
    headers, body = got
    signed = headers["X-NovaPulse-Timestamp"].encode() + b"." + body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, headers["X-NovaPulse-Signature"])


def test_a_webhook_is_added_with_a_secret_that_is_told_once(
    people, as_caller, receiver: Receiver
) -> None:
    client = as_caller("olga-admin")
    body = {"url": receiver.address, "kinds": ["ALERT"]}

    first = post(client, "/webhooks", body, **{"Idempotency-Key": "k"})
    again = post(client, "/webhooks", body, **{"Idempotency-Key": "k"})

    secret = first.json()["secret"]
    assert (first.status_code, secret[:7]) == (201, "nphook_")
    assert again.json() == {**first.json(), "secret": None}
    read = client.get(first["Location"])
    assert secret not in read.content.decode()
    (listed,) = client.get("/api/v1/webhooks").json()["items"]
    assert listed == read.json()
    assert (listed["kinds"], listed["least_severity"], listed["last"]) == (["ALERT"], 10, None)


def test_everything_but_fills_is_told_unless_said_otherwise(people, as_caller) -> None:
    made = add(as_caller("olga-admin"), "https://example.com/").json()

    assert {"ALERT", "SECURITY"} < set(made["kinds"])
    assert "FILL" not in made["kinds"]


def test_a_rotated_secret_signs_from_then_on(people, as_caller, receiver: Receiver) -> None:
    client = as_caller("olga-admin")
    made = add(client, receiver.address).json()
    path = f"/webhooks/{made['webhook']}"

    rotated = post(client, f"{path}/rotate").json()["secret"]
    outcome = post(client, f"{path}/test").json()

    assert outcome["sent"], outcome
    (got,) = receiver.got
    assert (is_signed_with(rotated, got), is_signed_with(made["secret"], got)) == (True, False)


def test_a_disabled_webhook_is_told_nothing_until_it_is_enabled(
    people, as_caller, receiver: Receiver
) -> None:
    client = as_caller("olga-admin")
    path = f"/webhooks/{add(client, receiver.address).json()['webhook']}"
    tell_all(people.engine.tenant_id, some_news(title="on its way"))

    assert post(client, f"{path}/disable").json()["disabled_at"] is not None
    tell_all(people.engine.tenant_id, some_news(title="meanwhile"))
    deliver(people)
    assert receiver.got == []
    tried = post(client, f"{path}/test").json()
    assert (tried["sent"], tried["reason"]) == (False, "the endpoint is disabled")

    assert post(client, f"{path}/enable").json()["disabled_at"] is None
    tell_all(people.engine.tenant_id, some_news(title="afterwards"))
    deliver(people)
    told = client.get(f"/api/v1{path}/deliveries").json()["items"]
    assert {one["title"]: (one["state"], one["reason"]) for one in told} == {
        "on its way": ("GIVEN_UP", "the endpoint is disabled"),
        "afterwards": ("SENT", ""),
    }


def test_deliveries_are_paged_and_tell_what_went_wrong(
    people, as_caller, receiver: Receiver
) -> None:
    client = as_caller("olga-admin")
    path = f"/webhooks/{add(client, receiver.address).json()['webhook']}"
    receiver.answers = [410]
    tell_all(people.engine.tenant_id, *(some_news(title=f"news {n}") for n in range(3)))
    for _ in range(3):  # of one that fails one is tried a round
        deliver(people)

    first = client.get(f"/api/v1{path}/deliveries?limit=2").json()
    second = client.get(f"/api/v1{path}/deliveries?limit=2&cursor={first['next']}").json()

    found = first["items"] + second["items"]
    assert sorted(one["title"] for one in found) == ["news 0", "news 1", "news 2"]
    assert {(one["state"], one["attempts"], one["reason"]) for one in found} == {
        ("GIVEN_UP", 1, "answered 410")
    }
    assert (len(second["items"]), second["next"]) == (1, None)
    assert client.get(f"/api/v1{path}").json()["last"]["reason"] == "answered 410"


def test_a_removed_webhook_is_gone_and_its_secret_forgotten(people, as_caller) -> None:
    client = as_caller("olga-admin")
    path = f"/webhooks/{add(client, 'https://example.com/').json()['webhook']}"

    removed = client.delete(f"/api/v1{path}")

    assert (removed.status_code, removed.json()["removed_at"] is not None) == (200, True)
    for act in ("rotate", "disable", "enable", "test"):
        assert post(client, f"{path}/{act}").status_code == 404
    assert client.get("/api/v1/webhooks").json() == {"items": []}
    with tenant_scope(people.engine.tenant_id):
        assert bytes(WebhookEndpoint.objects.get().sealed) == b""


def test_every_act_stands_in_the_audit_log_once(people, as_caller) -> None:
    client = as_caller("olga-admin")
    path = f"/webhooks/{add(client, 'https://example.com/hook?token=x').json()['webhook']}"
    for act in ("rotate", "disable", "disable", "enable", "enable"):
        assert post(client, f"{path}/{act}").status_code == 200
    client.delete(f"/api/v1{path}")

    with tenant_scope(people.engine.tenant_id):
        found = AuditEntry.objects.filter(action__startswith="webhook.").order_by("sequence")
        acts = [one.action.removeprefix("webhook.") for one in found]
        assert {(one.subject, one.actor) for one in found} == {("example.com", people.olga)}
    assert acts == ["add", "rotate", "disable", "enable", "remove"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "url", "required"),
        ({"url": "http://example.com/"}, "url", "the scheme was 'http'"),
        ({"url": "https://10.0.0.7/"}, "url", "10.0.0.7 is not the address of a public host"),
        ({"kinds": []}, "kinds", "empty"),
        ({"kinds": ["WEATHER"]}, "kinds", "WEATHER"),
        ({"least_severity": 11}, "least_severity", "11"),
        ({"uri": "https://example.com/"}, "uri", "did you mean 'url'"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field(
    people, as_caller, body: Any, field: str, words: str
) -> None:
    asked = body if body == {} else {"url": "https://example.com/", **body}

    answer = post(as_caller("olga-admin"), "/webhooks", asked)

    errors = answer.json()["errors"]
    assert answer.status_code == 400
    assert any(one["field"].startswith(field) and words in one["message"] for one in errors), errors


def test_a_sixth_webhook_is_refused(people, as_caller) -> None:
    client = as_caller("olga-admin")
    codes = [add(client, "https://example.com/").status_code for _ in range(6)]

    assert codes == [201] * 5 + [400]


def test_without_a_key_for_the_vault_nothing_is_kept(people, as_caller, monkeypatch) -> None:
    from tenants.vault import keyring

    client = as_caller("olga-admin")
    path = f"/webhooks/{add(client, 'https://example.com/').json()['webhook']}"

    def lost() -> Any:
        raise keyring.KekMissing("no KEK is set")

    monkeypatch.setattr(keyring, "load", lost)

    for answer in (add(client, "https://example.com/2"), post(client, f"{path}/rotate")):
        assert (answer.status_code, answer.json()["detail"]) == (409, "no KEK is set")
