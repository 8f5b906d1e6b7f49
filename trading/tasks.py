"""Celery: housekeeping of engines and keys, news for people, proving the logs, and the worker of research."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from celery import current_app, shared_task
from django.db import DatabaseError
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.scoping import tenant_scope
from tenants.tasks import deliver_notices
from trading import operations
from trading.queries import plots
from trading.queries.charts import Charted
from trading.wiring.audit import anchor_chains, anchors_path, verify_chains
from trading.wiring.directory import (
    list_engines,
    list_engines_to_follow,
    list_stale_keys,
    list_tenants,
    list_waiting_runs,
)

log = structlog.get_logger(__name__)
RUN_RESEARCH = "trading.research_tasks.run_research"  # by name: its module loads the compiler
DRAW_PLOTS = "trading.research_tasks.draw_plots"  # idem
PLOTS_EXPIRE_SECONDS = 60
WAKE_SECONDS = 15
LONGEST_WALK_SECONDS = 6 * 3600
SILENT_AFTER = timedelta(seconds=30)
CHECK_EVERY = timedelta(hours=24)


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


@shared_task(queue="default", name="trading.tasks.follow_standings")
def follow_standings(**_: Any) -> int:
    """Hold the engines of workspaces that are not active, and lift that again; how many orders."""
    ordered = 0
    for tenant_id, engine_id in list_engines_to_follow():
        with tenant_scope(tenant_id):
            ordered += operations.follow_standing(engine_id=engine_id, now=timezone.now())
    return ordered


@shared_task(queue="default", name="trading.tasks.ask_key_checks")
def ask_key_checks(**_: Any) -> int:
    """Ask for a check of every key that had none for a day; a process of the fleet carries it out."""
    stale = timezone.now() - CHECK_EVERY
    asked = 0
    for tenant_id, credential_id in list_stale_keys(checked_before=stale):
        with tenant_scope(tenant_id):
            asked += tenant_operations.renew_check(credential_id=credential_id, now=timezone.now())
    return asked


@shared_task(queue="default", name="trading.tasks.tell_news")
def tell_news(**_: Any) -> int:
    """Tell every workspace what is new, and call a worker for what is to be sent; how many notices."""
    told = 0
    for tenant_id in list_tenants():
        try:
            with tenant_scope(tenant_id):
                told += operations.tell_news(tenant_id=tenant_id, now=timezone.now())
        except DatabaseError as error:  # the next round tells it; the other workspaces hear theirs
            log.error("news_untold", tenant=str(tenant_id), error=type(error).__name__)
    if told:
        deliver_notices.delay()
    return told


@shared_task(queue="default", name="trading.tasks.tell_day")
def tell_day(**_: Any) -> int:
    """Tell every workspace how yesterday was (UTC); how many notices."""
    now, told = timezone.now(), 0
    for tenant_id in list_tenants():
        with tenant_scope(tenant_id):
            day = (now - timedelta(days=1)).date()
            told += operations.tell_day(tenant_id=tenant_id, day=day, now=now)
    return told


@shared_task(queue="default", name="trading.tasks.anchor_audit", time_limit=LONGEST_WALK_SECONDS)
def anchor_audit(**_: Any) -> int:
    """Verify every chain of acts and decisions and anchor those that hold; how many do not."""
    now, path = timezone.now(), anchors_path()
    checked = list(
        verify_chains(tenant_id=None, anchors=path, now=now, checked_by="the nightly task")
    )
    anchor_chains(checked, anchors=path, now=now)
    broken = [one for one in checked if not one.is_whole]
    for one in broken:
        log.error("chain_broken", tenant=one.name.tenant, chain=str(one.name.chain))
    return len(broken)


@shared_task(queue="default", name="trading.tasks.wake_research")
def wake_research(**_: Any) -> int:
    """Call a worker for every run that waits or whose worker is gone; how many there are."""
    waiting = list_waiting_runs()
    for tenant_id, run_id in waiting:
        send_run(tenant_id=str(tenant_id), run_id=str(run_id), expires_seconds=WAKE_SECONDS)
    return len(waiting)


def send_run(*, tenant_id: str, run_id: str, expires_seconds: int | None = None) -> None:
    """Call a worker for a run; a call that gets lost is made again by ``wake_research``."""
    current_app.send_task(
        RUN_RESEARCH,
        kwargs={"tenant_id": tenant_id, "run_id": run_id},
        queue="research",
        expires=expires_seconds,
    )


def read_or_ask_plots(charted: Charted, *, strategies: Sequence[str]) -> dict[str, Any]:
    """What a market's strategies saw; where nobody has drawn it yet, a worker is called for it."""
    found = plots.read_plots(charted, strategies=strategies)
    if found["state"] == plots.WORKING and plots.is_to_be_asked(charted):
        current_app.send_task(
            DRAW_PLOTS,
            kwargs={
                "tenant_id": str(charted.engine.tenant_id),
                "engine_id": str(charted.engine.id),
                "market": charted.market.index,
            },
            queue="charts",
            expires=PLOTS_EXPIRE_SECONDS,
        )
    return found
