"""Celery: housekeeping of sessions and stored answers."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from tenants import operations

ANSWERS_KEPT = timedelta(hours=48)


@shared_task(queue="default", name="tenants.tasks.clear_expired_sessions")
def clear_expired_sessions(**_: Any) -> None:
    """Delete sessions that have expired."""
    call_command("clearsessions")


@shared_task(queue="default", name="tenants.tasks.forget_old_answers")
def forget_old_answers(**_: Any) -> int:
    """Delete answers to requests that nobody repeats any more; how many."""
    return operations.forget_old_answers(before=timezone.now() - ANSWERS_KEPT)
