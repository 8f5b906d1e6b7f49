"""A member's inbox: read, marked, acknowledged."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tenants import operations
from tenants.models import Notice, Notification, User
from tenants.nudges import Nudge, nudge_on_commit
from tenants.scoping import current_tenant_id


class NoticeNotFound(Exception):
    """No such notification in this person's inbox."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Which part of an inbox."""

    unread: bool = False
    kind: str = ""


def list_inbox(*, user_id: int, shown: Shown) -> Any:
    """Newest first, each with its notice."""
    found = Notification.objects.filter(user_id=user_id)
    if shown.unread:
        found = found.filter(read_at=None)
    if shown.kind:
        found = found.filter(notice__kind=shown.kind)
    with_notice = found.select_related("notice", "notice__acknowledged_by")
    return with_notice.order_by("-told_at", "-id")


def count_unread(*, user_id: int) -> int:
    """What the bell says."""
    return Notification.objects.filter(user_id=user_id, read_at=None).count()


def mark_read(*, notification_id: UUID, user_id: int, now: datetime) -> Notification:
    """Read; when it was read first stays.

    Raises:
        NoticeNotFound: not in this person's inbox.
    """
    _ring(_own(notification_id, user_id).filter(read_at=None).update(read_at=now))
    return get_notification(notification_id=notification_id, user_id=user_id)


def mark_unread(*, notification_id: UUID, user_id: int) -> Notification:
    """To be read again.

    Raises:
        NoticeNotFound: not in this person's inbox.
    """
    _ring(_own(notification_id, user_id).exclude(read_at=None).update(read_at=None))
    return get_notification(notification_id=notification_id, user_id=user_id)


def mark_all_read(*, user_id: int, now: datetime) -> int:
    """How many were unread."""
    unread = Notification.objects.filter(user_id=user_id, read_at=None)
    return _ring(unread.update(read_at=now))


def acknowledge(*, notification_id: UUID, actor: User, now: datetime) -> Notification:
    """Somebody sees to it: letters of this notice are repeated to nobody any more.

    Raises:
        NoticeNotFound: not in this person's inbox.
    """
    found = get_notification(notification_id=notification_id, user_id=actor.pk)
    won = Notice.objects.filter(id=found.notice_id, acknowledged_at=None).update(
        acknowledged_at=now, acknowledged_by=actor
    )
    if won:
        operations.write_audit(
            tenant_id=found.tenant_id,
            actor=actor,
            action="notice.acknowledge",
            subject=found.notice.title,
            before={},
            after={"notice": str(found.notice_id)},
            now=now,
        )
    return mark_read(notification_id=notification_id, user_id=actor.pk, now=now)


def get_notification(*, notification_id: UUID, user_id: int) -> Notification:
    """One of this person's own.

    Raises:
        NoticeNotFound: not in this person's inbox.
    """
    own = _own(notification_id, user_id).select_related("notice", "notice__acknowledged_by")
    found: Notification | None = own.first()
    if found is None:
        raise NoticeNotFound(f"no notification {notification_id} in your inbox")
    return found


def _ring(changed: int) -> int:
    """The bells of a person's other pages."""
    tenant_id = current_tenant_id()
    if changed and tenant_id is not None:
        nudge_on_commit(tenant_id, Nudge.BELL)
    return changed


def _own(notification_id: UUID, user_id: int) -> Any:
    return Notification.objects.filter(id=notification_id, user_id=user_id)
