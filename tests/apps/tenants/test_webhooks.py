"""Outgoing webhooks: signed, tried again, and never sent where nobody outside should reach."""

import hashlib
import hmac
import json
import socket
from datetime import datetime, timedelta

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.models import Delivery, WebhookEndpoint
from tenants.notifications import endpoints
from tenants.notifications.addresses import ForbiddenAddress, check_address, check_url
from tenants.notifications.channels import posting, webhook
from tenants.notifications.delivering import DELAYS, LEASE, deliver_due
from tenants.notifications.news import Severity
from tenants.scoping import tenant_scope
from tests.apps.tenants.hook_server import Receiver, receiving
from tests.apps.tenants.notices import keep_hook, some_news, tell_all
from tests.factories import NOW, make_tenant

PRIVATE = (
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
    "192.0.0.8", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
    "fec0::1", "ff02::1", "2001:0:7f00:1::", "2001:db8::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.fixture
def here(settings) -> None:
    settings.WEBHOOK_LOOPBACK = True


@pytest.fixture
def receiver(here):
    with receiving() as found:
        yield found


@pytest.fixture
def tenant_id(db):
    return make_tenant("acme").id


def deliver(tenant_id, now: datetime = NOW) -> int:
    return deliver_due(tenant_id=tenant_id, clock=lambda: now)


def hook_delivery(tenant_id) -> Delivery:
    with tenant_scope(tenant_id):
        return Delivery.objects.get(channel=Delivery.Channel.WEBHOOK)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_called(address):
    with pytest.raises(ForbiddenAddress, match="public host"):
        check_address(address, allow_loopback=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address):
    check_address(address, allow_loopback=False)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_like_itself(address):
    def is_refused(text: str) -> bool:
        try:
            check_address(text, allow_loopback=False)
        except ForbiddenAddress:
            return True
        return False

    bare = is_refused(str(address))

    assert is_refused(f"::ffff:{address}") == bare
    assert is_refused(f"64:ff9b::{address}") == bare


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
        "https://", "https:///path", "https://user@example.com/", "https://user:pw@example.com/",
        "https://example.com/#part", "https://example.com:0/", "https://example.com:99999/",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "//example.com/",
        "https://exa mple.com/", "https://example.com/\r\nHost: x", "https://example.com\\@x/",
        "http://localhost/", "https://" + "a" * 500, "https://[::1", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_a_url_that_may_not_be_called_is_refused_by_its_words(url):
    with pytest.raises(ForbiddenAddress, match=r"^url: "):
        check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["https://example.com/hook?a=b", "https://1.1.1.1:8443/"])
def test_a_public_url_over_tls_is_accepted(url):
    check_url(url, allow_loopback=False)


def test_without_the_operators_word_this_machine_is_out_of_reach(settings):
    settings.WEBHOOK_LOOPBACK = False
    with receiving() as receiver, pytest.raises(webhook.SendFailed) as refused:
        webhook.send_webhook(receiver.address, "secret", message())

    assert refused.value.is_final
    assert receiver.got == []


@pytest.mark.parametrize("spelled", ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1"])
def test_odd_spellings_of_loopback_reach_nothing(settings, spelled):
    settings.WEBHOOK_LOOPBACK = False
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        with pytest.raises(webhook.SendFailed):
            webhook.send_webhook(
                f"https://{spelled}:{listening.getsockname()[1]}/", "secret", message()
            )
        with pytest.raises(TimeoutError):
            listening.accept()


@pytest.mark.parametrize("leads_to", ["127.0.0.1", "::1", "169.254.169.254", "10.0.0.1"])
def test_a_name_is_judged_by_the_address_it_is_connected_to(settings, monkeypatch, leads_to):
    """The name's words are harmless; what the resolver says at the moment of connecting counts."""
    settings.WEBHOOK_LOOPBACK = False
    family = socket.AF_INET6 if ":" in leads_to else socket.AF_INET
    place = (leads_to, 443, 0, 0) if ":" in leads_to else (leads_to, 443)

    def resolve(*_: object, **__: object) -> list[object]:
        return [(family, socket.SOCK_STREAM, 6, "", place)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(aiohttp.connector, "DefaultResolver", aiohttp.ThreadedResolver)
    with pytest.raises(webhook.SendFailed) as refused:
        webhook.send_webhook("https://rebound.example/", "secret", message())

    assert "public host" in str(refused.value)
    assert refused.value.is_final


def test_a_name_of_this_machine_leads_nowhere_else(settings):
    """By the machine's own resolver."""
    settings.WEBHOOK_LOOPBACK = False
    with receiving() as receiver:
        url = receiver.address.replace("http://127.0.0.1", "https://localhost")
        with pytest.raises(webhook.SendFailed, match="public host"):
            webhook.send_webhook(url, "secret", message())

    assert receiver.got == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://nobody.invalid/", "the host's name leads nowhere"),
        ("https://127.0.0.1:1/", "no connection was made"),
    ],
)
def test_a_failure_is_told_in_words(here, url, words):
    with pytest.raises(webhook.SendFailed) as failed:
        webhook.send_webhook(url, "secret", message())

    assert str(failed.value) == words


def test_a_host_that_does_not_speak_tls_gets_nothing(here, receiver: Receiver):
    with pytest.raises(webhook.SendFailed):
        webhook.send_webhook(receiver.address.replace("http:", "https:"), "secret", message())

    assert receiver.got == []


def test_what_is_sent_bears_a_signature_over_its_time_and_body(tenant_id, receiver: Receiver):
    _, secret = keep_hook(tenant_id, receiver.address)
    tell_all(tenant_id, some_news())

    assert deliver(tenant_id) == 2  # the owner's letter, too

    ((headers, body),) = receiver.got
    signed = headers["X-NovaPulse-Timestamp"].encode() + b"." + body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-NovaPulse-Signature"] == wanted
    told = json.loads(body)
    assert (told["kind"], told["severity"], told["title"]) == ("ALERT", "Critical", "Paper: clock")
    assert (told["workspace"], told["happened_at"]) == ("Acme", NOW.isoformat())
    assert headers["X-NovaPulse-Delivery"].startswith(told["id"])


def test_a_failing_endpoint_is_tried_again_after_growing_whiles_and_then_given_up(
    tenant_id, receiver: Receiver
):
    receiver.answers = [500]
    keep_hook(tenant_id, receiver.address)
    tell_all(tenant_id, some_news())
    now, waits = NOW, []
    while hook_delivery(tenant_id).state == Delivery.State.PENDING:
        deliver(tenant_id, now)
        waits.append(hook_delivery(tenant_id).due_at - now)
        assert deliver(tenant_id, now) == 0  # not before it is due
        now = hook_delivery(tenant_id).due_at

    found = hook_delivery(tenant_id)
    assert waits == [*DELAYS, LEASE]
    assert (found.state, found.reason) == (Delivery.State.GIVEN_UP, "answered 500")
    assert len(receiver.got) == len(DELAYS) + 1
    assert {json.loads(body)["id"] for _, body in receiver.got} == {str(found.id)}
    attempts = [headers["X-NovaPulse-Attempt"] for headers, _ in receiver.got]
    assert attempts == [str(number) for number in range(1, 8)]


def test_an_endpoint_that_recovers_is_told_once(tenant_id, receiver: Receiver):
    receiver.answers = [503, 204]
    keep_hook(tenant_id, receiver.address)
    tell_all(tenant_id, some_news())

    for minutes in (0, 1, 2, 3):
        deliver(tenant_id, NOW + timedelta(minutes=minutes))

    found = hook_delivery(tenant_id)
    assert (found.state, found.attempts, found.reason) == (Delivery.State.SENT, 2, "")
    assert len(receiver.got) == 2


def test_a_redirect_is_not_followed(tenant_id, receiver: Receiver):
    with receiving() as other:
        receiver.answers, receiver.location = [307], other.address
        keep_hook(tenant_id, receiver.address)
        tell_all(tenant_id, some_news())
        deliver(tenant_id)

        assert other.got == []
    assert "redirects are not followed" in hook_delivery(tenant_id).reason


def test_an_endpoint_that_says_it_is_gone_is_given_up_at_once(tenant_id, receiver: Receiver):
    receiver.answers = [410]
    keep_hook(tenant_id, receiver.address)
    tell_all(tenant_id, some_news())

    deliver(tenant_id)

    assert hook_delivery(tenant_id).state == Delivery.State.GIVEN_UP


def test_an_endpoint_that_never_answers_is_left(tenant_id, receiver: Receiver, monkeypatch):
    monkeypatch.setattr(posting, "SECONDS", 0.2)
    receiver.is_slow = True
    keep_hook(tenant_id, receiver.address)
    tell_all(tenant_id, some_news(), some_news())

    deliver(tenant_id)

    with tenant_scope(tenant_id):
        reasons = Delivery.objects.filter(channel="WEBHOOK").order_by("-attempts")
        told = [(one.attempts, one.reason) for one in reasons]
    assert told == [(1, "no answer within 0.2 seconds"), (0, "")]  # one try a round


def test_a_dead_endpoint_does_not_keep_letters(tenant_id, receiver: Receiver, mailoutbox):
    receiver.answers = [500]
    keep_hook(tenant_id, receiver.address)
    tell_all(tenant_id, some_news())

    deliver(tenant_id)

    assert [letter.to for letter in mailoutbox] == [["olga@acme.example"]]


def test_an_endpoint_hears_only_what_weighs_enough(tenant_id, receiver: Receiver):
    keep_hook(tenant_id, receiver.address, least_severity=Severity.WARNING)
    light = some_news(severity=Severity.INFO, title="light")
    tell_all(tenant_id, light, some_news(severity=Severity.WARNING, title="heavy"))

    deliver(tenant_id)

    assert [json.loads(body)["title"] for _, body in receiver.got] == ["heavy"]


def test_a_removed_endpoint_is_told_nothing_more(tenant_id, receiver: Receiver):
    row, _ = keep_hook(tenant_id, receiver.address)
    tell_all(tenant_id, some_news())
    with tenant_scope(tenant_id):
        endpoints.remove_endpoint(endpoint_id=row.id, actor=None, now=NOW)

    deliver(tenant_id)

    assert receiver.got == []
    assert hook_delivery(tenant_id).reason == "the endpoint was removed"
    with tenant_scope(tenant_id):
        assert bytes(WebhookEndpoint.objects.get().sealed) == b""


def test_the_secret_is_sealed_for_its_endpoint_alone(tenant_id, here):
    row, secret = keep_hook(tenant_id, "https://example.com/")
    other, _ = keep_hook(tenant_id, "https://example.com/")
    with tenant_scope(tenant_id):
        WebhookEndpoint.objects.filter(id=other.id).update(sealed=row.sealed)
        moved = WebhookEndpoint.objects.get(id=other.id)

        with pytest.raises(endpoints.operations.VaultClosed, match="was changed"):
            endpoints.operations.open_hook_secret(moved)

        kept = WebhookEndpoint.objects.get(id=row.id)
        assert endpoints.operations.open_hook_secret(kept) == secret
    assert secret.encode() not in bytes(row.sealed)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "http://example.com/"}, "https"),
        ({"kinds": []}, "kinds: none was given"),
        ({"kinds": ["WEATHER"]}, "kinds: was 'WEATHER'"),
        ({"least_severity": 11}, "least_severity: 11"),
    ],
)
def test_an_endpoint_that_cannot_be_kept_is_refused_by_its_field(tenant_id, given, words):
    asked = {"url": "https://example.com/", "kinds": ["ALERT"], "least_severity": 10, **given}
    with tenant_scope(tenant_id), pytest.raises(endpoints.InvalidEndpoint, match=words):
        endpoints.add_endpoint(tenant_id=tenant_id, actor=None, now=NOW, **asked)


def test_there_is_an_end_to_endpoints(tenant_id):
    for _ in range(endpoints.MOST_ENDPOINTS):
        keep_hook(tenant_id, "https://example.com/")

    with pytest.raises(endpoints.InvalidEndpoint, match="at most 5"):
        keep_hook(tenant_id, "https://example.com/")


def message() -> webhook.Message:
    return webhook.Message(
        delivery="d", attempt=1, repeats=0, kind="ALERT", severity="Critical", title="t", words="w",
        link="", workspace="Acme", happened_at=NOW,
    )  # fmt: skip
