"""Write the audit log."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

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
    """Append to the workspace's log; the database numbers and chains it, one writer at a time."""
    entry = AuditEntry.objects.create(
        tenant_id=tenant_id,
        at=now,
        actor=actor,
        actor_label=actor.email if actor else "system",
        action=action,
        subject=subject[:200],
        before=dict(before),
        after=dict(after),
    )
    entry.refresh_from_db(fields=["sequence", "previous_hash", "hash"])
    return entry
