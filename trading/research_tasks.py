"""Celery: runs of research, one chunk a task, and between two chunks what charts are asked for."""

import logging
import os
import socket
import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from trading.models import Engine
from trading.queries.bars import open_store
from trading.tasks import send_run
from trading.wiring import plots, research

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


@shared_task(queue="charts", name="trading.research_tasks.draw_plots", time_limit=60)
def draw_plots(*, tenant_id: str, engine_id: str, market: int, **_: Any) -> None:
    """Draw what one market's strategies saw; safe to run twice."""
    ids = {"tenant_id": uuid.UUID(tenant_id), "engine_id": uuid.UUID(engine_id)}
    try:
        plots.draw_plots(**ids, market_index=market)
    except (Engine.DoesNotExist, IndexError):
        log.info("market %s of engine %s is gone; nothing to draw", market, engine_id)
