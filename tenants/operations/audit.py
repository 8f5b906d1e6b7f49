"""Write the audit log."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import Max

from tenants.models import AuditEntry, User


def write_audit(
    *,
    tenant_id: uuid.UUID,
    actor: User | None,
    action: str,
    subject: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    now: datetime,
) -> AuditEntry:
    """Append to the workspace's log; numbered without gaps, one writer at a time."""
    log = AuditEntry.objects.filter(tenant_id=tenant_id)
    with connections[log.db].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [str(tenant_id)])
    last = log.aggregate(last=Max("sequence"))["last"]
    return AuditEntry.objects.create(
        tenant_id=tenant_id,
        sequence=(last or 0) + 1,
        at=now,
        actor=actor,
        actor_label=actor.email if actor else "system",
        action=action,
        subject=subject[:200],
        before=dict(before),
        after=dict(after),
    )
