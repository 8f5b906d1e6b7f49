"""Bots: read them, and make one on an account."""

import uuid
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.idempotency import idempotent
from tenants.api.views import ApiView, Strict, actor_of
from tenants.standing import Effect
from trading import operations
from trading.api import bot_answers as answers
from trading.api.paging import PAGE, page_of_bots
from trading.api.requests import PROFILE_NAMES, Pair, Timeframe
from trading.api.schemas import answers as told
from trading.core.config.profiles import PROFILES
from trading.core.params import to_mapping
from trading.marketdata.timeframes import parse_timeframe
from trading.models import Bot as StoredBot
from trading.queries import bots as queries
from trading.queries.settings import current_settings


class BotBody(Strict):
    """A new bot."""

    account = serializers.UUIDField()
    name = serializers.CharField(max_length=80)
    pairs = serializers.ListField(child=Pair(), min_length=1, max_length=20)
    timeframe = Timeframe(required=False, help_text="without: the workspace's `bot_timeframe`")
    profile = serializers.ChoiceField(
        required=False, choices=PROFILE_NAMES, help_text="without: the workspace's `bot_profile`"
    )


class Bots(ApiView):
    """Every bot."""

    needs: ClassVar = {"GET": "view", "POST": "trade"}
    effects: ClassVar = {"POST": Effect.OPEN}

    @told("List bots: account, pairs, stage, the revision in force", answers.Bots,
          name="list_bots", parameters=PAGE, problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        shown, more = page_of_bots(request)
        return Response(answers.Bots({"items": shown, "next": more}).data)

    @told("Make a bot on an account; its engine takes it up when it starts", answers.Bot, code=201,
          gives=("Location", "ETag"), request=BotBody, changes=True, problems=(404,))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        body = BotBody(data=request.data)
        body.is_valid(raise_exception=True)
        usual = current_settings()
        given: dict[str, Any] = {
            "timeframe": usual.bot_timeframe,
            "profile": usual.bot_profile,
            **body.validated_data,
        }
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
        found: Any = find_bot(made.id)
        headers = {"Location": f"/api/v1/bots/{found.id}", **tagged(found)}
        return Response(answers.Bot(found).data, status=201, headers=headers)


class Bot(ApiView):
    """One bot."""

    needs: ClassVar = {"GET": "view"}

    @told("Read a bot with its parameters; its ETag is what a change is based on",
          answers.WholeBot, gives=("ETag",), problems=(404,))  # fmt: skip
    def get(self, request: Request, bot_id: uuid.UUID) -> Response:
        found: Any = find_bot(bot_id)
        active = found.active_revision
        found.params = queries.whole_params(active.params) if active else None
        return Response(answers.WholeBot(found).data, headers=tagged(found))


def find_bot(bot_id: uuid.UUID) -> StoredBot:
    """A bot of the workspace; 404 where there is none."""
    try:
        return queries.get_bot(bot_id=bot_id)
    except StoredBot.DoesNotExist:
        raise NotFound(f"no bot {bot_id} in this workspace") from None


def etag_of(bot: StoredBot) -> str:
    """What a change of the bot is based on: the revision in force."""
    return f'"r{bot.active_revision.number if bot.active_revision else 0}"'


def tagged(bot: StoredBot) -> dict[str, str]:
    """As a header."""
    return {"ETag": etag_of(bot)}
