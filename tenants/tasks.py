"""Celery: housekeeping of sessions."""

from typing import Any

from celery import shared_task
from django.core.management import call_command


@shared_task(queue="default", name="tenants.tasks.clear_expired_sessions")
def clear_expired_sessions(**_: Any) -> None:
    """Delete sessions that have expired."""
    call_command("clearsessions")
