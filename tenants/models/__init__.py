"""People, workspaces, exchange accounts and the audit log."""

from tenants.models.audit import AuditEntry
from tenants.models.keys import ExchangeAccount
from tenants.models.people import Membership, Tenant, User

__all__ = ["AuditEntry", "ExchangeAccount", "Membership", "Tenant", "User"]
