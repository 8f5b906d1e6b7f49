"""Places in a list that is ordered by time, newest first: where one page ends and the next begins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

Key = int | UUID


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place: its time, and its key among the rows of that time."""

    at: datetime
    key: Key


def older_than(
    rows: QuerySet[Any, Any], place: Place | None, *, time: str, key: str
) -> QuerySet[Any, Any]:
    """The rows after a place in the list; all without one."""
    if place is None:
        return rows
    return rows.filter(**{f"{time}__lte": place.at}).exclude(
        Q(**{time: place.at, f"{key}__gte": place.key})
    )
