"""What is forgotten, and what never is."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from tenants import operations
from tenants.models import AuditEntry, Delivery, Invitation, Notice, Notification
from tenants.notifications.news import Severity
from tenants.operations import retention
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tenants.tasks import forget_old_invitations, forget_old_notices
from tests.apps.tenants.notices import some_news, tell_all
from tests.factories import NOW

OLD, NEW = NOW - timedelta(days=91), NOW - timedelta(days=89)


@pytest.fixture
def told(people):
    """In both workspaces an old notice and a new one, sent."""
    for tenant in (people.acme, people.others):
        for key, at in (("old", OLD), ("new", NEW)):
            news = some_news(key=key, severity=Severity.WARNING, happened_at=at)
            tell_all(tenant.id, news)
    return people


def sent(tenant, **given):
    with tenant_scope(tenant.id):
        Delivery.objects.filter(**given).update(state="SENT")


def forget(most=10_000):
    return retention.forget_notices(before=NOW - timedelta(days=90), most=most)


def keys_of(tenant):
    with tenant_scope(tenant.id):
        return sorted(Notice.objects.values_list("key", flat=True))


def test_old_notices_go_with_inbox_and_deliveries_in_every_workspace(told):
    for tenant in (told.acme, told.others):
        sent(tenant)
    with tenant_scope(told.acme.id):
        entries = AuditEntry.objects.count()

    forgotten = forget()

    assert forgotten == 2
    assert keys_of(told.acme) == keys_of(told.others) == ["new"]
    with tenant_scope(told.acme.id):
        assert Notification.objects.exists()
        assert not Notification.objects.filter(notice__key="old").exists()
        assert AuditEntry.objects.count() == entries > 0
    assert forget() == 0


def test_what_is_still_on_its_way_is_kept(told):
    with tenant_scope(told.acme.id):
        notice = Notice.objects.get(key="old")
        Delivery.objects.filter(notice=notice).delete()
        Delivery.objects.create(
            tenant=told.acme, notice=notice, channel="EMAIL", recipient="user:1", due_at=NOW
        )
    sent(told.others)

    assert forget() == 1
    assert keys_of(told.acme) == ["new", "old"]


def test_what_is_critical_and_not_over_is_kept_or_it_would_be_told_again(people):
    tell_all(people.acme.id, some_news(key="alert:1", happened_at=OLD))
    sent(people.acme)
    before = forget()

    with tenant_scope(people.acme.id):
        Notice.objects.update(over_at=NOW)

    assert (before, forget()) == (0, 1)


def test_much_is_forgotten_in_batches_and_never_more_than_asked(people, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(7):
        news = some_news(key=f"old {number}", severity=Severity.INFO, happened_at=OLD)
        tell_all(people.acme.id, news)
    sent(people.acme)

    assert [forget(most=5), forget(most=5), forget(most=5)] == [5, 2, 0]


def test_the_round_keeps_what_the_installation_says(told, settings):
    for tenant in (told.acme, told.others):
        sent(tenant)
    age = (timezone.now() - NOW).days
    settings.NOTICES_KEPT_DAYS = age + 95
    kept = forget_old_notices(sent_by="beat")

    settings.NOTICES_KEPT_DAYS = age + 90

    assert (kept, forget_old_notices()) == (0, 2)


def test_settled_invitations_go_in_time_and_open_ones_never(people, settings):
    settings.NOTICES_KEPT_DAYS = 90
    now = timezone.now()
    old, new = now - timedelta(days=91), now - timedelta(days=89)
    invited = (("open", old, None), ("old", old, old), ("new", old, new))
    with tenant_scope(people.acme.id):
        for name, at, settled_at in invited:
            row, _ = operations.invite_person(
                tenant_id=people.acme.id, email=f"{name}@people.example", role=Role.VIEWER,
                actor=people.olga, lasts=timedelta(days=999), now=at,
            )  # fmt: skip
            state = "DECLINED" if settled_at else "OPEN"
            Invitation.objects.filter(id=row.id).update(state=state, settled_at=settled_at)
        log = AuditEntry.objects.count()

    forgotten = forget_old_invitations(sent_by="beat")

    with tenant_scope(people.acme.id):
        left = {one.email.partition("@")[0] for one in Invitation.objects.all()}
        assert (forgotten, left, AuditEntry.objects.count()) == (1, {"open", "new"}, log)
    assert forget_old_invitations() == 0


def test_of_sessions_only_the_expired_go(db):
    for number in range(3):
        expires = NOW + timedelta(days=number - 1)
        Session.objects.create(session_key=f"key{number}", session_data="", expire_date=expires)

    assert retention.forget_sessions(now=NOW, most=10) == 1
    assert Session.objects.filter(session_key="key0").exists() is False
