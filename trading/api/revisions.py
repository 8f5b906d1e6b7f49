"""Revisions of a bot: read, made of what was read, taken back, put in force after a wait or given up."""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.authentication import require_person, require_second_factor
from tenants.api.idempotency import idempotent
from tenants.api.preconditions import PreconditionFailed, require_match
from tenants.api.problems import Conflict
from tenants.api.views import ApiView, Strict, actor_of, may
from tenants.standing import Effect
from trading import operations
from trading.api import bot_answers as answers
from trading.api.bots import etag_of, find_bot, tagged
from trading.api.paging import PAGE, cursor_of, limit_of
from trading.api.requests import params_on
from trading.api.schemas import IF_MATCH
from trading.api.schemas import answers as told
from trading.core.config.pipeline import PipelineParams
from trading.core.loosening import loosened
from trading.core.params import InvalidParams, to_mapping, validate
from trading.models import Bot as StoredBot
from trading.models import BotRevision
from trading.queries import bots as queries
from trading.queries.revision_evidence import missing_for


class RevisionBody(Strict):
    """What is to differ from the revision in force."""

    params = serializers.DictField(
        child=serializers.JSONField(),
        allow_empty=False,
        help_text="dotted names and values, such as risk.max_open_positions, or whole groups as objects",
    )


class OverrideBody(Strict):
    """Why it is put in force without proof, where proof is missing."""

    override = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text=f"an owner's reason, of at least {operations.LEAST_REASON} characters; it stands in "
        "the audit log with what was missing",
    )


class Revisions(ApiView):
    """What a bot was set to, and a new one."""

    needs: ClassVar = {"GET": "view", "POST": "trade"}

    @told("List a bot's revisions", answers.Revisions, name="list_revisions", parameters=PAGE, gives=("ETag",),
          problems=(400, 404))  # fmt: skip
    def get(self, request: Request, bot_id: uuid.UUID) -> Response:
        limit, before = limit_of(request), cursor_of(request)
        bot = find_bot(bot_id)
        found = queries.list_revisions(bot_id=bot_id, before=before, most=limit + 1)
        items = _tell(bot, found[:limit])
        more = str(items[-1]["revision"]) if len(found) > limit else None
        return Response({"items": items, "next": more}, headers=tagged(bot))

    @told("Make a revision: in force at once (201); waits for an owner (202) where it loosens a limit, "
          "or changes what trades real money without proof",
          answers.Revision, code=201, also=202, gives=("Location", "ETag"), request=RevisionBody, changes=True,
          parameters=(IF_MATCH,), problems=(404, 409, 412, 428))  # fmt: skip
    @idempotent
    def post(self, request: Request, bot_id: uuid.UUID) -> Response:
        bot = _read(request, bot_id)
        body = RevisionBody(data=request.data)
        body.is_valid(raise_exception=True)
        active: Any = bot.active_revision
        before = queries.whole_params(active.params)
        try:
            changed = params_on(validate(PipelineParams, before), body.validated_data["params"])
        except InvalidParams as error:
            raise ValidationError({"params": [str(error)]}) from None
        return _change(request, bot, to_mapping(changed))


class Revision(ApiView):
    """One revision."""

    needs: ClassVar = {"GET": "view"}

    @told("Read a revision with its parameters", answers.Revision, gives=("ETag",), problems=(404,))
    def get(self, request: Request, bot_id: uuid.UUID, revision: int) -> Response:
        return _answer(bot_id, revision)


class Revert(ApiView):
    """Back to an earlier one."""

    needs: ClassVar = {"POST": "trade"}

    @told("Make a new revision with the parameters of this one: in force at once (201), or waits as "
          "any change would (202)",
          answers.Revision, code=201, also=202, gives=("Location", "ETag"), changes=True,
          parameters=(IF_MATCH,), problems=(404, 409, 412, 428))  # fmt: skip
    @idempotent
    def post(self, request: Request, bot_id: uuid.UUID, revision: int) -> Response:
        bot = _read(request, bot_id)
        former = _find(bot_id, revision)
        return _change(request, bot, queries.whole_params(former.params))


class PutInForce(ApiView):
    """The end of a wait."""

    needs: ClassVar = {"POST": "manage"}
    effects: ClassVar = {"POST": Effect.OPEN}

    @told("Put the revision that waits in force, once its wait is over: an owner's session with its "
          "second factor, no key", answers.Revision, gives=("ETag",), request=OverrideBody,
          changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, bot_id: uuid.UUID, revision: int) -> Response:
        require_person(request)
        body = OverrideBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            operations.put_in_force(
                bot_id=bot_id,
                number=revision,
                override=body.validated_data["override"],
                actor=actor_of(request),
                now=timezone.now(),
            )
        except operations.BotNotFound:
            raise NotFound(f"no bot {bot_id} in this workspace") from None
        except operations.RevisionRefused as error:
            raise Conflict(str(error)) from None
        return _answer(bot_id, revision)


class Withdraw(ApiView):
    """A wait given up."""

    needs: ClassVar = {"POST": "trade"}
    effects: ClassVar = {"POST": Effect.HARMLESS}

    @told("Give up the revision that waits; the one in force stays", answers.Revision,
          gives=("ETag",), changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, bot_id: uuid.UUID, revision: int) -> Response:
        try:
            operations.withdraw_wait(
                bot_id=bot_id, number=revision, actor=actor_of(request), now=timezone.now()
            )
        except operations.BotNotFound:
            raise NotFound(f"no bot {bot_id} in this workspace") from None
        except operations.RevisionRefused as error:
            raise Conflict(str(error)) from None
        return _answer(bot_id, revision)


def _read(request: Request, bot_id: uuid.UUID) -> StoredBot:
    """The bot the caller has read, and nobody changed since."""
    bot = find_bot(bot_id)
    if bot.active_revision is None:
        raise Conflict(f"bot {bot.name} has no revision yet to change")
    require_match(request, etag=etag_of(bot))
    return bot


def _change(request: Request, bot: StoredBot, params: dict[str, Any]) -> Response:
    """Make the revision, and tell it. A session loosens with its second factor only; what a key
    loosens stays a proposal until an owner's second factor puts it in force."""
    active: Any = bot.active_revision
    may_loosen = may(request, "manage")
    if may_loosen and loosened(queries.whole_params(active.params), params):
        require_second_factor(request)
    try:
        wait = operations.change_bot(
            bot_id=bot.id,
            based_on=active.number,
            params=params,
            asker=operations.Asker(actor_of(request), may_loosen),
            now=timezone.now(),
        )
    except InvalidParams as error:  # of an earlier revision, kept from before a bound was drawn
        raise ValidationError({"params": [str(error)]}) from None
    except operations.RevisionMoved as error:
        raise PreconditionFailed(str(error)) from None
    except operations.MayNotLoosen as error:
        raise PermissionDenied(str(error)) from None
    except operations.RevisionRefused as error:
        raise Conflict(str(error)) from None
    changed = find_bot(bot.id)
    (newest,) = queries.list_revisions(bot_id=bot.id, before=None, most=1)
    where = f"/api/v1/bots/{bot.id}/revisions/{newest.number}"
    headers = {"Location": where, **tagged(changed)}
    return Response(_tell(changed, [newest])[0], status=202 if wait else 201, headers=headers)


def _find(bot_id: uuid.UUID, revision: int) -> BotRevision:
    try:
        return queries.get_revision(bot_id=bot_id, number=revision)
    except BotRevision.DoesNotExist:
        raise NotFound(f"no revision {revision} of bot {bot_id} in this workspace") from None


def _answer(bot_id: uuid.UUID, revision: int) -> Response:
    bot = find_bot(bot_id)
    return Response(_tell(bot, [_find(bot_id, revision)])[0], headers=tagged(bot))


def _tell(bot: StoredBot, revisions: Sequence[BotRevision]) -> list[Any]:
    waits = queries.waits_of(revisions)
    missing = {
        wait.id: missing_for(wait.revision, now=timezone.now())
        for wait in waits.values()
        if wait.ended_at is None
    }
    context = {"active_id": bot.active_revision_id, "waits": waits, "missing": missing}
    return list(answers.Revision(revisions, many=True, context=context).data)
