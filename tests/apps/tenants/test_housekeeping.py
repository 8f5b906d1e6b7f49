"""What runs by itself: checks before a start, sessions that are cleared, health."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import checks
from django.test import Client
from django.utils import timezone

from tenants.tasks import clear_expired_sessions


def _deploy_warnings() -> set[str]:
    return {str(found.id) for found in checks.run_checks(include_deployment_checks=True)}


def test_production_without_a_mail_server_is_warned(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"

    assert "tenants.W001" in _deploy_warnings()


def test_production_with_a_mail_server_is_not(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    assert "tenants.W001" not in _deploy_warnings()


@pytest.mark.parametrize(("alias", "same"), [("default", "owner"), ("staff", "default")])
def test_roles_that_are_one_and_the_same_are_warned_of(monkeypatch, alias, same):
    before = "tenants.W002" in _deploy_warnings()
    other = django_settings.DATABASES[same]["USER"]
    monkeypatch.setitem(django_settings.DATABASES[alias], "USER", other)

    assert (before, "tenants.W002" in _deploy_warnings()) == (False, True)


def test_sessions_that_have_expired_are_deleted_and_others_kept(db):
    now = timezone.now()
    for number, expires in enumerate((now - timedelta(days=1), now + timedelta(days=1))):
        Session.objects.create(session_key=f"key{number}", session_data="", expire_date=expires)

    clear_expired_sessions(sent_by="beat")
    clear_expired_sessions()

    assert [s.session_key for s in Session.objects.all()] == ["key1"]


def test_a_session_is_unreadable_without_the_key_it_is_signed_with(db, settings):
    kept = SessionStore()
    kept["tenant_id"] = "acme"
    kept.save()
    settings.SECRET_KEY = "another" * 10

    assert SessionStore(kept.session_key).get("tenant_id") is None


def test_health_answers_without_a_database(settings):
    """No ``db`` fixture: a query would be refused."""
    answer = Client().get("/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]
