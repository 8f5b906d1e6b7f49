"""Create a workspace, change its members."""

import uuid
from datetime import datetime
from typing import Any

from tenants import queries
from tenants.models import Membership, Tenant, User
from tenants.nudges import Nudge, nudge_on_commit
from tenants.operations.audit import write_audit
from tenants.roles import Role
from tenants.scoping import tenant_scope


class LastOwner(Exception):
    """A workspace keeps at least one owner."""


def create_tenant(*, name: str, slug: str, owner: User, now: datetime) -> Tenant:
    """Make a workspace with its first owner."""
    tenant = Tenant(id=uuid.uuid4(), name=name, slug=slug, created_at=now)
    with tenant_scope(tenant.id):
        tenant.save(force_insert=True)
        Membership.objects.create(tenant=tenant, user=owner, role=Role.OWNER.value, created_at=now)
        write_audit(
            tenant_id=tenant.id,
            actor=owner,
            action="tenant.create",
            subject=f"workspace {name}",
            before={},
            after={"slug": slug, "owner": owner.email},
            now=now,
        )
    return tenant


def add_member(
    *,
    tenant_id: uuid.UUID,
    user: User,
    role: Role,
    actor: User | None,
    now: datetime,
    invited_by: User | None = None,
) -> Membership:
    """Give a person a role in the workspace whose scope is open."""
    membership = Membership.objects.create(
        tenant_id=tenant_id, user=user, role=role.value, created_at=now
    )
    write_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="member.add",
        subject=user.email,
        before={},
        after={"role": role.value, **({"invited_by": invited_by.email} if invited_by else {})},
        now=now,
    )
    return membership


def change_role(*, membership: Membership, role: Role, actor: User | None, now: datetime) -> None:
    """Give a member another role.

    Raises:
        LastOwner: nobody else would own the workspace.
    """
    before = membership.role
    if role is not Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role.value
    membership.save(update_fields=["role"])
    write_audit(
        tenant_id=membership.tenant_id,
        actor=actor,
        action="member.role",
        subject=membership.user.email,
        before={"role": before},
        after={"role": role.value},
        now=now,
    )
    nudge_on_commit(membership.tenant_id, Nudge.ACCESS)


def remove_member(*, membership: Membership, actor: User | None, now: datetime) -> None:
    """Take a person out of the workspace.

    Raises:
        LastOwner: nobody else would own the workspace.
    """
    _keep_an_owner(membership)
    membership.delete()
    write_audit(
        tenant_id=membership.tenant_id,
        actor=actor,
        action="member.remove",
        subject=membership.user.email,
        before={"role": membership.role},
        after={},
        now=now,
    )
    nudge_on_commit(membership.tenant_id, Nudge.ACCESS)


def note_sessions_end(*, user: User | None, **_: Any) -> None:
    """Receives what ends sessions of a person: their sockets are looked at now, not in a while."""
    if user is not None:
        for workspace in queries.memberships(user_id=user.pk):
            nudge_on_commit(workspace.id, Nudge.ACCESS)


def _keep_an_owner(leaving: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(role=Role.OWNER.value)
    if {owner.id for owner in owners} == {leaving.id}:
        raise LastOwner("A workspace keeps at least one owner; make somebody else owner first.")
