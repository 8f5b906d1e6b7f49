"""Webhooks: the workspace's own addresses that are told; their secrets are shown once."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import operations
from tenants.api.idempotency import idempotent
from tenants.api.problems import Conflict
from tenants.api.views import ApiView, Strict, actor_of, tenant_id_of
from tenants.models import WebhookEndpoint
from tenants.notifications import endpoints, trying
from tenants.notifications.addresses import LONGEST_URL
from tenants.notifications.news import Kind, Severity
from tenants.standing import Effect
from trading.api import notification_answers as notices
from trading.api import webhook_answers as answers
from trading.api.paging import PAGE, limit_of, place_of
from trading.api.schemas import answers as told
from trading.filters import write_place
from trading.queries.places import Place, older_than

USUAL_KINDS = [kind for kind in Kind.values if kind != Kind.FILL]


class WebhookBody(Strict):
    """Which address is to be told, and of what."""

    url = serializers.CharField(
        max_length=LONGEST_URL, help_text="https:// of a public host; redirects are not followed"
    )
    kinds = notices.Kinds(
        required=False,
        default=USUAL_KINDS,
        allow_empty=False,
        max_length=len(Kind.values),
        help_text="what it is told of; without: everything but fills",
    )
    least_severity = serializers.ChoiceField(
        choices=Severity.choices,
        required=False,
        default=Severity.INFO,
        help_text=f"{notices.WEIGHTS}: nothing lighter is told",
    )


class Webhooks(ApiView):
    """Every address."""

    needs: ClassVar = {"GET": "manage", "POST": "manage"}
    shown_once: ClassVar = ("secret",)

    @told("List webhooks: what each is told of, and how its newest delivery went", answers.Webhooks,
          name="list_webhooks")  # fmt: skip
    def get(self, request: Request) -> Response:
        found = [_with_last(row) for row in endpoints.list_endpoints()]
        return Response(answers.Webhooks({"items": found}).data)

    @told("Add a webhook; its secret is told once", answers.NewWebhook, code=201,
          gives=("Location",), request=WebhookBody, changes=True, problems=(409,))  # fmt: skip
    @idempotent
    def post(self, request: Request) -> Response:
        body = WebhookBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            row, secret = endpoints.add_endpoint(
                tenant_id=tenant_id_of(request),
                actor=actor_of(request),
                now=timezone.now(),
                **body.validated_data,
            )
        except endpoints.InvalidEndpoint as error:
            field, _, words = str(error).partition(": ")
            raise ValidationError({field: [words]}) from None
        except operations.VaultClosed as error:
            raise Conflict(str(error)) from None
        where = {"Location": f"/api/v1/webhooks/{row.id}"}
        return Response(_with_secret(row, secret), status=201, headers=where)


class Webhook(ApiView):
    """One address."""

    needs: ClassVar = {"GET": "manage", "DELETE": "manage"}
    effects: ClassVar = {"DELETE": Effect.HARMLESS}

    @told("Read a webhook; its secret is never told again", answers.Webhook, problems=(404,))
    def get(self, request: Request, webhook_id: uuid.UUID) -> Response:
        return _answer(endpoints.get_endpoint, webhook_id)

    @told("Remove a webhook: it is told nothing more, and its secret is forgotten",
          answers.Webhook, changes=True, problems=(404,))  # fmt: skip
    @idempotent
    def delete(self, request: Request, webhook_id: uuid.UUID) -> Response:
        return _change(request, endpoints.remove_endpoint, webhook_id)


class Rotate(ApiView):
    """Another secret."""

    needs: ClassVar = {"POST": "manage"}
    effects: ClassVar = {"POST": Effect.HARMLESS}
    shown_once: ClassVar = ("secret",)

    @told("Give a webhook another secret, told once; the former one signs nothing more at once",
          answers.NewWebhook, changes=True, problems=(404, 409))  # fmt: skip
    @idempotent
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        try:
            row, secret = endpoints.rotate_secret(
                endpoint_id=webhook_id, actor=actor_of(request), now=timezone.now()
            )
        except endpoints.EndpointNotFound as error:
            raise NotFound(str(error)) from None
        except operations.VaultClosed as error:
            raise Conflict(str(error)) from None
        return Response(_with_secret(row, secret))


class Disable(ApiView):
    """Out of use."""

    needs: ClassVar = {"POST": "manage"}
    effects: ClassVar = {"POST": Effect.HARMLESS}

    @told("Disable a webhook: it is told nothing until it is enabled; what is on its way is given up",
          answers.Webhook, changes=True, problems=(404,))  # fmt: skip
    @idempotent
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        return _change(request, endpoints.disable_endpoint, webhook_id)


class Enable(ApiView):
    """In use again."""

    needs: ClassVar = {"POST": "manage"}

    @told("Enable a webhook: it is told what happens from now on", answers.Webhook, changes=True,
          problems=(404,))  # fmt: skip
    @idempotent
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        return _change(request, endpoints.enable_endpoint, webhook_id)


class Try(ApiView):
    """Does it arrive?"""

    needs: ClassVar = {"POST": "manage"}

    @told("Send a test to a webhook now, once, and say what came of it", notices.Outcome,
          changes=True, problems=(404,))  # fmt: skip
    @idempotent
    def post(self, request: Request, webhook_id: uuid.UUID) -> Response:
        outcome = trying.try_endpoint(
            row=_find(webhook_id),
            workspace=request._request.tenant.name,  # type: ignore[attr-defined]
            now=timezone.now(),
        )
        return Response(notices.Outcome(outcome).data)


class Deliveries(ApiView):
    """What it was told."""

    needs: ClassVar = {"GET": "manage"}

    @told("List what was and is on its way to a webhook, what happened last first",
          answers.Deliveries, name="list_deliveries", parameters=PAGE, problems=(404,))  # fmt: skip
    def get(self, request: Request, webhook_id: uuid.UUID) -> Response:
        limit, before = limit_of(request), place_of(request, of=uuid.UUID)
        found = endpoints.list_deliveries(_find(webhook_id).id)
        rows = list(older_than(found, before, time="notice__happened_at", key="id")[: limit + 1])
        shown = rows[:limit]
        last = Place(shown[-1].notice.happened_at, shown[-1].id) if len(rows) > limit else None
        items = answers.Delivery(shown, many=True).data
        return Response({"items": items, "next": write_place(last) if last else None})


def _find(webhook_id: uuid.UUID) -> WebhookEndpoint:
    try:
        return endpoints.get_endpoint(webhook_id)
    except endpoints.EndpointNotFound as error:
        raise NotFound(str(error)) from None


def _change(
    request: Request, act: Callable[..., WebhookEndpoint], webhook_id: uuid.UUID
) -> Response:
    def done(endpoint_id: uuid.UUID) -> WebhookEndpoint:
        return act(endpoint_id=endpoint_id, actor=actor_of(request), now=timezone.now())

    return _answer(done, webhook_id)


def _answer(act: Callable[[uuid.UUID], WebhookEndpoint], webhook_id: uuid.UUID) -> Response:
    try:
        return Response(answers.Webhook(_with_last(act(webhook_id))).data)
    except endpoints.EndpointNotFound as error:
        raise NotFound(str(error)) from None


def _with_last(row: WebhookEndpoint) -> Any:
    row.last = endpoints.last_delivery(row)  # type: ignore[attr-defined]  # told beside it
    return row


def _with_secret(row: WebhookEndpoint, secret: str) -> Any:
    found = _with_last(row)
    found.secret = secret  # told now, and kept nowhere but sealed
    return answers.NewWebhook(found).data
