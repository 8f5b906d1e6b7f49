"""Write use cases of workspaces, one module per noun."""

from tenants.operations.audit import write_audit
from tenants.operations.credentials import (
    CredentialNotFound,
    InvalidCredential,
    ask_check,
    disable_key,
    fingerprint_of,
    get_credential,
    note_check,
    note_no_answer,
    renew_check,
    seal_key,
)
from tenants.operations.data_keys import (
    VaultClosed,
    open_hook_secret,
    rewrap_data_keys,
    seal_hook_secret,
)
from tenants.operations.keys import (
    InvalidKey,
    KeyNotFound,
    digest_of,
    issue_key,
    note_key_use,
    revoke_key,
)
from tenants.operations.people import (
    LastOwner,
    add_member,
    change_role,
    create_tenant,
    remove_member,
)
from tenants.operations.retention import forget_notices, forget_old_answers, forget_sessions
from tenants.operations.standing import StandingRefused, change_standing

__all__ = [
    "CredentialNotFound",
    "InvalidCredential",
    "InvalidKey",
    "KeyNotFound",
    "LastOwner",
    "StandingRefused",
    "VaultClosed",
    "add_member",
    "ask_check",
    "change_role",
    "change_standing",
    "create_tenant",
    "digest_of",
    "disable_key",
    "fingerprint_of",
    "forget_notices",
    "forget_old_answers",
    "forget_sessions",
    "get_credential",
    "issue_key",
    "note_check",
    "note_key_use",
    "note_no_answer",
    "open_hook_secret",
    "remove_member",
    "renew_check",
    "revoke_key",
    "rewrap_data_keys",
    "seal_hook_secret",
    "seal_key",
    "write_audit",
]
