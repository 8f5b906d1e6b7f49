"""Write use cases of workspaces, one module per noun."""

from tenants.operations.audit import write_audit
from tenants.operations.keys import (
    InvalidKey,
    KeyNotFound,
    digest_of,
    forget_old_answers,
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

__all__ = [
    "InvalidKey",
    "KeyNotFound",
    "LastOwner",
    "add_member",
    "change_role",
    "create_tenant",
    "digest_of",
    "forget_old_answers",
    "issue_key",
    "note_key_use",
    "remove_member",
    "revoke_key",
    "write_audit",
]
