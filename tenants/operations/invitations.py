"""Invitations: sent, renewed, revoked, accepted, declined, expired; a token is kept as its hash only."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from tenants import queries
from tenants.models import Invitation, Membership, User
from tenants.operations.audit import write_audit
from tenants.operations.keys import digest_of
from tenants.operations.people import add_member
from tenants.roles import Role, may_give

RANDOM_BYTES = 32
MOST_OPEN = 50
State = Invitation.State


class InvitationRefused(ValueError):
    """Nobody is invited, or joins, like this; one sentence says why."""


class InvitationGone(Exception):
    """No such invitation of this workspace is open: it was settled, renewed, or is late."""


def invite_person(
    *, tenant_id: UUID, email: str, role: Role, actor: User, lasts: timedelta, now: datetime
) -> tuple[Invitation, str]:
    """Keep a role for an address; (row, the link's token, which only the letter holds).

    The answer is the same whether or not the address has an account.

    Raises:
        InvitationRefused: a member or invited already, a role above the actor's, too many open ones.
    """
    email = email.lower()
    _check_giver(actor, role)
    expire_invitations(now=now)
    if Membership.objects.filter(user__email=email).exists():
        raise InvitationRefused(f"{email} is a member of this workspace already.")
    if Invitation.objects.filter(state=State.OPEN).count() >= MOST_OPEN:
        raise InvitationRefused(f"At most {MOST_OPEN} invitations are open at a time; revoke one.")
    token = secrets.token_urlsafe(RANDOM_BYTES)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                tenant_id=tenant_id,
                email=email,
                role=role.value,
                invited_by=actor,
                digest=digest_of(token),
                created_at=now,
                expires_at=now + lasts,
            )
    except IntegrityError:
        raise InvitationRefused(f"{email} is invited already; send that letter again.") from None
    _audit(invitation, "invitation.send", actor=actor, now=now)
    return invitation, token


def renew_invitation(
    *, invitation_id: UUID, actor: User, lasts: timedelta, now: datetime
) -> tuple[Invitation, str]:
    """Give an open invitation another token and its full time again; the old link opens nothing.

    Raises:
        InvitationGone: it is not open. InvitationRefused: its role is above the actor's.
    """
    row = _get_open(id=invitation_id)
    _check_giver(actor, Role(row.role))
    token = secrets.token_urlsafe(RANDOM_BYTES)
    renewed = {"digest": digest_of(token), "expires_at": now + lasts, "sent_at": None}
    same = Invitation.objects.filter(id=row.id, state=State.OPEN, digest=row.digest)
    if same.update(**renewed, invited_by=actor) != 1:
        raise InvitationGone(f"the invitation of {row.email} was changed at the same moment")
    row = _get_open(id=invitation_id)
    _audit(row, "invitation.renew", actor=actor, now=now)
    return row, token


def note_letter_sent(*, digest: str, now: datetime) -> None:
    """The mail server took the letter with this token; one renewed meanwhile waits for its own."""
    Invitation.objects.filter(digest=digest, state=State.OPEN).update(sent_at=now)


def revoke_invitation(*, invitation_id: UUID, actor: User, now: datetime) -> Invitation:
    """Take an open invitation back; its link opens nothing from now on.

    Raises:
        InvitationGone: it is not open.
    """
    row = _get_open(id=invitation_id)
    _settle(row, State.REVOKED, now=now)
    _audit(row, "invitation.revoke", actor=actor, now=now)
    return row


def accept_invitation(*, digest: str, user: User, now: datetime) -> Invitation:
    """Make the invited person a member; a link does so once.

    Raises:
        InvitationGone: it is not open any more.
        InvitationRefused: for another address, a member already, or its sender may not invite now.
    """
    row = _get_own(digest, user, now=now)
    role = Role(row.role)
    _check_giver(row.invited_by, role)
    if Membership.objects.filter(user=user).exists():
        raise InvitationRefused("You are a member of this workspace already.")
    _settle(row, State.ACCEPTED, now=now)
    _audit(row, "invitation.accept", actor=user, now=now)
    add_member(
        tenant_id=row.tenant_id,
        user=user,
        role=role,
        actor=user,
        now=now,
        invited_by=row.invited_by,
    )
    return row


def decline_invitation(*, digest: str, user: User, now: datetime) -> Invitation:
    """The invited person does not want to join.

    Raises:
        InvitationGone: it is not open any more. InvitationRefused: it is for another address.
    """
    row = _get_own(digest, user, now=now)
    _settle(row, State.DECLINED, now=now)
    _audit(row, "invitation.decline", actor=user, now=now)
    return row


def expire_invitations(*, now: datetime) -> int:
    """End the invitations of the workspace in scope that nobody took up in time; how many."""
    late = Invitation.objects.filter(state=State.OPEN, expires_at__lte=now)
    ended = 0
    for row in late.select_related("invited_by").order_by("expires_at", "id"):
        still_late = late.filter(id=row.id)  # renewed or settled meanwhile: not ours to end
        if still_late.update(state=State.EXPIRED, settled_at=now) == 1:
            _audit(row, "invitation.expire", actor=None, now=now)
            ended += 1
    return ended


def _get_open(**wanted: object) -> Invitation:
    rows = Invitation.objects.select_related("invited_by").filter(state=State.OPEN, **wanted)
    found: Invitation | None = rows.first()
    if found is None:
        raise InvitationGone("this invitation is not open any more")
    return found


def _get_own(digest: str, user: User, *, now: datetime) -> Invitation:
    found = _get_open(digest=digest, expires_at__gt=now)
    if not queries.has_address(user=user, email=found.email):
        raise InvitationRefused(f"This invitation is for {found.email}, you are {user.email}.")
    return found


def _settle(row: Invitation, state: Invitation.State, *, now: datetime) -> None:
    """Ours, if nobody settled or renewed it since it was read."""
    same = Invitation.objects.filter(id=row.id, state=State.OPEN, digest=row.digest)
    if same.update(state=state, settled_at=now) != 1:
        raise InvitationGone("this invitation is not open any more")


def _check_giver(giver: User, role: Role) -> None:
    own = Membership.objects.filter(user=giver).values_list("role", flat=True).first()
    if own is None or not may_give(own, role):
        raise InvitationRefused(f"{giver.email} may invite nobody as {role.lower()}.")


def _audit(row: Invitation, action: str, *, actor: User | None, now: datetime) -> None:
    write_audit(
        tenant_id=row.tenant_id,
        actor=actor,
        action=action,
        subject=row.email,
        before={},
        after={
            "role": row.role,
            "invited_by": row.invited_by.email,
            "expires_at": row.expires_at.isoformat(),
        },
        now=now,
    )
