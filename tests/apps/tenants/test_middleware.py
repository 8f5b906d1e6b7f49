"""The middlewares: whose scope a request runs in, what is kept of it, what its log lines say."""

import json
import logging
from typing import Any

import pytest
import structlog
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.client import Client

from tenants.middleware import StaffDatabaseMiddleware, TenantMiddleware
from tenants.models import Membership, Tenant
from tenants.scoping import current_tenant_id, is_staff_scope, tenant_scope
from tests.factories import NOW


def _request(user, path="/"):
    request = RequestFactory().get(path)
    request.user = user or AnonymousUser()
    request.session = SessionStore()
    return request


def _add_nina(people, *, status: int):
    def view(request):
        Membership.objects.create(
            tenant_id=request.tenant.id, user=people.nina, role="VIEWER", created_at=NOW
        )
        return HttpResponse(status=status)

    return view


def _members(people) -> int:
    with tenant_scope(people.acme.id):
        return Membership.objects.count()


def test_a_view_runs_in_the_scope_of_its_persons_workspace(people):
    seen = []

    def view(request):
        seen.append((current_tenant_id(), request.tenant.slug, request.tenant.role))
        return HttpResponse()

    TenantMiddleware(view)(_request(people.tom))

    assert seen == [(people.acme.id, "acme", "TRADER")]
    assert current_tenant_id() is None


@pytest.mark.parametrize("path", ["/accounts/email/", "/welcome/", "/health", "/mailbox/"])
def test_some_pages_need_no_workspace(people, path):
    seen = []

    def view(request):
        seen.append((current_tenant_id(), request.tenant))
        return HttpResponse()

    TenantMiddleware(view)(_request(people.nina, path))

    assert seen == [(None, None)]


@pytest.mark.parametrize(("status", "kept"), [(200, 4), (302, 4), (404, 4), (500, 3), (503, 3)])
def test_what_a_view_wrote_is_kept_unless_it_answered_with_a_failure(people, status, kept):
    TenantMiddleware(_add_nina(people, status=status))(_request(people.olga))

    assert _members(people) == kept


def test_what_a_view_wrote_before_it_raised_is_not_kept(people, monkeypatch):
    monkeypatch.setattr("tenants.views.queries.list_members", _raise_after_writing(people))
    client = Client(raise_request_exception=False)
    client.force_login(people.olga)

    answer = client.get("/team/")

    assert answer.status_code == 500
    assert _members(people) == 3


def _raise_after_writing(people):
    def list_members():
        Membership.objects.create(
            tenant_id=people.acme.id, user=people.nina, role="VIEWER", created_at=NOW
        )
        raise ZeroDivisionError

    return list_members


def test_pages_of_somebody_signed_in_are_kept_by_no_browser(people):
    for address in ("/team/", "/welcome/", "/accounts/email/"):
        answer = people.client("olga").get(address)
        assert "no-store" in answer["Cache-Control"], address


def test_lines_logged_in_a_request_name_workspace_and_person_and_later_ones_do_not(people):
    seen = []

    def view(request):
        seen.append(dict(structlog.contextvars.get_contextvars()))
        return HttpResponse()

    TenantMiddleware(view)(_request(people.tom))

    assert seen == [{"tenant": "acme", "user": people.tom.pk}]
    assert structlog.contextvars.get_contextvars() == {}


def test_context_is_forgotten_also_when_a_view_raises(people):
    def view(request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        TenantMiddleware(view)(_request(people.tom))

    assert structlog.contextvars.get_contextvars() == {}
    assert current_tenant_id() is None


def test_a_failure_in_a_page_is_logged_with_its_workspace(people, monkeypatch):
    monkeypatch.setattr("tenants.views.queries.list_members", lambda: 1 / 0)
    client = Client(raise_request_exception=False)
    client.force_login(people.vera)
    handler: Any = logging.getLogger().handlers[0]
    written: list[str] = []
    monkeypatch.setattr(handler.stream, "write", written.append)

    client.get("/team/")

    lines = [json.loads(text) for text in "".join(written).splitlines()]
    failures = [line for line in lines if "ZeroDivisionError" in line.get("exception", "")]
    assert [(line["tenant"], line["user"]) for line in failures] == [("acme", people.vera.pk)]


def test_the_admin_site_runs_as_staff_and_nothing_else_does(people):
    seen = []

    def view(request):
        seen.append(is_staff_scope())
        return HttpResponse()

    for path in ("/admin/", "/admin/tenants/tenant/", "/", "/administration", "/team/admin/"):
        StaffDatabaseMiddleware(view)(RequestFactory().get(path))

    assert seen == [True, True, False, False, False]


def test_what_an_admin_page_wrote_is_not_kept_when_it_failed(people):
    def view(request):
        Tenant.objects.filter(slug="acme").update(name="Changed")
        return HttpResponse(status=500)

    StaffDatabaseMiddleware(view)(RequestFactory().get("/admin/"))

    with tenant_scope(people.acme.id):
        assert Tenant.objects.get(slug="acme").name == "Acme"
