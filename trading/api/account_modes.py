"""An exchange account's mode with what is on record for it, what guards it, its tier at the venue."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.idempotency import idempotent
from tenants.api.problems import Conflict
from tenants.api.views import ApiView, Strict, actor_of
from tenants.auth import require_standing
from tenants.models import ExchangeAccount
from tenants.standing import Effect
from trading import operations
from trading.api import account_answers as answers
from trading.api import accounts
from trading.api.schemas import answers as told
from trading.operations import live_gate
from trading.queries.evidence import list_evidence

Mode = ExchangeAccount.Mode
REFUSALS = (operations.ProtectionRefused, operations.TierRefused, operations.ModeRefused)


class ModeBody(Strict):
    """What the account's orders are to be."""

    mode = serializers.ChoiceField(choices=tuple(Mode))
    override = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="an owner's reason, of at least 10 characters, to go live without a passed backtest "
        "and a paper period",
    )


class ProtectionBody(Strict):
    """What guards the account."""

    protection = serializers.ChoiceField(choices=tuple(ExchangeAccount.Protection))


class TierBody(Strict):
    """What the account is at its venue."""

    tier = serializers.ChoiceField(choices=tuple(ExchangeAccount.Tier))


class Protection(ApiView):
    """What guards the account while no engine does."""

    needs: ClassVar = {"PUT": "manage"}
    effects: ClassVar = {"PUT": Effect.HARMLESS}

    @told("Choose what guards the account while no engine does; from its engine's next start on",
          answers.Account, request=ProtectionBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def put(self, request: Request, account_id: uuid.UUID) -> Response:
        return _choose(request, account_id, ProtectionBody, operations.choose_protection)


class AccountTier(ApiView):
    """What the venue lets the account do."""

    needs: ClassVar = {"PUT": "manage"}

    @told("Say which tier the account has at Kraken; it holds from its engine's next start on",
          answers.Account, request=TierBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def put(self, request: Request, account_id: uuid.UUID) -> Response:
        return _choose(request, account_id, TierBody, operations.choose_tier)


class AccountMode(ApiView):
    """Paper, or real orders."""

    needs: ClassVar = {"GET": "view", "PUT": "manage"}
    needs_step_up: ClassVar = ("PUT",)
    effects: ClassVar = {"PUT": Effect.HARMLESS}

    @told("Read what of going live is on record, and what is missing", answers.Readiness,
          problems=(404,))  # fmt: skip
    def get(self, request: Request, account_id: uuid.UUID) -> Response:
        account, now = accounts.view(account_id).account, timezone.now()
        found = {
            "mode": account.mode,
            "needed": live_gate.needed_for_any(account, now=now),
            "missing": live_gate.missing_evidence(account, now=now),
            "bots": list_evidence(account, now=now),
        }
        return Response(answers.Readiness(found).data)

    @told("Switch between paper and real orders; the engine must stand still", answers.Account,
          request=ModeBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def put(self, request: Request, account_id: uuid.UUID) -> Response:
        def switch(*, mode: str, **given: Any) -> None:
            if mode != Mode.PAPER:
                require_standing(request._request, Effect.OPEN)
            operations.switch_mode(mode=mode, **given)

        return _choose(request, account_id, ModeBody, switch)


def _choose(
    request: Request, account_id: uuid.UUID, body: type[Strict], operation: Callable[..., object]
) -> Response:
    """Check the body, let the operation take it, and show the account as it is now."""
    given = body(data=request.data)
    given.is_valid(raise_exception=True)
    try:
        operation(
            account_id=account_id,
            actor=actor_of(request),
            now=timezone.now(),
            **given.validated_data,
        )
    except operations.AccountNotFound as error:
        raise NotFound(str(error)) from None
    except REFUSALS as error:
        raise Conflict(str(error)) from None
    return accounts.answer(account_id)
