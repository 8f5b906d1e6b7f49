"""API keys: listed, issued, revoked; a key that issues one hands on no more time than it has."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import operations, queries
from tenants.api.authentication import require_person
from tenants.api.idempotency import idempotent
from tenants.api.views import ApiView, Strict, actor_of, tenant_id_of
from tenants.models import ApiKey
from tenants.roles import Scope
from tenants.standing import Effect
from trading.api import team_answers as answers
from trading.api.schemas import answers as told


class IssueBody(Strict):
    """What the key is for, how far it reaches, and how long."""

    label = serializers.CharField(max_length=60, help_text="what will use it")  # type: ignore[assignment]  # DRF's own property is for forms
    scope = serializers.ChoiceField(choices=answers.SCOPES, default=Scope.READ.value)
    days = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=operations.MOST_DAYS,
        help_text="until it expires; without: never, or when the key that asks does",
    )


class Keys(ApiView):
    """Of the workspace."""

    needs: ClassVar = {"GET": "manage", "POST": "manage"}
    shown_once: ClassVar = ("secret",)

    @told("List API keys; no key is ever told again", answers.IssuedKeys, name="list_keys")
    def get(self, request: Request) -> Response:
        return Response(answers.IssuedKeys({"items": queries.list_api_keys()}).data)

    @told("Issue a key that acts for you; no key issues one of scope admin",
          answers.NewKey, code=201, request=IssueBody, changes=True)  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        body = IssueBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        if given["scope"] == Scope.ADMIN:
            require_person(request)
        try:
            row, secret = operations.issue_key(
                tenant_id=tenant_id_of(request),
                user=actor_of(request),
                now=timezone.now(),
                label=given["label"],
                scope=given["scope"],
                days=given.get("days"),
                no_later_than=_end_of_caller(request),
            )
        except operations.InvalidKey as error:
            field, _, words = str(error).partition(": ")
            raise ValidationError({field: [words]}) from None
        row.secret = secret  # type: ignore[attr-defined]  # told now, and kept nowhere
        return Response(answers.NewKey(row).data, status=201)


class Key(ApiView):
    """One of them."""

    needs: ClassVar = {"DELETE": "manage"}
    effects: ClassVar = {"DELETE": Effect.HARMLESS}

    @told("Revoke a key for ever, at once", answers.IssuedKey, changes=True, problems=(404,))
    @idempotent
    def delete(self, request: Request, key_id: uuid.UUID) -> Response:
        try:
            operations.revoke_key(key_id=key_id, actor=actor_of(request), now=timezone.now())
        except operations.KeyNotFound as error:
            raise NotFound(str(error)) from None
        return Response(answers.IssuedKey(ApiKey.objects.get(id=key_id)).data)


def _end_of_caller(request: Request) -> datetime | None:
    holder: Any = request.auth
    found: datetime | None = holder.expires_at if holder else None
    return found
