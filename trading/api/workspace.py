"""The workspace: itself, its venues, what happened in it, and what is wrong."""

import uuid
from typing import ClassVar

from django.core.exceptions import ValidationError as FormError
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.views import ApiView, tenant_id_of
from trading.api import workspace_answers as answers
from trading.api.filtering import ACCOUNT, SPAN, checked
from trading.api.paging import PAGE, limit_of
from trading.api.schemas import answers as told
from trading.filters import EventFilter, read_event_place, write_event_place
from trading.queries.connections import list_connections
from trading.queries.events import KINDS, After, list_events
from trading.queries.standing import list_anomalies
from trading.queries.workspace import get_workspace

KIND = OpenApiParameter("kind", {"type": "string", "enum": list(KINDS)})


class Events(ApiView):
    """What happened."""

    needs: ClassVar = {"GET": "view"}

    @told("List what happened: alerts, holds, commands, revisions, positions", answers.Events,
          name="list_events", parameters=(*PAGE, ACCOUNT, KIND, *SPAN), problems=(400,))  # fmt: skip
    def get(self, request: Request) -> Response:
        limit = limit_of(request)
        form = checked(EventFilter(request.query_params))
        found = list_events(form.happened, after=_after(request), most=limit + 1)
        shown = found[:limit]
        more = write_event_place(shown[-1]) if len(found) > limit else None
        return Response({"items": answers.Event(shown, many=True).data, "next": more})


class Anomalies(ApiView):
    """What is wrong."""

    needs: ClassVar = {"GET": "view"}

    @told("List what a person must look at, the worst first", answers.Anomalies)
    def get(self, request: Request) -> Response:
        return Response(answers.Anomalies({"items": list_anomalies()}).data)


class Exchanges(ApiView):
    """Venues."""

    needs: ClassVar = {"GET": "view"}

    @told("Read how each account stands to its venue", answers.Connections)
    def get(self, request: Request) -> Response:
        found = list_connections(now=timezone.now())
        return Response(answers.Connections({"items": found}).data)


class Tenant(ApiView):
    """The workspace itself; another one is not there."""

    needs: ClassVar = {"GET": "manage"}

    @told("Read your own workspace", answers.Tenant, problems=(404,))
    def get(self, request: Request, tenant_id: uuid.UUID) -> Response:
        if tenant_id != tenant_id_of(request):
            raise NotFound(f"{tenant_id} is not your workspace")
        return Response(answers.Tenant(get_workspace(tenant_id=tenant_id)).data)


def _after(request: Request) -> After | None:
    try:
        return read_event_place(request.query_params.get("cursor", ""))
    except FormError as error:
        raise ValidationError({"cursor": error.messages}) from None
