"""Celery: runs of research, one chunk a task, on the queue ``research``."""

import logging
import os
import socket
import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from trading.queries.bars import open_store
from trading.tasks import send_run
from trading.wiring import research

log = logging.getLogger(__name__)


@shared_task(queue="research", name="trading.research_tasks.run_research", time_limit=3600)
def run_research(*, tenant_id: str, run_id: str, **_: Any) -> None:
    """Do one chunk of a run and ask for the next; safe to run twice and at the same time."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    ids = {"tenant_id": uuid.UUID(tenant_id), "run_id": uuid.UUID(run_id)}
    try:
        more = research.work_on(**ids, worker=worker, store=open_store(), clock=timezone.now)
    except Exception as error:
        log.exception("run %s failed", run_id)
        words = f"an unexpected error: {type(error).__name__}; the operator finds it in the log"
        research.give_up(**ids, worker=worker, error=words, now=timezone.now())
        return
    if more:
        send_run(tenant_id=tenant_id, run_id=run_id)
