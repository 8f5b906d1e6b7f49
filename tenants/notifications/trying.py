"""A test through each channel, at once, and what came of each."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tenants.models import Delivery, User, WebhookEndpoint
from tenants.notifications.channels.protocol import Message, SendFailed
from tenants.notifications.channels.table import CHANNELS
from tenants.notifications.endpoints import list_endpoints
from tenants.notifications.news import Audience, Kind, News, Severity
from tenants.notifications.outbox import HOOK, USER, tell

TITLE, WORDS = "A test of your notifications", "This channel works."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the test in one channel."""

    channel: str
    recipient: str
    sent: bool
    reason: str = ""


def try_channels(
    *, tenant_id: uuid.UUID, workspace: str, actor: User, now: datetime
) -> list[Outcome]:
    """Into the inbox and by e-mail to who asks, and to every webhook."""
    test_id = str(uuid.uuid4())
    news = News(
        key=f"test:{test_id}",
        kind=Kind.SUMMARY,
        severity=Severity.INFO,
        title=TITLE,
        words=WORDS,
        path="/notifications/settings/",
        happened_at=now,
        audience=Audience.CONCERNED,
        concerned_id=actor.pk,
    )
    tell([news], tenant_id=tenant_id, now=now)
    message = _message(test_id, workspace, now)
    return [Outcome("inbox", actor.email, sent=True), *_outside(actor, message)]


def try_endpoint(*, row: WebhookEndpoint, workspace: str, now: datetime) -> Outcome:
    """To one webhook alone."""
    return _to_endpoint(row, _message(str(uuid.uuid4()), workspace, now))


def _message(test_id: str, workspace: str, now: datetime) -> Message:
    return Message(
        delivery=test_id,
        attempt=1,
        repeats=0,
        kind="TEST",
        severity=Severity.INFO.label,
        title=TITLE,
        words=WORDS,
        link="",
        workspace=workspace,
        happened_at=now,
    )


def _outside(actor: User, message: Message) -> Iterator[Outcome]:
    letter = _tried(Delivery.Channel.EMAIL, f"{USER}{actor.pk}", message)
    yield Outcome("email", actor.email, *letter)
    for row in list_endpoints():
        yield _to_endpoint(row, message)


def _to_endpoint(row: WebhookEndpoint, message: Message) -> Outcome:
    tried = _tried(Delivery.Channel.WEBHOOK, f"{HOOK}{row.id}", message)
    return Outcome("webhook", row.url, *tried)


def _tried(channel: str, recipient: str, message: Message) -> tuple[bool, str]:
    try:
        CHANNELS[channel].reach(recipient)(message)
    except SendFailed as error:
        return False, str(error)
    return True, ""
