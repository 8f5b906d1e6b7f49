"""Celery: housekeeping of sessions and stored answers; sends what people are told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from tenants import operations
from tenants.notifications.delivering import deliver_due, tenants_with_due

ROUND_SECONDS = 10
ANSWERS_KEPT = timedelta(hours=48)


@shared_task(queue="default", name="tenants.tasks.clear_expired_sessions")
def clear_expired_sessions(**_: Any) -> None:
    """Delete sessions that have expired."""
    call_command("clearsessions")


@shared_task(queue="default", name="tenants.tasks.forget_old_answers")
def forget_old_answers(**_: Any) -> int:
    """Delete answers to requests that nobody repeats any more; how many."""
    return operations.forget_old_answers(before=timezone.now() - ANSWERS_KEPT)


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
