"""The decision an entry came from, and what it said."""

from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, F, OuterRef, Subquery, Value

from trading.core import explain
from trading.core.codes import Stage
from trading.models import Decision


def entry_record(*, bot: str, instrument: str, planned_at: str) -> Subquery:
    """The record of the decision an entry came from."""
    return _record(bot, instrument, planned_at, stage=Stage.ENTRY)


def record_at(*, bot: str, instrument: str, planned_at: str) -> Subquery:
    """The record of the decision on the bar which closed as an order was planned, whatever it said."""
    return _record(bot, instrument, planned_at)


def _record(bot: str, instrument: str, planned_at: str, **fitting: Stage) -> Subquery:
    bar = OuterRef(planned_at) - F("revision__timeframe_seconds") * Value(timedelta(seconds=1))
    day_before = OuterRef(planned_at) - Value(timedelta(days=1))  # no bar is longer
    decided = Decision.objects.filter(
        revision__bot=OuterRef(bot),
        instrument=OuterRef(instrument),
        **fitting,
        bar_opened_at=ExpressionWrapper(bar, output_field=DateTimeField()),
        # Says no more, and lets PostgreSQL look at one day instead of at all of them.
        bar_opened_at__lt=OuterRef(planned_at),
        bar_opened_at__gte=ExpressionWrapper(day_before, output_field=DateTimeField()),
    )
    return Subquery(decided.order_by("-id").values("record")[:1])


def why_entered(record: memoryview | None) -> tuple[Any, Any, Any]:
    """Strategy, regime and score; nothing where no decision is on record, or of another core."""
    if record is None or not explain.is_record(bytes(record)):
        return None, None, None
    told = explain.describe(explain.read(bytes(record)))
    return told["strategy"], told["regime"], told["score"]
