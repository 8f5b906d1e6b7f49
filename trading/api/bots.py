"""Bots and their revisions: read them, make one on an account, and a new revision of what was read."""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.idempotency import idempotent
from tenants.api.preconditions import PreconditionFailed, require_match
from tenants.api.problems import Conflict
from tenants.api.views import ApiView, Strict, actor_of, may
from tenants.standing import Effect
from tenants.step_up import has_stepped_up
from trading import operations
from trading.api import bot_answers as answers
from trading.api.paging import PAGE, cursor_of, limit_of, page_of_bots
from trading.api.requests import PROFILE_NAMES, Pair, Timeframe, params_on
from trading.api.schemas import IF_MATCH
from trading.api.schemas import answers as told
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.core.loosening import loosened
from trading.core.params import InvalidParams, to_mapping, validate
from trading.marketdata.timeframes import parse_timeframe
from trading.models import Bot as StoredBot
from trading.models import BotRevision
from trading.queries import bots as queries
from trading.queries.revision_evidence import missing_for
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


class RevisionBody(Strict):
    """What is to differ from the revision in force."""

    params = serializers.DictField(
        child=serializers.JSONField(),
        allow_empty=False,
        help_text="dotted names and values, such as risk.max_open_positions, or whole groups as objects",
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
        found: Any = _find(made.id)
        headers = {"Location": f"/api/v1/bots/{found.id}", **_tagged(found)}
        return Response(answers.Bot(found).data, status=201, headers=headers)


class Bot(ApiView):
    """One bot."""

    needs: ClassVar = {"GET": "view"}

    @told("Read a bot with its parameters; its ETag is what a change is based on",
          answers.WholeBot, gives=("ETag",), problems=(404,))  # fmt: skip
    def get(self, request: Request, bot_id: uuid.UUID) -> Response:
        found: Any = _find(bot_id)
        active = found.active_revision
        found.params = queries.whole_params(active.params) if active else None
        return Response(answers.WholeBot(found).data, headers=_tagged(found))


class Revisions(ApiView):
    """What a bot was set to, and a new one."""

    needs: ClassVar = {"GET": "view", "POST": "trade"}

    @told("List a bot's revisions", answers.Revisions, name="list_revisions", parameters=PAGE, gives=("ETag",),
          problems=(400, 404))  # fmt: skip
    def get(self, request: Request, bot_id: uuid.UUID) -> Response:
        limit, before = limit_of(request), cursor_of(request)
        bot = _find(bot_id)
        found = queries.list_revisions(bot_id=bot_id, before=before, most=limit + 1)
        items = _tell(bot, found[:limit])
        more = str(items[-1]["revision"]) if len(found) > limit else None
        return Response({"items": items, "next": more}, headers=_tagged(bot))

    @told("Make a revision: in force at once (201); waits for an owner (202) where it loosens a limit, "
          "or changes what trades real money without proof",
          answers.Revision, code=201, also=202, gives=("Location", "ETag"), request=RevisionBody, changes=True,
          parameters=(IF_MATCH,), problems=(404, 409, 412, 428))  # fmt: skip
    @idempotent
    def post(self, request: Request, bot_id: uuid.UUID) -> Response:
        bot = _find(bot_id)
        if bot.active_revision is None:
            raise Conflict(f"bot {bot.name} has no revision yet to change")
        require_match(request, etag=_etag(bot))
        body = RevisionBody(data=request.data)
        body.is_valid(raise_exception=True)
        waits = _change(request, bot, bot.active_revision, body.validated_data["params"])
        changed = _find(bot_id)
        (newest,) = queries.list_revisions(bot_id=bot_id, before=None, most=1)
        where = f"/api/v1/bots/{bot_id}/revisions/{newest.number}"
        headers = {"Location": where, **_tagged(changed)}
        return Response(_tell(changed, [newest])[0], status=202 if waits else 201, headers=headers)


class Revision(ApiView):
    """One revision."""

    needs: ClassVar = {"GET": "view"}

    @told("Read a revision with its parameters", answers.Revision, problems=(404,))
    def get(self, request: Request, bot_id: uuid.UUID, revision: int) -> Response:
        try:
            found = queries.get_revision(bot_id=bot_id, number=revision)
        except BotRevision.DoesNotExist:
            raise NotFound(f"no revision {revision} of bot {bot_id} in this workspace") from None
        return Response(_tell(_find(bot_id), [found])[0])


def _change(request: Request, bot: StoredBot, active: BotRevision, given: dict[str, Any]) -> bool:
    """Make the revision; whether it waits. A session loosens with its second factor only; what a
    key loosens stays a proposal until an owner's second factor puts it in force."""
    before = queries.whole_params(active.params)
    try:
        after = to_mapping(params_on(validate(PipelineParams, before), given))
        may_loosen = may(request, "manage")
        if may_loosen and loosened(before, after) and not _is_sure(request):
            raise PermissionDenied(
                "This loosens a risk limit; give your second factor first: "
                "open /accounts/2fa/reauthenticate/."
            )
        wait = operations.change_bot(
            bot_id=bot.id,
            based_on=active.number,
            params=after,
            asker=operations.Asker(actor_of(request), may_loosen),
            now=timezone.now(),
        )
    except InvalidParams as error:
        raise ValidationError({"params": [str(error)]}) from None
    except operations.RevisionMoved as error:
        raise PreconditionFailed(str(error)) from None
    except operations.MayNotLoosen as error:
        raise PermissionDenied(str(error)) from None
    except operations.RevisionRefused as error:
        raise Conflict(str(error)) from None
    return wait is not None


def _is_sure(request: Request) -> bool:
    return request.auth is not None or has_stepped_up(request._request)


def _find(bot_id: uuid.UUID) -> StoredBot:
    try:
        return queries.get_bot(bot_id=bot_id)
    except StoredBot.DoesNotExist:
        raise NotFound(f"no bot {bot_id} in this workspace") from None


def _etag(bot: StoredBot) -> str:
    return f'"r{bot.active_revision.number if bot.active_revision else 0}"'


def _tagged(bot: StoredBot) -> dict[str, str]:
    return {"ETag": _etag(bot)}


def _tell(bot: StoredBot, revisions: Sequence[BotRevision]) -> list[Any]:
    waits = queries.waits_of(revisions)
    missing = {
        wait.id: missing_for(wait.revision, now=timezone.now())
        for wait in waits.values()
        if wait.ended_at is None
    }
    context = {"active_id": bot.active_revision_id, "waits": waits, "missing": missing}
    return list(answers.Revision(revisions, many=True, context=context).data)
