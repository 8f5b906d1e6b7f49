"""Send what is due: claim a delivery, try it outside of any transaction, note what came of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import F

from tenants.models import Delivery, Membership, Notice
from tenants.notifications.channels.protocol import Message, Send, SendFailed
from tenants.notifications.channels.table import CHANNELS
from tenants.notifications.news import Severity
from tenants.scoping import tenant_scope

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # a worker that died while sending is relieved then
DELAYS = tuple(timedelta(seconds=one) for one in (30, 120, 600, 1800, 7200, 21_600))
MOST_AT_ONCE = 100
REPEAT_EVERY = timedelta(minutes=30)
MOST_REPEATS = 8
LONGEST_REASON = 300


def tenants_with_due(*, now: datetime) -> list[UUID]:
    """Workspaces with deliveries that are due, the longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id FROM delivery_work_list(%s)", [now])
        return [row[0] for row in cursor.fetchall()]


def deliver_due(*, tenant_id: UUID, clock: Callable[[], datetime]) -> int:
    """Try each delivery of a workspace that is due; how many were sent.

    A recipient that fails is left alone until the next round: a dead one delays the others once.
    """
    with tenant_scope(tenant_id):
        due = Delivery.objects.filter(state=Delivery.State.PENDING, due_at__lte=clock())
        found = list(
            due.order_by("due_at", "id").values_list("id", "recipient", "due_at")[:MOST_AT_ONCE]
        )
    sent, failed = 0, set()
    for delivery_id, recipient, due_at in found:
        if recipient in failed:
            continue
        if _deliver(tenant_id, delivery_id, due_at, clock):
            sent += 1
        else:
            failed.add(recipient)
    return sent


def _deliver(
    tenant_id: UUID, delivery_id: UUID, due_at: datetime, clock: Callable[[], datetime]
) -> bool:
    with tenant_scope(tenant_id):
        row = _claim(delivery_id, due_at, now=clock())
        if row is None:
            return True  # another worker has it
        message = _message(row)
        try:
            send: Send | SendFailed = _reach(row)
        except SendFailed as error:
            send = error
    try:
        if isinstance(send, SendFailed):
            raise send
        send(message)
    except SendFailed as error:
        with tenant_scope(tenant_id):
            _note_failure(row, error, now=clock())
        return False
    with tenant_scope(tenant_id):
        Delivery.objects.filter(id=row.id).update(
            state=Delivery.State.SENT, sent_at=clock(), reason=""
        )
    return True


def _claim(delivery_id: UUID, due_at: datetime, *, now: datetime) -> Delivery | None:
    """Ours for the length of a lease, committed before anything is sent."""
    waiting = Delivery.objects.filter(id=delivery_id, state=Delivery.State.PENDING, due_at=due_at)
    if waiting.update(due_at=now + LEASE, attempts=F("attempts") + 1) != 1:
        return None
    row: Delivery = Delivery.objects.select_related("notice", "tenant").get(id=delivery_id)
    return row


def _reach(row: Delivery) -> Send:
    """Who has left the workspace is told only what concerns themselves."""
    kind, _, number = row.recipient.partition(":")
    is_for_others = kind == "user" and str(row.notice.concerned_id) != number
    if is_for_others and not Membership.objects.filter(user_id=number).exists():
        raise SendFailed("no member of the workspace any more", is_final=True)
    return CHANNELS[row.channel].reach(row.recipient)


def _note_failure(row: Delivery, error: SendFailed, *, now: datetime) -> None:
    """Due again after a longer while, or given up."""
    is_last = error.is_final or row.attempts > len(DELAYS)
    told = {"reason": str(error)[:LONGEST_REASON]}
    if is_last:
        Delivery.objects.filter(id=row.id).update(state=Delivery.State.GIVEN_UP, **told)
        log.warning("delivery_given_up", delivery=str(row.id), reason=told["reason"])
        return
    Delivery.objects.filter(id=row.id).update(due_at=now + DELAYS[row.attempts - 1], **told)


def _message(row: Delivery) -> Message:
    notice = row.notice
    is_linked = bool(settings.PUBLIC_URL and notice.path)
    return Message(
        delivery=str(row.id),
        attempt=row.attempts,
        repeats=row.repeats,
        kind=notice.kind,
        severity=notice.get_severity_display(),
        title=notice.title,
        words=notice.words,
        link=f"{settings.PUBLIC_URL}{notice.path}" if is_linked else "",
        workspace=row.tenant.name,
        happened_at=notice.happened_at,
    )


def repeat_unacknowledged(*, now: datetime) -> int:
    """Write again to those told of something critical that nobody acknowledged; how many letters.

    Of the workspace in scope. Ends with an acknowledgement, with the cause, or after enough.
    """
    standing = Notice.objects.filter(severity=Severity.CRITICAL, acknowledged_at=None, over_at=None)
    silent = Delivery.objects.filter(
        notice__in=standing,
        channel=Delivery.Channel.EMAIL,
        state=Delivery.State.SENT,
        sent_at__lte=now - REPEAT_EVERY,
        repeats__lt=MOST_REPEATS,
    )
    again = {"state": Delivery.State.PENDING, "due_at": now, "attempts": 0}
    return int(silent.update(**again, repeats=F("repeats") + 1))
