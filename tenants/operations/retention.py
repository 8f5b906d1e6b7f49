"""Forget what nobody needs any more; money, the journal and the audit log are never touched."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, QuerySet

from tenants.models import Delivery, Invitation, Notice, Notification, StoredAnswer
from tenants.scoping import staff_scope

BATCH = 1000


def forget_notices(*, before: datetime, most: int) -> int:
    """Delete notices of every workspace that are older, with inbox entries and deliveries; how many.

    What still is on its way, or critical and not over, is kept: it would be told again.
    """
    on_its_way = Delivery.objects.filter(notice=OuterRef("pk"), state=Delivery.State.PENDING)
    old = (
        Notice.objects.filter(happened_at__lt=before)
        .exclude(severity=Notice.Severity.CRITICAL, over_at=None)
        .exclude(Exists(on_its_way))
    )
    return _in_batches(old, _forget_notices, most=most)


def forget_old_answers(*, before: datetime, most: int) -> int:
    """Delete stored answers of every workspace that are older; how many."""
    old = StoredAnswer.objects.filter(created_at__lt=before)
    return _in_batches(old, lambda keys: _forget(StoredAnswer, keys), most=most)


def forget_invitations(*, before: datetime, most: int) -> int:
    """Delete invitations of every workspace that were settled earlier; how many. The log keeps them."""
    old = Invitation.objects.filter(settled_at__lt=before)
    return _in_batches(old, lambda keys: _forget(Invitation, keys), most=most)


def forget_sessions(*, now: datetime, most: int) -> int:
    """Delete sessions that have expired; how many."""
    old = Session.objects.filter(expire_date__lt=now)
    return _in_batches(old, lambda keys: _forget(Session, keys), most=most)


def _forget_notices(keys: list[Any]) -> None:
    Delivery.objects.filter(notice__in=keys).delete()
    Notification.objects.filter(notice__in=keys).delete()
    _forget(Notice, keys)


def _forget(model: type[Model], keys: list[Any]) -> None:
    model._default_manager.filter(pk__in=keys).delete()


def _in_batches(old: "QuerySet[Any]", forget: Callable[[list[Any]], None], *, most: int) -> int:
    """At most so many rows, the lowest keys first; each batch is a transaction, and soon over."""
    forgotten = 0
    while forgotten < most:
        with staff_scope():
            keys = list(old.order_by("pk").values_list("pk", flat=True)[: most - forgotten][:BATCH])
            forget(keys)
        forgotten += len(keys)
        if len(keys) < BATCH:
            break
    return forgotten
