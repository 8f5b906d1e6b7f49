"""From an engine's rows to an engine that may begin, and a note of what kept it from beginning."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connections
from django.utils import timezone

from tenants.scoping import tenant_scope
from trading import operations
from trading.engine.errors import CannotTrade
from trading.queries.bars import CannotFeed
from trading.wiring.admission import examine
from trading.wiring.directory import ListedEngine
from trading.wiring.engines import EngineProcess
from trading.wiring.plans import CannotRun, read_plan

REFUSALS = (CannotRun, CannotFeed, CannotTrade)  # a person must put something right


def open_engine(found: ListedEngine, *, speed: str | None) -> EngineProcess:
    """An engine that nothing known keeps from trading.

    Raises:
        CannotRun, CannotFeed: one clear sentence.
    """
    try:
        plan = read_plan(tenant_id=found.tenant_id, engine_id=found.engine_id)
        examine(plan)
        return EngineProcess(plan=plan, speed=speed)
    finally:
        connections.close_all()  # journal and lease have their own; a third would stay for good


def note_refusal(found: ListedEngine, why: Exception) -> None:
    """For page, API, ``engine status`` and doctor; silent where another process leads."""
    with tenant_scope(found.tenant_id):
        operations.note_refusal(
            engine_id=found.engine_id, words=str(why), silent_since=_silent_since()
        )


def note_preparation(found: ListedEngine, words: str) -> None:
    """What it waits for, in the same places; silent where another process leads."""
    with tenant_scope(found.tenant_id):
        operations.note_preparation(
            engine_id=found.engine_id, words=words, silent_since=_silent_since()
        )


def _silent_since() -> datetime:
    return timezone.now() - timedelta(seconds=settings.LEASE_SECONDS[0])
