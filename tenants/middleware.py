"""Puts the tenant on the request, opens the scope; the admin site runs as the staff role."""

from collections.abc import Callable
from typing import Any

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import add_never_cache_headers

from tenants import queries
from tenants.auth import is_mailbox_open
from tenants.scoping import staff_scope, tenant_scope

GetResponse = Callable[[HttpRequest], HttpResponse]
SESSION_KEY = "tenant_id"
ADMIN = "/admin/"
WITHOUT_TENANT = ("/accounts/", ADMIN, "/static/", "/health", "/mailbox/", "/welcome/")


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
            return redirect("welcome")
        request.tenant = workspace  # type: ignore[attr-defined]
        with (
            structlog.contextvars.bound_contextvars(tenant=workspace.slug),
            tenant_scope(workspace.id),
        ):
            response = self._get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Whatever a view wrote before it raised is not kept."""
        if getattr(request, "tenant", None) is not None:
            transaction.set_rollback(True)


def tenant_context(request: HttpRequest) -> dict[str, Any]:
    """``tenant`` for templates: the workspace of the request, or None; whether letters are shown."""
    return {
        "tenant": getattr(request, "tenant", None),
        "mailbox_is_open": is_mailbox_open(request),
    }
