"""People, workspaces, exchange accounts and their keys, API keys and the audit log."""

from tenants.models.api import ApiKey, StoredAnswer
from tenants.models.audit import AuditEntry, ChainCheck
from tenants.models.keys import DataKey, ExchangeAccount, ExchangeCredential
from tenants.models.people import Membership, Tenant, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "ChainCheck",
    "DataKey",
    "ExchangeAccount",
    "ExchangeCredential",
    "Membership",
    "StoredAnswer",
    "Tenant",
    "User",
]
