"""Celery: forgets old sessions, answers and notices; ends invitations; sends what people are told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from tenants import operations, queries
from tenants.models import StoredAnswer
from tenants.notifications.delivering import deliver_due, tenants_with_due
from tenants.scoping import tenant_scope

ROUND_SECONDS = 10
MOST = 100_000  # of a kind at a time: the next round goes on


@shared_task(queue="default", name="tenants.tasks.clear_expired_sessions")
def clear_expired_sessions(**_: Any) -> int:
    """Delete sessions that have expired; how many."""
    return operations.forget_sessions(now=timezone.now(), most=MOST)


@shared_task(queue="default", name="tenants.tasks.forget_old_answers")
def forget_old_answers(**_: Any) -> int:
    """Delete answers to requests that nobody repeats any more; how many."""
    return operations.forget_old_answers(before=timezone.now() - StoredAnswer.KEPT, most=MOST)


@shared_task(queue="default", name="tenants.tasks.forget_old_notices")
def forget_old_notices(**_: Any) -> int:
    """Delete notices that are older than the installation keeps them; how many."""
    before = timezone.now() - timedelta(days=settings.NOTICES_KEPT_DAYS)
    return operations.forget_notices(before=before, most=MOST)


@shared_task(queue="default", name="tenants.tasks.forget_old_invitations")
def forget_old_invitations(**_: Any) -> int:
    """Delete invitations that were settled longer ago than notices are kept; how many."""
    before = timezone.now() - timedelta(days=settings.NOTICES_KEPT_DAYS)
    return operations.forget_invitations(before=before, most=MOST)


@shared_task(queue="default", name="tenants.tasks.expire_invitations")
def expire_invitations(**_: Any) -> int:
    """End invitations nobody took up in time; how many."""
    now, ended = timezone.now(), 0
    for tenant_id in queries.tenants_with_late_invitations(now=now):
        with tenant_scope(tenant_id):
            ended += operations.expire_invitations(now=now)
    return ended


@shared_task(queue="default", name="tenants.tasks.deliver_notices")
def deliver_notices(**_: Any) -> int:
    """Call a worker for every workspace with deliveries that are due; how many workspaces."""
    due = tenants_with_due(now=timezone.now())
    for tenant_id in due:
        deliver_of.apply_async(kwargs={"tenant_id": str(tenant_id)}, expires=ROUND_SECONDS)
    return len(due)


@shared_task(queue="default", name="tenants.tasks.deliver_of")
def deliver_of(*, tenant_id: str, **_: Any) -> int:
    """Send what is due in one workspace; how many were sent."""
    return deliver_due(tenant_id=UUID(tenant_id), clock=timezone.now)
