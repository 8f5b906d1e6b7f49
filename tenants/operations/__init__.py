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
from tenants.operations.invitations import (
    InvitationGone,
    InvitationRefused,
    accept_invitation,
    decline_invitation,
    expire_invitations,
    invite_person,
    note_letter_sent,
    renew_invitation,
    revoke_invitation,
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
    "InvitationGone",
    "InvitationRefused",
    "KeyNotFound",
    "LastOwner",
    "StandingRefused",
    "VaultClosed",
    "accept_invitation",
    "add_member",
    "ask_check",
    "change_role",
    "change_standing",
    "create_tenant",
    "decline_invitation",
    "digest_of",
    "disable_key",
    "expire_invitations",
    "fingerprint_of",
    "forget_notices",
    "forget_old_answers",
    "forget_sessions",
    "get_credential",
    "invite_person",
    "issue_key",
    "note_check",
    "note_key_use",
    "note_letter_sent",
    "note_no_answer",
    "open_hook_secret",
    "remove_member",
    "renew_check",
    "renew_invitation",
    "revoke_invitation",
    "revoke_key",
    "rewrap_data_keys",
    "seal_hook_secret",
    "seal_key",
    "write_audit",
]
