"""Puts the tenant on the request, opens the scope; the admin site runs as the staff role."""

from collections.abc import Callable
from typing import Any

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tenants import queries
from tenants.scoping import staff_scope, tenant_scope

GetResponse = Callable[[HttpRequest], HttpResponse]
SESSION_KEY = "tenant_id"
WITHOUT_TENANT = ("/accounts/", "/admin/", "/static/", "/health", "/mailbox/", "/welcome/")


class StaffDatabaseMiddleware:
    """Requests of the admin site see every tenant, through the staff role and in one transaction."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/admin/"):
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
        structlog.contextvars.clear_contextvars()
        user: Any = request.user
        if not user.is_authenticated or request.path.startswith(WITHOUT_TENANT):
            return self._get_response(request)
        wanted = request.session.get(SESSION_KEY)
        workspace = queries.choose_workspace(user_id=user.pk, wanted=wanted)
        if workspace is None:
            return redirect("welcome")
        request.tenant = workspace  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(tenant=workspace.slug, user=user.pk)
        try:
            with tenant_scope(workspace.id):
                response = self._get_response(request)
                if response.status_code >= 500:
                    transaction.set_rollback(True)
                return response
        finally:
            structlog.contextvars.clear_contextvars()

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Whatever a view wrote before it raised is not kept."""
        if getattr(request, "tenant", None) is not None:
            transaction.set_rollback(True)


def tenant_context(request: HttpRequest) -> dict[str, Any]:
    """``tenant`` for templates: the workspace of the request, or None."""
    return {"tenant": getattr(request, "tenant", None)}
