"""Exchange accounts: opened, renamed, put out of use; keys added, checked, disabled."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import operations as tenant_operations
from tenants.api.idempotency import idempotent
from tenants.api.problems import Conflict
from tenants.api.views import ApiView, Strict, actor_of, tenant_id_of
from tenants.models import ExchangeAccount
from tenants.standing import Effect
from trading import operations
from trading.api import account_answers as answers
from trading.api.paging import PAGE, id_of, limit_of
from trading.api.schemas import answers as told
from trading.queries import accounts as queries
from trading.queries.settings import current_settings

FIELDS = {"venue": "exchange", "name": "label"}  # as the API calls them


class KeyBody(Strict):
    """A key as the venue gave it out; it is never told again."""

    key = serializers.CharField(max_length=600, write_only=True)
    secret = serializers.CharField(max_length=600, write_only=True)


class AccountBody(Strict):
    """A new account; it begins on paper, and its key comes after it."""

    exchange = serializers.CharField(max_length=32, help_text="kraken, synthetic, ccxt:<id> …")
    label = serializers.CharField(max_length=60, help_text="its name in this workspace")  # type: ignore[assignment]  # DRF's own property is for forms
    currency = serializers.CharField(required=False, default="USD", max_length=16)
    cash = serializers.DecimalField(
        required=False,
        max_digits=20,
        decimal_places=8,
        help_text="paper money to begin with; without: the workspace's `paper_cash`",
    )
    speed = serializers.CharField(
        required=False, default="60", max_length=12, help_text="of replayed bars: times, or max"
    )


class NameBody(Strict):
    """Another name."""

    label = serializers.CharField(max_length=60)  # type: ignore[assignment]  # idem


class Accounts(ApiView):
    """Every account."""

    needs: ClassVar = {"GET": "view", "POST": "manage"}
    effects: ClassVar = {"POST": Effect.OPEN}

    @told("Add an exchange account, on paper, with an engine that stands still", answers.Account,
          code=201, request=AccountBody, changes=True)  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        body = AccountBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        try:
            account = operations.open_account(
                tenant_id=tenant_id_of(request),
                venue=given["exchange"],
                name=given["label"],
                currency=given["currency"],
                cash=given.get("cash", current_settings().paper_cash),
                speed=given["speed"],
                actor=actor_of(request),
                now=timezone.now(),
            )
        except operations.InvalidAccount as error:
            field = FIELDS.get(error.field, error.field)
            raise ValidationError({field: [error.words]}) from None
        return answer(account.id, status=201)

    @told(
        "List exchange accounts: mode, the key's standing, holds",
        answers.Accounts,
        name="list_accounts",
        parameters=PAGE,
        problems=(400,),
    )
    def get(self, request: Request) -> Response:
        limit, after = limit_of(request), id_of(request)
        found = queries.page_accounts(after=after, most=limit + 1)
        more = str(found[limit - 1].account.id) if len(found) > limit else None
        return Response(answers.Accounts({"items": found[:limit], "next": more}).data)


class Account(ApiView):
    """One account."""

    needs: ClassVar = {"GET": "view", "PATCH": "manage"}

    @told("Rename an exchange account", answers.Account, request=NameBody, changes=True,
          problems=(404,))  # fmt: skip
    @idempotent
    def patch(self, request: Request, account_id: uuid.UUID) -> Response:
        body = NameBody(data=request.data)
        body.is_valid(raise_exception=True)
        name = body.validated_data["label"]
        try:
            operations.rename_account(
                account_id=account_id, name=name, actor=actor_of(request), now=timezone.now()
            )
        except operations.AccountNotFound as error:
            raise NotFound(str(error)) from None
        except operations.InvalidAccount as error:
            raise ValidationError({FIELDS[error.field]: [error.words]}) from None
        return answer(account_id)

    @told("Read an exchange account", answers.Account, problems=(404,))
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        return answer(account_id)


class _Use(ApiView):
    """Whether an account is in use."""

    needs: ClassVar = {"POST": "manage"}

    def change(self, request: Request, account_id: uuid.UUID, act: Callable[..., Any]) -> Response:
        try:
            act(account_id=account_id, actor=actor_of(request), now=timezone.now())
        except operations.AccountNotFound as error:
            raise NotFound(str(error)) from None
        except operations.InvalidAccount as error:
            raise Conflict(error.words) from None
        return answer(account_id)


class Disable(_Use):
    """Out of use."""

    effects: ClassVar = {"POST": Effect.HARMLESS}

    @told("Put an account out of use and forget its key; its engine must stand still",
          answers.Account, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        return self.change(request, account_id, operations.disable_account)


class Enable(_Use):
    """In use again."""

    effects: ClassVar = {"POST": Effect.OPEN}

    @told("Take an account into use again; its key must be entered anew", answers.Account,
          changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        return self.change(request, account_id, operations.enable_account)


class Key(ApiView):
    """The account's key: sealed, or forgotten."""

    needs: ClassVar = {"POST": "manage", "DELETE": "manage"}
    needs_step_up: ClassVar = ("POST",)
    effects: ClassVar = {"POST": Effect.HARMLESS, "DELETE": Effect.HARMLESS}

    @told("Add the account's key, or rotate it; a running engine takes it up by itself",
          answers.Account, code=202, request=KeyBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        body = KeyBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            tenant_operations.seal_key(
                account_id=account_id,
                actor=actor_of(request),
                now=timezone.now(),
                **body.validated_data,
            )
        except tenant_operations.CredentialNotFound as error:
            raise NotFound(str(error)) from None
        except tenant_operations.InvalidCredential as error:
            field, _, words = str(error).partition(": ")
            raise ValidationError({field: [words]}) from None
        except tenant_operations.VaultClosed as error:
            raise Conflict(str(error)) from None
        return answer(account_id, status=202)

    @told("Disable the account's key; entries are held", answers.Account, changes=True,
          problems=(404,))  # fmt: skip
    @idempotent
    def delete(self, request: Request, account_id: uuid.UUID) -> Response:
        try:
            operations.disable_account_key(
                account_id=account_id, actor=actor_of(request), now=timezone.now()
            )
        except tenant_operations.CredentialNotFound as error:
            raise NotFound(str(error)) from None
        return answer(account_id)


class Check(ApiView):
    """What the key may, asked at the venue."""

    needs: ClassVar = {"POST": "manage"}
    effects: ClassVar = {"POST": Effect.HARMLESS}

    @told("Have the venue asked what the key may; read the account to see what it said",
          answers.Account, code=202, changes=True, problems=(404,))  # fmt: skip
    @idempotent
    def post(self, request: Request, account_id: uuid.UUID) -> Response:
        try:
            tenant_operations.ask_check(
                account_id=account_id, actor=actor_of(request), now=timezone.now()
            )
        except tenant_operations.CredentialNotFound as error:
            raise NotFound(str(error)) from None
        return answer(account_id, status=202)


def answer(account_id: uuid.UUID, *, status: int = 200) -> Response:
    """The account as it stands now; 404 where there is none."""
    return Response(answers.Account(view(account_id)).data, status=status)


def view(account_id: uuid.UUID) -> Any:  # what serializers take
    """The account; 404 where there is none."""
    try:
        return queries.view_account(account_id=account_id)
    except ExchangeAccount.DoesNotExist:
        raise NotFound(f"no account {account_id} in this workspace") from None
