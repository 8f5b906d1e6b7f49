"""What the workspace is set to, a member's favourite pairs, and starting over on paper."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.idempotency import idempotent
from tenants.api.preconditions import PreconditionFailed, require_match
from tenants.api.problems import Conflict
from tenants.api.views import ApiView, Strict, actor_of, tenant_id_of
from trading import operations
from trading.api import workspace_answers as answers
from trading.api.requests import PROFILE_NAMES, Pair
from trading.api.schemas import IF_MATCH
from trading.api.schemas import answers as told
from trading.marketdata.timeframes import COMMON
from trading.queries.favorites import list_favorites
from trading.queries.settings import InForce, current_settings, get_in_force

LEAST_CASH, MOST_CASH = operations.LEAST_CASH, operations.MOST_CASH
PAIR = OpenApiParameter("pair", str, required=True, description="such as BTC/USD")


def cash(*, help_text: str) -> serializers.DecimalField:
    """Paper money."""
    return serializers.DecimalField(
        required=False,
        max_digits=20,
        decimal_places=8,
        min_value=LEAST_CASH,
        max_value=MOST_CASH,
        help_text=help_text,
    )


class SettingsBody(Strict):
    """What is to differ from the settings in force."""

    name = serializers.CharField(required=False, max_length=80, help_text="of the workspace")
    bot_profile = serializers.ChoiceField(required=False, choices=PROFILE_NAMES)
    bot_timeframe = serializers.ChoiceField(required=False, choices=tuple(COMMON))
    paper_cash = cash(help_text="what a new paper account begins with")


class Settings(ApiView):
    """Versioned."""

    needs: ClassVar = {"GET": "view", "PATCH": "manage"}

    @told("Read the workspace's settings; their ETag is what a change is based on",
          answers.Settings, gives=("ETag",))  # fmt: skip
    def get(self, request: Request) -> Response:
        return _answer(get_in_force())

    @told("Change settings: a new version", answers.Settings, request=SettingsBody, changes=True,
          gives=("ETag",), parameters=(IF_MATCH,), problems=(412, 428))  # fmt: skip
    @idempotent
    def patch(self, request: Request) -> Response:
        found = get_in_force()
        require_match(request, etag=_etag(found))
        body = SettingsBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            changed = operations.change_settings(
                tenant_id=tenant_id_of(request),
                based_on=found.version,
                values=body.validated_data,
                actor=actor_of(request),
                now=timezone.now(),
            )
        except operations.SettingsMoved as error:
            raise PreconditionFailed(str(error)) from None
        except operations.InvalidSetting as error:
            raise ValidationError({error.field: [error.words]}) from None
        return _answer(changed)


class FavoriteBody(Strict):
    """Which pair."""

    pair = Pair()


class Favorites(ApiView):
    """The caller's own."""

    needs: ClassVar = {"GET": "view", "POST": "trade", "DELETE": "trade"}

    @told("List your favourite pairs", answers.Favorites)
    def get(self, request: Request) -> Response:
        return _favorites(request)

    @told("Mark a pair", answers.Favorites, request=FavoriteBody, changes=True, problems=(409,))
    @idempotent
    def post(self, request: Request) -> Response:
        body = FavoriteBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            operations.mark_favorite(
                tenant_id=tenant_id_of(request),
                user=actor_of(request),
                pair=body.validated_data["pair"],
                now=timezone.now(),
            )
        except operations.TooManyFavorites as error:
            raise Conflict(str(error)) from None
        return _favorites(request)

    @told("Take a mark away", answers.Favorites, changes=True, parameters=(PAIR,),
          problems=(404,))  # fmt: skip
    @idempotent
    def delete(self, request: Request) -> Response:
        asked = FavoriteBody(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        try:
            operations.unmark_favorite(user=actor_of(request), pair=asked.validated_data["pair"])
        except operations.FavoriteNotFound as error:
            raise NotFound(str(error)) from None
        return _favorites(request)


class ResetBody(Strict):
    """Which account, and with how much."""

    account = serializers.UUIDField()
    cash = cash(help_text="without: the workspace's `paper_cash`")


class PaperReset(ApiView):
    """Paper accounts only."""

    needs: ClassVar = {"POST": "trade"}

    @told("Start a paper account over: its books are closed, nothing is deleted", answers.Reset,
          request=ResetBody, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        body = ResetBody(data=request.data)
        body.is_valid(raise_exception=True)
        money = body.validated_data.get("cash", current_settings().paper_cash)
        now = timezone.now()
        try:
            account = operations.reset_paper(
                account_id=body.validated_data["account"],
                cash=money,
                actor=actor_of(request),
                now=now,
            )
        except operations.AccountNotFound as error:
            raise NotFound(str(error)) from None
        except operations.ResetRefused as error:
            raise Conflict(str(error)) from None
        return Response(answers.Reset({"account": account, "cash": money, "at": now}).data)


def _answer(found: InForce) -> Response:
    return Response(answers.Settings(found).data, headers={"ETag": _etag(found)})


def _etag(found: InForce) -> str:
    return f'"s{found.version}"'


def _favorites(request: Request) -> Response:
    found = list_favorites(user_id=actor_of(request).pk)
    return Response(answers.Favorites({"items": found}).data)
