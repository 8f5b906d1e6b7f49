"""Let a workspace lapse, suspend it, make it active again."""

import uuid
from datetime import datetime

from django.core.exceptions import ValidationError

from tenants.models import Tenant, User
from tenants.nudges import Nudge, nudge_on_commit
from tenants.operations.audit import write_audit

STATUSES = (Tenant.Status.ACTIVE, Tenant.Status.WINDING_DOWN, Tenant.Status.SUSPENDED)


class StandingRefused(ValueError):
    """The workspace keeps its status; one sentence says why."""


def change_standing(
    *, tenant_id: uuid.UUID, status: str, reason: str, actor: User | None, now: datetime
) -> Tenant:
    """Give the workspace whose scope is open another status, with the reason its members read.

    Raises:
        StandingRefused: no such status, it has it for this reason already, or no reason is given.
    """
    if status not in STATUSES:
        raise StandingRefused(f"status: {status!r}, accepted is {', '.join(STATUSES)}")
    tenant: Tenant = Tenant.objects.select_for_update(no_key=True).get(id=tenant_id)
    before = {"status": tenant.status, "reason": tenant.status_reason}
    tenant.status, tenant.status_reason = status, reason.strip()
    try:
        tenant.full_clean()
    except ValidationError as error:
        field, words = next(iter(error.message_dict.items()))
        raise StandingRefused(f"{field}: {words[0]}") from None
    after = {"status": tenant.status, "reason": tenant.status_reason}
    if before == after:
        raise StandingRefused(f"status: {tenant.slug} is {status} already")
    tenant.save(update_fields=["status", "status_reason"])
    write_audit(
        tenant_id=tenant.id,
        actor=actor,
        action="tenant.standing",
        subject=f"workspace {tenant.name}",
        before=before,
        after=after,
        now=now,
    )
    nudge_on_commit(tenant.id, Nudge.ACCESS)
    return tenant
