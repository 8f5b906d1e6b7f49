"""Celery: housekeeping of engines."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from django.utils import timezone

from tenants.scoping import tenant_scope
from trading import operations
from trading.wiring.directory import list_engines

SILENT_AFTER = timedelta(seconds=30)


@shared_task(queue="default", name="trading.tasks.mark_silent_engines")
def mark_silent_engines(**_: Any) -> int:
    """Show engines that say they run but stopped beating as silent; how many were found."""
    silent_since = timezone.now() - SILENT_AFTER
    found = 0
    for engine in list_engines():
        if engine.observed == "RUNNING" and (
            engine.heartbeat_at is None or engine.heartbeat_at < silent_since
        ):
            with tenant_scope(engine.tenant_id):
                found += operations.mark_silent(
                    engine_id=engine.engine_id, silent_since=silent_since
                )
    return found
