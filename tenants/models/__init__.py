"""People, workspaces, exchange accounts, API keys and the audit log."""

from tenants.models.api import ApiKey, StoredAnswer
from tenants.models.audit import AuditEntry, ChainCheck
from tenants.models.keys import ExchangeAccount
from tenants.models.people import Membership, Tenant, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "ChainCheck",
    "ExchangeAccount",
    "Membership",
    "StoredAnswer",
    "Tenant",
    "User",
]
