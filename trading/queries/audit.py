"""The workspace's audit log: entries by filter, and how far its chains were verified."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenants.models import AuditEntry, ChainCheck

ROWS_AT_ONCE = 1000
COLUMNS = ("sequence", "at", "actor", "action", "subject", "before", "after", "hash")


@dataclass(frozen=True, slots=True)
class Acts:
    """Which entries: of an actor, an action or its beginning, a stretch of time."""

    actor: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether some entries are left out."""
        return self != Acts()


def list_acts(acts: Acts, *, before: int | None, most: int) -> list[AuditEntry]:
    """Entries below the number ``before``, newest first."""
    found = _select(acts)
    if before is not None:
        found = found.filter(sequence__lt=before)
    return list(found[:most])


def act_rows(acts: Acts) -> Iterator[Sequence[Any]]:
    """Every entry as a row of ``COLUMNS``, in constant memory."""
    names = [name if name != "actor" else "actor_label" for name in COLUMNS]
    return _select(acts).values_list(*names).iterator(chunk_size=ROWS_AT_ONCE)


def newest_checks() -> list[ChainCheck]:
    """The newest walk over each of the workspace's chains."""
    newest = ChainCheck.objects.order_by("chain", "-checked_at", "-id").distinct("chain")
    return sorted(newest, key=lambda check: (check.kind, str(check.chain)))


def _select(acts: Acts) -> Any:
    bounds = {
        "actor_label__iexact": acts.actor,
        "action__startswith": acts.action,
        "at__gte": acts.since,
        "at__lt": acts.until,
    }
    given = {name: value for name, value in bounds.items() if value}
    return AuditEntry.objects.filter(**given).order_by("-sequence", "-id")
