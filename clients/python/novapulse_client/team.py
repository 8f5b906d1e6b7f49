"""Members, invitations and API keys as the API answers them."""

from datetime import datetime
from uuid import UUID

from novapulse_client.base import Model


class Member(Model, frozen=True, kw_only=True):
    """A person of the workspace."""

    member: int
    email: str
    role: str
    joined_at: datetime


class Invitation(Model, frozen=True, kw_only=True):
    """A role kept for an address; the link is in the letter alone."""

    invitation: UUID
    email: str
    role: str
    state: str
    invited_by: str
    created_at: datetime
    sent_at: datetime | None
    expires_at: datetime
    settled_at: datetime | None


class ApiKey(Model, frozen=True, kw_only=True):
    """An API key as it is told: never the key itself."""

    api_key: UUID
    label: str
    scope: str
    hint: str
    user: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewKey(ApiKey, frozen=True, kw_only=True):
    """The same, and once the key itself; None where the request was answered before."""

    secret: str | None

    def __repr__(self) -> str:
        return f"NewKey(label={self.label!r}, hint={self.hint!r})"
