"""Which engines, tenants, waiting runs and stale keys exist: look-ups before a tenant's scope is open."""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from uuid import UUID

from django.db import connection

from tenants.models import Tenant
from tenants.scoping import staff_scope


class EngineNotListed(Exception):
    """No engine answers to these words; the text names what there is."""


class TenantNotFound(Exception):
    """No tenant has this short name; the text names near ones."""


@dataclass(frozen=True, slots=True)
class ListedEngine:
    """One row of the work list."""

    engine_id: str
    tenant_id: str
    tenant: str
    venue: str
    label: str
    desired: str
    observed: str
    heartbeat_at: datetime | None

    @property
    def name(self) -> str:
        """Tenant, venue and label in words."""
        return f"{self.tenant} {self.venue} {self.label!r}"


def list_engines() -> list[ListedEngine]:
    """Every engine of every tenant: names and states, nothing about money."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM engine_work_list()")
        return [ListedEngine(str(row[0]), str(row[1]), *row[2:]) for row in cursor.fetchall()]


def find_engine(*, tenant: str, venue: str, label: str = "") -> ListedEngine:
    """The engine of a tenant on a venue.

    Raises:
        EngineNotListed: none fits, or several do and no label says which.
    """
    listed = list_engines()
    mine = [engine for engine in listed if engine.tenant == tenant]
    if not mine:
        raise EngineNotListed(
            f"tenant {tenant!r} has no engine (tenants with one: {_names(listed)})"
        )
    fitting = [e for e in mine if e.venue == venue and label in ("", e.label)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(f"--exchange {e.venue} --account {e.label!r}" for e in mine)
    problem = "several engines fit" if fitting else f"no engine on {venue!r}"
    raise EngineNotListed(f"tenant {tenant!r}: {problem}; there is {there}")


def _names(listed: list[ListedEngine]) -> str:
    return ", ".join(sorted({engine.tenant for engine in listed})) or "none"


def find_tenant(slug: str) -> UUID:
    """The id of a tenant, for an operator's command.

    Raises:
        TenantNotFound: none has this short name.
    """
    with staff_scope():
        known = dict(Tenant.objects.order_by("slug").values_list("slug", "id"))
    if slug in known:
        found: UUID = known[slug]
        return found
    near = get_close_matches(slug, known, 3) or list(known)[:20]
    raise TenantNotFound(f"tenant {slug!r}: there is none; known are {', '.join(near) or 'none'}")


def list_waiting_runs() -> list[tuple[UUID, UUID]]:
    """(tenant, run) of every run that waits for a worker or whose worker is gone, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, run_id FROM research_work_list()")
        return [(row[0], row[1]) for row in cursor.fetchall()]


def list_engines_to_follow() -> list[tuple[UUID, UUID]]:
    """(tenant, engine) of every engine whose workspace is not active, or was not until lately."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id, engine_id FROM standing_work_list()")
        return [(row[0], row[1]) for row in cursor.fetchall()]


def list_stale_keys(*, checked_before: datetime) -> list[tuple[UUID, UUID]]:
    """(tenant, credential) of every key without a check since then and without one asked for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, credential_id FROM credential_work_list()"
            " WHERE check_asked_at IS NULL AND (checked_at IS NULL OR checked_at < %s)",
            [checked_before],
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def list_tenants() -> list[UUID]:
    """Every workspace that is not closed, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id FROM tenant_work_list()")
        return [row[0] for row in cursor.fetchall()]
