"""The team: members, their roles, and invitations by letter."""

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, Throttled, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import operations, queries
from tenants.api.authentication import require_person
from tenants.api.idempotency import idempotent
from tenants.api.problems import Conflict
from tenants.api.throttling import INVITATIONS
from tenants.api.views import ApiView, Strict, actor_of, tenant_id_of
from tenants.models import Invitation, Membership
from tenants.notifications.invitation_letter import send_on_commit, site_of
from tenants.roles import Role
from tenants.standing import Effect
from trading.api import team_answers as answers
from trading.api.schemas import answers as told


class RoleBody(Strict):
    """Another role."""

    role = serializers.ChoiceField(choices=answers.ROLES)


class Members(ApiView):
    """Everybody of the workspace."""

    needs: ClassVar = {"GET": "view"}

    @told("List the members of the workspace", answers.Members)
    def get(self, request: Request) -> Response:
        return _members()


class Member(ApiView):
    """One member."""

    needs: ClassVar = {"PATCH": "manage", "DELETE": "manage"}
    effects: ClassVar = {"PATCH": Effect.HARMLESS, "DELETE": Effect.HARMLESS}

    @told("Give a member another role; nobody becomes an owner by a key",
          answers.Members, request=RoleBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def patch(self, request: Request, member_id: int) -> Response:
        body = RoleBody(data=request.data)
        body.is_valid(raise_exception=True)
        role = Role(body.validated_data["role"])
        if role is Role.OWNER:
            require_person(request)
        return _change(request, member_id, operations.change_role, role=role)

    @told("Take a member out of the workspace", answers.Members, changes=True, problems=(404, 409))
    @idempotent
    def delete(self, request: Request, member_id: int) -> Response:
        return _change(request, member_id, operations.remove_member)


class InvitationBody(Strict):
    """Whom to invite, and as what."""

    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=answers.ROLES)


class Invitations(ApiView):
    """Open ones."""

    needs: ClassVar = {"GET": "manage", "POST": "manage"}

    @told("List the invitations nobody has answered yet", answers.Invitations,
          name="list_invitations")  # fmt: skip
    def get(self, request: Request) -> Response:
        return Response(answers.Invitations({"items": queries.list_invitations()}).data)

    @told("Invite an address by letter; no key invites an owner",
          answers.Invited, code=201, request=InvitationBody, changes=True)  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        body = InvitationBody(data=request.data)
        body.is_valid(raise_exception=True)
        role = Role(body.validated_data["role"])
        if role is Role.OWNER:
            require_person(request)
        _count_letter(request)
        try:
            invitation, token = operations.invite_person(
                tenant_id=tenant_id_of(request),
                email=body.validated_data["email"],
                role=role,
                actor=actor_of(request),
                lasts=_lasts(),
                now=timezone.now(),
            )
        except operations.InvitationRefused as error:
            raise ValidationError({"email": [str(error)]}) from None
        return _send(request, invitation, token, status=201)


class OneInvitation(ApiView):
    """Taken back."""

    needs: ClassVar = {"DELETE": "manage"}
    effects: ClassVar = {"DELETE": Effect.HARMLESS}

    @told("Revoke an invitation: its link opens nothing any more", answers.Invited, changes=True,
          problems=(404,))  # fmt: skip
    @idempotent
    def delete(self, request: Request, invitation_id: uuid.UUID) -> Response:
        now = timezone.now()
        try:
            row = operations.revoke_invitation(
                invitation_id=invitation_id, actor=actor_of(request), now=now
            )
        except operations.InvitationGone as error:
            raise NotFound(str(error)) from None
        row.refresh_from_db()
        return Response(answers.Invited(row).data)


class RenewedInvitation(ApiView):
    """The letter once more."""

    needs: ClassVar = {"POST": "manage"}

    @told("Send the letter again, with another link; the first one opens nothing any more",
          answers.Invited, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, invitation_id: uuid.UUID) -> Response:
        _count_letter(request)
        try:
            invitation, token = operations.renew_invitation(
                invitation_id=invitation_id,
                actor=actor_of(request),
                lasts=_lasts(),
                now=timezone.now(),
            )
        except operations.InvitationGone as error:
            raise NotFound(str(error)) from None
        except operations.InvitationRefused as error:
            raise Conflict(str(error)) from None
        return _send(request, invitation, token)


def _members() -> Response:
    return Response(answers.Members({"items": queries.list_members()}).data)


def _change(request: Request, member_id: int, act: Any, **given: Role) -> Response:
    membership = Membership.objects.select_related("user").filter(id=member_id).first()
    if membership is None:
        raise NotFound(f"no member {member_id} in this workspace")
    try:
        act(membership=membership, actor=actor_of(request), now=timezone.now(), **given)
    except operations.LastOwner as error:
        raise Conflict(str(error)) from None
    return _members()


def _lasts() -> timedelta:
    return timedelta(days=settings.INVITATION_DAYS)


def _count_letter(request: Request) -> None:
    """Letters are counted with those sent from the page.

    Raises:
        Throttled: this person sent too many within the hour.
    """
    wait = INVITATIONS.take(str(actor_of(request).pk))
    if wait:
        raise Throttled(wait, f"At most {INVITATIONS.size} letters an hour.")


def _send(request: Request, row: Invitation, token: str, *, status: int = 200) -> Response:
    send_on_commit(
        invitation=row,
        token=token,
        workspace=request._request.tenant.name,  # type: ignore[attr-defined]
        site=site_of(request._request),
    )
    return Response(answers.Invited(row).data, status=status)
