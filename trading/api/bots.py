"""Bots: listed, and made on an account."""

import uuid
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.idempotency import idempotent
from tenants.api.views import ApiView, Strict, actor_of
from trading import operations
from trading.api.answers import Answer
from trading.api.requests import Pair, Timeframe
from trading.api.schemas import answers as told
from trading.core.config.profiles import PROFILES
from trading.core.params import to_mapping
from trading.marketdata.timeframes import format_timeframe, parse_timeframe
from trading.models import Bot as BotRow
from trading.queries import bots as queries


class Bot(Answer):
    """A bot with its active revision."""

    bot = serializers.UUIDField(source="id")
    name = serializers.CharField()
    account = serializers.UUIDField(source="account_id")
    engine = serializers.SerializerMethodField(help_text="null: the account has none")
    stage = serializers.CharField()
    pairs = serializers.SerializerMethodField()
    timeframe = serializers.SerializerMethodField(help_text="null: no revision is in force")
    revision = serializers.IntegerField(source="active_revision.number", allow_null=True)

    def get_engine(self, bot: BotRow) -> uuid.UUID | None:
        """Of its account."""
        return queries.engine_of(bot)

    def get_pairs(self, bot: BotRow) -> list[str]:
        """In the order of its markets."""
        rows = sorted(bot.bot_instruments.all(), key=lambda row: (row.order, row.id))
        return [row.instrument.symbol for row in rows]

    def get_timeframe(self, bot: BotRow) -> str | None:
        """Of the bars it decides on."""
        active = bot.active_revision
        return format_timeframe(active.timeframe_seconds) if active else None


class BotList(Answer):
    """All of the workspace."""

    items = Bot(many=True)


class BotBody(Strict):
    """A new bot."""

    account = serializers.UUIDField()
    name = serializers.CharField(max_length=80)
    pairs = serializers.ListField(child=Pair(), min_length=1, max_length=20)
    timeframe = Timeframe(required=False, default="1m")
    profile = serializers.ChoiceField(required=False, default="balanced", choices=sorted(PROFILES))


class Bots(ApiView):
    """Every bot."""

    needs: ClassVar = {"GET": "view", "POST": "trade"}

    @told("List bots", BotList, name="list_bots")
    def get(self, request: Request) -> Response:
        return Response(BotList({"items": queries.list_bots()}).data)

    @told("Make a bot on an account; its engine takes it up when it starts", Bot, code=201,
          request=BotBody, changes=True, problems=(404,))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        body = BotBody(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = body.validated_data
        wanted = operations.Wanted(
            name=given["name"],
            symbols=given["pairs"],
            timeframe_seconds=parse_timeframe(given["timeframe"]),
            params=to_mapping(PROFILES[given["profile"]]),
        )
        try:
            made = operations.open_bot(
                account_id=given["account"],
                wanted=wanted,
                actor=actor_of(request),
                now=timezone.now(),
            )
        except operations.AccountNotFound as error:
            raise NotFound(str(error)) from None
        except operations.InvalidBot as error:
            raise ValidationError({error.field: [error.words]}) from None
        return Response(Bot(queries.get_bot(bot_id=made.id)).data, status=201)
