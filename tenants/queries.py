"""Memberships before a tenant is known, members once it is."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from tenants.models import ApiKey, Membership, Tenant
from tenants.roles import is_granted, is_in_scope
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
    workspace: Workspace

    def allows(self, permission: str) -> bool:
        """Whether both the key's scope and its maker's role reach so far."""
        return is_in_scope(self.scope, permission) and self.workspace.allows(permission)


def find_key_holder(*, digest: str) -> KeyHolder | None:
    """Who holds the key with this SHA-256; None when it is unknown, revoked or expired."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tenant_of_api_key(%s)", [digest])
        row = cursor.fetchone()
    return KeyHolder(row[0], row[1], row[2], Workspace(*row[3:])) if row else None


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
