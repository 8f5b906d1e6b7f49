"""The caller's inbox and wishes, and a test of every channel. A key acts for its maker."""

import hashlib
import json
import uuid
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.idempotency import idempotent
from tenants.api.preconditions import require_match
from tenants.api.views import ApiView, Strict, actor_of, tenant_id_of
from tenants.models import Notice
from tenants.notifications import choosing, inbox, trying
from tenants.notifications.wishes import Wishes
from tenants.standing import Effect
from trading.api import notification_answers as answers
from trading.api.paging import PAGE, limit_of, place_of
from trading.api.schemas import IF_MATCH
from trading.api.schemas import answers as told
from trading.filters import write_place
from trading.queries.places import Place, older_than

UNREAD = OpenApiParameter("unread", bool, description="`true`: what is not read yet")
KIND = OpenApiParameter("kind", {"type": "string", "enum": Notice.Kind.values})
MARKS = {"true": True, "false": False}


class Inbox(ApiView):
    """What the caller was told."""

    needs: ClassVar = {"GET": "view"}

    @told("List your notifications", answers.Notifications, name="list_notifications",
          parameters=(*PAGE, UNREAD, KIND), problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        limit, before = limit_of(request), place_of(request, of=uuid.UUID)
        user_id = actor_of(request).pk
        found = inbox.list_inbox(user_id=user_id, shown=_shown(request))
        rows = list(older_than(found, before, time="told_at", key="id")[: limit + 1])
        shown = rows[:limit]
        last = Place(shown[-1].told_at, shown[-1].id) if len(rows) > limit else None
        return Response(
            {
                "items": answers.Notification(shown, many=True).data,
                "unread": inbox.count_unread(user_id=user_id),
                "next": write_place(last) if last else None,
            }
        )


def _shown(request: Request) -> inbox.Shown:
    unread = request.query_params.get("unread", "false")
    kind = request.query_params.get("kind", "")
    if unread not in MARKS:
        raise ValidationError({"unread": f"true or false, was {unread!r}."})
    if kind and kind not in Notice.Kind.values:
        accepted = ", ".join(Notice.Kind.values)
        raise ValidationError({"kind": f"{kind!r} is none; accepted are {accepted}."})
    return inbox.Shown(unread=MARKS[unread], kind=kind)


class MarkBody(Strict):
    """Read, or to be read again."""

    read = serializers.BooleanField()


class One(ApiView):
    """One notification of the caller's."""

    needs: ClassVar = {"GET": "view", "PATCH": "trade"}
    effects: ClassVar = {"PATCH": Effect.HARMLESS}

    @told("Read a notification", answers.Notification, problems=(404,))
    def get(self, request: Request, notification_id: uuid.UUID) -> Response:
        return _answer(
            inbox.get_notification, notification_id=notification_id, user_id=actor_of(request).pk
        )

    @told("Mark a notification as read, or as unread", answers.Notification, request=MarkBody,
          changes=True, problems=(404,))  # fmt: skip
    @idempotent
    def patch(self, request: Request, notification_id: uuid.UUID) -> Response:
        body = MarkBody(data=request.data)
        body.is_valid(raise_exception=True)
        mine = {"notification_id": notification_id, "user_id": actor_of(request).pk}
        if body.validated_data["read"]:
            return _answer(inbox.mark_read, **mine, now=timezone.now())
        return _answer(inbox.mark_unread, **mine)


class ReadAll(ApiView):
    """The whole inbox."""

    needs: ClassVar = {"POST": "trade"}
    effects: ClassVar = {"POST": Effect.HARMLESS}

    @told("Mark all your notifications as read", answers.Marked, changes=True)
    @idempotent
    def post(self, request: Request) -> Response:
        marked = inbox.mark_all_read(user_id=actor_of(request).pk, now=timezone.now())
        return Response({"read": marked})


class Acknowledge(ApiView):
    """Somebody sees to it."""

    needs: ClassVar = {"POST": "trade"}
    effects: ClassVar = {"POST": Effect.HARMLESS}

    @told("Acknowledge: nobody is reminded of it any more", answers.Notification, changes=True,
          problems=(404,))  # fmt: skip
    @idempotent
    def post(self, request: Request, notification_id: uuid.UUID) -> Response:
        return _answer(
            inbox.acknowledge,
            notification_id=notification_id,
            actor=actor_of(request),
            now=timezone.now(),
        )


class WishesBody(Strict):
    """What changes; the rest stays."""

    inbox_kinds = answers.Kinds(max_length=20, help_text="what comes into your inbox")
    email_kinds = answers.Kinds(max_length=20, help_text="what comes by letter as well")
    least_severity = serializers.ChoiceField(
        choices=Notice.Severity.choices, help_text=f"of letters: {answers.WEIGHTS}"
    )
    time_zone = serializers.CharField(
        max_length=60, help_text="of the quiet hours, such as Europe/Berlin"
    )
    quiet_from = serializers.TimeField(allow_null=True, help_text="letters wait from then on")
    quiet_until = serializers.TimeField(
        allow_null=True, help_text="and until then; both or neither, what is critical never waits"
    )


class Settings(ApiView):
    """The caller's own wishes."""

    needs: ClassVar = {"GET": "view", "PATCH": "trade"}
    effects: ClassVar = {"PATCH": Effect.HARMLESS}

    @told("Read what you want to be told; its ETag is what a change is based on",
          answers.NotificationSettings, gives=("ETag",))  # fmt: skip
    def get(self, request: Request) -> Response:
        return _told_wishes(choosing.get_wishes(user_id=actor_of(request).pk))

    @told("Change what you want to be told", answers.NotificationSettings, request=WishesBody(partial=True),
          changes=True, gives=("ETag",), parameters=(IF_MATCH,), problems=(412, 428))  # fmt: skip
    @idempotent
    def patch(self, request: Request) -> Response:
        standing = choosing.lock_wishes(user_id=actor_of(request).pk)
        require_match(request, etag=_etag(standing))
        body = WishesBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed: dict[str, Any] = dict(body.validated_data)
        for name in ("inbox_kinds", "email_kinds"):
            if name in changed:
                changed[name] = frozenset(changed[name])
        try:
            wishes = choosing.change_wishes(
                tenant_id=tenant_id_of(request), user_id=actor_of(request).pk, changed=changed
            )
        except choosing.InvalidWishes as error:
            raise ValidationError({error.field: [str(error)]}) from None
        return _told_wishes(wishes)


def _told_wishes(wishes: Wishes) -> Response:
    return Response(answers.NotificationSettings(wishes).data, headers={"ETag": _etag(wishes)})


def _etag(wishes: Wishes) -> str:
    """Of the wishes themselves: until somebody chooses there is no row to count versions in."""
    told = json.dumps(answers.NotificationSettings(wishes).data, sort_keys=True)
    return f'"w{hashlib.sha256(told.encode()).hexdigest()[:16]}"'


class TryChannels(ApiView):
    """A test through each channel."""

    needs: ClassVar = {"POST": "manage"}

    @told("Send a test to your inbox, your address and every webhook; say what came of each",
          answers.Outcomes, name="test_alerts", changes=True)  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        outcomes = trying.try_channels(
            tenant_id=tenant_id_of(request),
            workspace=request._request.tenant.name,  # type: ignore[attr-defined]
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(answers.Outcomes({"channels": outcomes}).data)


def _answer(act: Any, **given: Any) -> Response:
    try:
        return Response(answers.Notification(act(**given)).data)
    except inbox.NoticeNotFound as error:
        raise NotFound(str(error)) from None
