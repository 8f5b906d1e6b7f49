"""The workspace in scope, and how much is in it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants.models import ApiKey, ExchangeAccount, Membership, Tenant
from trading.models import Bot


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """A workspace as its owner is told of it."""

    id: UUID
    slug: str
    name: str
    status: str
    status_reason: str
    created_at: datetime
    members: int
    accounts: int
    bots: int
    api_keys: int


def get_workspace(*, tenant_id: UUID) -> WorkspaceView:
    """The workspace whose scope is open."""
    tenant = Tenant.objects.get(id=tenant_id)
    return WorkspaceView(
        id=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        status=tenant.status,
        status_reason=tenant.status_reason,
        created_at=tenant.created_at,
        members=Membership.objects.count(),
        accounts=ExchangeAccount.objects.count(),
        bots=Bot.objects.count(),
        api_keys=ApiKey.objects.filter(revoked_at=None).count(),
    )
