"""Puts the tenant on the request, opens the scope; the admin site runs as the staff role."""

from collections.abc import Callable
from math import ceil
from typing import Any

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from tenants import operations, queries
from tenants.api.authentication import KEY_HEADER
from tenants.api.problems import refuse
from tenants.api.throttling import BY_ADDRESS, WRONG_KEYS, address_of
from tenants.auth import is_mailbox_open
from tenants.models import User
from tenants.notifications.devices import mark_device
from tenants.scoping import staff_scope, tenant_scope

GetResponse = Callable[[HttpRequest], HttpResponse]
SESSION_KEY = "tenant_id"
SIGN_IN_SECONDS = "900"  # what a page refuses for coming too often it takes again after so long
ADMIN = "/admin/"
API = "/api/"
WITHOUT_TENANT = (
    "/accounts/", ADMIN, "/static/", "/health", "/mailbox/", "/welcome/", "/invitation/"
)  # fmt: skip


class StaffDatabaseMiddleware:
    """Requests of the admin site see every tenant, through the staff role and in one transaction."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ADMIN):
            return self._get_response(request)
        with staff_scope():
            response = self._get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True, using="staff")
            return response


class TenantMiddleware:
    """Chooses the signed-in person's workspace and opens its scope around the view.

    What the view wrote is rolled back when it raised or answered 5xx.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.tenant = None  # type: ignore[attr-defined]
        if request.path.startswith(API):
            return self._answer_program(request)
        response = self._answer_person(request)
        mark_device(request, response)
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", SIGN_IN_SECONDS)
        return response

    def _answer_program(self, request: HttpRequest) -> HttpResponse:
        """Tokens are counted before anything is looked up; a key wins over a session."""
        address = address_of(request)
        wait = BY_ADDRESS.take(address)
        key = request.headers.get(KEY_HEADER)
        if wait or key is None:
            return _too_many(wait) if wait else self._answer_person(request)
        holder = queries.find_key_holder(digest=operations.digest_of(key))
        if holder is None:
            wait = WRONG_KEYS.take(address)
            return _too_many(wait) if wait else self._get_response(request)
        request.key_holder = holder  # type: ignore[attr-defined]
        request.user = User.objects.get(pk=holder.user_id)
        with structlog.contextvars.bound_contextvars(key=str(holder.key_id)):
            return self._inside(request, holder.workspace)

    def _answer_person(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not user.is_authenticated:
            return self._get_response(request)
        with structlog.contextvars.bound_contextvars(user=user.pk):
            response = self._answer(request, user)
        add_never_cache_headers(response)  # nobody's figures stay in a browser after sign-out
        return response

    def _answer(self, request: HttpRequest, user: Any) -> HttpResponse:
        if request.path.startswith(WITHOUT_TENANT):
            return self._get_response(request)
        wanted = request.session.get(SESSION_KEY)
        workspace = queries.choose_workspace(user_id=user.pk, wanted=wanted)
        if workspace is None:
            is_api = request.path.startswith(API)
            return self._get_response(request) if is_api else redirect("welcome")
        return self._inside(request, workspace)

    def _inside(self, request: HttpRequest, workspace: queries.Workspace) -> HttpResponse:
        request.tenant = workspace  # type: ignore[attr-defined]
        with (
            structlog.contextvars.bound_contextvars(tenant=workspace.slug),
            tenant_scope(workspace.id),
        ):
            holder = getattr(request, "key_holder", None)
            if holder is not None:
                operations.note_key_use(key_id=holder.key_id, now=timezone.now())
            response = self._get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Whatever a view wrote before it raised is not kept."""
        if getattr(request, "tenant", None) is not None:
            transaction.set_rollback(True)


def _too_many(wait: float) -> HttpResponse:
    answer = refuse(429, f"Too many requests; try again in {wait:.1f} seconds.")
    answer["Retry-After"] = str(ceil(wait))
    return answer


def tenant_context(request: HttpRequest) -> dict[str, Any]:
    """``tenant`` for templates: the workspace of the request, or None; whether letters are shown."""
    return {
        "tenant": getattr(request, "tenant", None),
        "mailbox_is_open": is_mailbox_open(request),
    }
