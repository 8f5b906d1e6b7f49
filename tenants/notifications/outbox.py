"""Write what is to be told: the notice, the inboxes, and deliveries that are due."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from tenants.models import (
    Delivery,
    Membership,
    Notice,
    Notification,
    NotificationSettings,
    User,
    WebhookEndpoint,
)
from tenants.notifications.news import Audience, Kind, News, Severity
from tenants.notifications.wishes import Wishes, wishes_of
from tenants.nudges import Nudge, nudge_on_commit
from tenants.roles import Role

USER, HOOK = "user:", "hook:"


def tell(news: Iterable[News], *, tenant_id: UUID, now: datetime) -> int:
    """Tell each fact that was not told before, in the transaction that is open; how many were."""
    fresh = {one.key: one for one in news}
    known = set(Notice.objects.filter(key__in=fresh).values_list("key", flat=True))
    untold = [one for key, one in fresh.items() if key not in known]
    if not untold:
        return 0
    desk = _Desk(tenant_id, now)
    told = sum(desk.tell(one) for one in untold)
    if told:
        nudge_on_commit(tenant_id, Nudge.BELL)
    return told


def mark_over(*, keys: Iterable[str], now: datetime) -> int:
    """The cause of these is gone: they are repeated no more."""
    return int(Notice.objects.filter(key__in=list(keys), over_at=None).update(over_at=now))


class _Desk:
    """Everybody in the workspace and what they wish, read once for many facts."""

    def __init__(self, tenant_id: UUID, now: datetime) -> None:
        self._tenant_id, self._now = tenant_id, now
        kept = {one.user_id: one for one in NotificationSettings.objects.all()}
        members = Membership.objects.select_related("user").filter(user__is_active=True)
        self._members: dict[int, tuple[str, Wishes]] = {
            one.user_id: (one.role, wishes_of(kept.get(one.user_id), one.role))
            for one in members.order_by("id")
        }
        in_use = WebhookEndpoint.objects.filter(removed_at=None, disabled_at=None)
        self._hooks = list(in_use.order_by("id"))

    def tell(self, news: News) -> bool:
        """Write one fact; False where another process did so, or nobody wants to know."""
        inboxes = list(self._inboxes(news))
        letters = list(self._deliveries(news))
        if not inboxes and not letters:
            return False
        notice = self._notice(news)
        if notice is None:
            return False
        Notification.objects.bulk_create(
            Notification(tenant_id=self._tenant_id, notice=notice, user_id=one, told_at=self._now)
            for one in inboxes
        )
        for one in letters:
            one.notice = notice
        Delivery.objects.bulk_create(letters)
        return True

    def _notice(self, news: News) -> Notice | None:
        try:
            with transaction.atomic():
                return Notice.objects.create(
                    tenant_id=self._tenant_id,
                    key=news.key,
                    kind=news.kind,
                    severity=news.severity,
                    title=" ".join(news.title.split())[:160],
                    words=news.words[:1000],
                    path=news.path,
                    concerned_id=news.concerned_id,
                    happened_at=news.happened_at,
                )
        except IntegrityError:  # told at the same moment by another process
            return None

    def _inboxes(self, news: News) -> Iterator[int]:
        for user_id, (role, wishes) in self._members.items():
            if user_id == news.concerned_id or (
                _may_know(role, news) and wishes.wants_in_inbox(news.kind)
            ):
                yield user_id

    def _deliveries(self, news: News) -> Iterator[Delivery]:
        concerned = news.concerned_id
        if concerned is not None and news.kind == Kind.SECURITY and _has_account(concerned):
            yield self._letter(concerned, self._now)
        for user_id, (role, wishes) in self._members.items():
            if user_id == concerned and news.kind == Kind.SECURITY:
                continue
            if _may_know(role, news) and wishes.wants_letter(news.kind, news.severity):
                is_urgent = news.severity == Severity.CRITICAL
                due = self._now if is_urgent else wishes.next_letter_at(self._now)
                yield self._letter(user_id, due)
        for hook in self._hooks:
            is_wanted = news.kind in hook.kinds and news.severity >= hook.least_severity
            if is_wanted and news.audience is not Audience.CONCERNED:
                yield self._delivery(Delivery.Channel.WEBHOOK, f"{HOOK}{hook.id}", self._now)

    def _letter(self, user_id: int, due_at: datetime) -> Delivery:
        return self._delivery(Delivery.Channel.EMAIL, f"{USER}{user_id}", due_at)

    def _delivery(self, channel: str, recipient: str, due_at: datetime) -> Delivery:
        return Delivery(
            tenant_id=self._tenant_id, channel=channel, recipient=recipient, due_at=due_at
        )


def _may_know(role: str, news: News) -> bool:
    if news.audience is Audience.MEMBERS:
        return True
    return news.audience is Audience.OWNERS and role == Role.OWNER


def _has_account(user_id: int) -> bool:
    """They may have left the workspace; they are told that, too."""
    return User.objects.filter(id=user_id, is_active=True).exists()
