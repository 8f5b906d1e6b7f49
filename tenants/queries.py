"""Memberships and invitations before a tenant is known, members once it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import connection

from tenants.models import ApiKey, Invitation, Membership, Tenant, User
from tenants.roles import Role, is_granted, is_in_scope, may_give
from tenants.standing import LIFTED_BY, Effect, is_refused, refusal_of, words_of


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant as one of its members sees it."""

    id: UUID
    slug: str
    name: str
    status: str
    role: str
    status_reason: str = ""

    def allows(self, permission: str) -> bool:
        """Whether this member may do what needs the permission."""
        return is_granted(self.role, permission)

    def refusal(self, effect: Effect) -> str:
        """Why what has this effect may not be done now; empty when it may."""
        if not is_refused(status=self.status, effect=effect):
            return ""
        return refusal_of(status=self.status, reason=self.status_reason)

    @property
    def standing(self) -> str:
        """For templates: why entries are held for the whole workspace; empty when it is active."""
        return words_of(status=self.status, reason=self.status_reason)

    @property
    def standing_lifted_by(self) -> str:
        """For templates: what makes a workspace active again that is not."""
        return LIFTED_BY[self.status]

    @property
    def may_trade(self) -> bool:
        """For templates: may pause, resume and close."""
        return self.allows("trade")

    @property
    def may_manage(self) -> bool:
        """For templates: may change members and settings."""
        return self.allows("manage")


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A program that knocked with a key: into which workspace, for whom, how far."""

    key_id: UUID
    user_id: int
    scope: str
    expires_at: datetime | None
    workspace: Workspace

    def allows(self, permission: str) -> bool:
        """Whether both the key's scope and its maker's role reach so far."""
        return is_in_scope(self.scope, permission) and self.workspace.allows(permission)


def find_key_holder(*, digest: str) -> KeyHolder | None:
    """Who holds the key with this SHA-256; None when it is unknown, revoked or expired."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tenant_of_api_key(%s)", [digest])
        row = cursor.fetchone()
    return KeyHolder(row[0], row[1], row[2], row[3], Workspace(*row[4:])) if row else None


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """What the holder of a letter's link is offered."""

    tenant_id: UUID
    workspace: str
    status: str
    status_reason: str
    email: str
    role: str
    inviter: str
    inviter_role: str
    expires_at: datetime

    @property
    def meaning(self) -> str:
        """For templates: what the role may do."""
        return Role(self.role).meaning

    @property
    def refusal(self) -> str:
        """Why nobody may join the workspace now; empty when they may."""
        if not is_refused(status=self.status, effect=Effect.CHANGE):
            return ""
        return words_of(status=self.status, reason=self.status_reason)


def find_invitation(*, digest: str, now: datetime) -> OpenInvitation | None:
    """The open invitation whose token has this SHA-256.

    None when it is unknown, settled or late, or whoever sent it may no longer give this role.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM invitation_of_token(%s, %s)", [digest, now])
        row = cursor.fetchone()
    found = OpenInvitation(*row) if row else None
    return found if found and may_give(found.inviter_role, found.role) else None


def has_address(*, user: User, email: str) -> bool:
    """Whether a person proved to read the letters to this address, in lower case."""
    proven = EmailAddress.objects.filter(user=user, email=email, verified=True)
    return user.email == email or proven.exists()


def has_account(*, email: str) -> bool:
    """Whether somebody signs in by this address, in lower case."""
    proven = EmailAddress.objects.filter(email=email, verified=True)
    return User.objects.filter(email=email).exists() or proven.exists()


def list_invitations() -> Any:
    """Open invitations of the workspace whose scope is open, newest first."""
    rows = Invitation.objects.filter(state=Invitation.State.OPEN).select_related("invited_by")
    return rows.order_by("-created_at", "id")


def tenants_with_late_invitations(*, now: datetime) -> list[UUID]:
    """Workspaces with invitations that nobody took up in time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_id FROM invitation_work_list(%s)", [now])
        return [row[0] for row in cursor.fetchall()]


def list_api_keys() -> Any:
    """Keys of the workspace whose scope is open, newest first."""
    return ApiKey.objects.select_related("user").order_by("-created_at", "id")


def memberships(*, user_id: int) -> list[Workspace]:
    """The workspaces a person may enter, oldest membership first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tenants_of_user(%s)", [user_id])
        rows = [Workspace(*row) for row in cursor.fetchall()]
    return [row for row in rows if row.status not in (Tenant.Status.CLOSED,)]


def choose_workspace(*, user_id: int, wanted: str | None) -> Workspace | None:
    """The wanted workspace if the person is a member of it, else the first one, if any."""
    mine = memberships(user_id=user_id)
    return next((w for w in mine if str(w.id) == wanted), mine[0] if mine else None)


def is_slug_taken(slug: str) -> bool:
    """Whether a workspace of any tenant has this short name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant_slug_exists(%s)", [slug])
        return bool(cursor.fetchone()[0])


def list_members() -> Any:
    """Members of the workspace whose scope is open, with their users."""
    return Membership.objects.select_related("user").order_by("created_at", "id")
