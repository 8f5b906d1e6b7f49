"""What tests of notifications begin with: something told, an endpoint, wishes."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app

from tenants.models import Notice, Notification, User, WebhookEndpoint
from tenants.notifications import endpoints
from tenants.notifications.news import Audience, Kind, News, Severity
from tenants.notifications.outbox import tell
from tenants.scoping import tenant_scope
from tests.factories import NOW


def some_news(**given: Any) -> News:
    """A breaker that tripped, unless told otherwise."""
    return News(
        **{
            "key": f"alert:{uuid.uuid4()}",
            "kind": Kind.ALERT,
            "severity": Severity.CRITICAL,
            "title": "Paper: clock",
            "words": "The clock is 5 s off",
            "path": "/",
            "happened_at": NOW,
            **given,
        }
    )


def tell_all(tenant_id: uuid.UUID, *news: News, now: Any = NOW) -> int:
    """In a transaction of its own."""
    with tenant_scope(tenant_id):
        return tell(news, tenant_id=tenant_id, now=now)


def tell_one(tenant_id: uuid.UUID, *, user: User) -> Notification:
    """In one person's inbox alone."""
    news = some_news(audience=Audience.CONCERNED, concerned_id=user.pk)
    tell_all(tenant_id, news)
    with tenant_scope(tenant_id):
        return Notification.objects.select_related("notice").get(notice__key=news.key)


def keep_hook(
    tenant_id: uuid.UUID, url: str, *, least_severity: int = Severity.INFO
) -> tuple[WebhookEndpoint, str]:
    """An endpoint that is told everything, and its secret."""
    with tenant_scope(tenant_id):
        return endpoints.add_endpoint(
            tenant_id=tenant_id,
            url=url,
            kinds=Notice.Kind.values,
            least_severity=least_severity,
            actor=None,
            now=NOW,
        )


@pytest.fixture
def eager() -> Iterator[None]:
    """Tasks run where they are called, without a worker."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False
