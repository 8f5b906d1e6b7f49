"""People, workspaces, exchange accounts and their keys, API keys, audit log and notifications."""

from tenants.models.api import ApiKey, StoredAnswer
from tenants.models.audit import AuditEntry, ChainCheck
from tenants.models.keys import DataKey, ExchangeAccount, ExchangeCredential
from tenants.models.notices import (
    Delivery,
    KnownDevice,
    Notice,
    NoticeCursor,
    Notification,
    NotificationSettings,
    WebhookEndpoint,
)
from tenants.models.people import Invitation, Membership, Tenant, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "ChainCheck",
    "DataKey",
    "Delivery",
    "ExchangeAccount",
    "ExchangeCredential",
    "Invitation",
    "KnownDevice",
    "Membership",
    "Notice",
    "NoticeCursor",
    "Notification",
    "NotificationSettings",
    "StoredAnswer",
    "Tenant",
    "User",
    "WebhookEndpoint",
]
