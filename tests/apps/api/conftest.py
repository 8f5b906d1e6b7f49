"""Programs of Acme with keys of every scope, one of another workspace, and people with sessions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tenants import operations
from tenants.api import throttling
from tenants.models import Membership
from tenants.scoping import tenant_scope
from tests.apps.trading.conftest import People, people, signed_in  # noqa: F401 - a fixture
from tests.factories import NOW
from tests.research.conftest import fill
from trading.marketdata.store import BarStore

ASKED: dict[str, Any] = {"pairs": ["BTC/USD"], "timeframe": "5m", "profile": "active"}


def issue(people: People, name: str, scope: str, **given: Any) -> tuple[Any, str]:
    """A key of this person in their own workspace: (row, secret)."""
    user = getattr(people, name)
    tenant_id = _workspace(people, name)
    with tenant_scope(tenant_id):
        return operations.issue_key(
            tenant_id=tenant_id, user=user, label=f"{name} {scope}", scope=scope,
            **{"days": None, "now": NOW, **given},
        )  # fmt: skip


def _workspace(people: People, name: str) -> Any:
    if name != "max":
        return people.engine.tenant_id
    from tenants.queries import memberships

    return memberships(user_id=people.max.pk)[0].id


def program(secret: str) -> Client:
    """A client that sends this key."""
    return Client(headers={"X-API-Key": secret})


@pytest.fixture
def as_caller(people: People) -> Callable[[str], Client]:
    """A client by name: ``anonymous``, a person's name (session), or ``name-scope`` (key)."""

    def make(who: str) -> Client:
        if who == "anonymous":
            return Client()
        if who == "wrong-key":
            return program("np_" + "x" * 43)
        if "-" not in who:
            return signed_in(getattr(people, who))
        name, scope = who.split("-")
        return program(issue(people, name, scope)[1])

    return make


@pytest.fixture
def store(people: People, tmp_path, settings) -> BarStore:
    """Bars of two pairs."""
    settings.BARS_DIR = tmp_path / "bars"
    made = BarStore(settings.BARS_DIR)
    fill(made)
    return made


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    """Send JSON."""
    return client.post(
        f"/api/v1{path}", body or {}, content_type="application/json", headers=headers
    )


def role_of(people: People, name: str) -> Membership:
    """A membership of Acme."""
    with tenant_scope(people.engine.tenant_id):
        return Membership.objects.get(user=getattr(people, name))


@pytest.fixture
def boundless(monkeypatch) -> None:
    """No limit on how often anybody asks."""
    monkeypatch.setattr(throttling.Bucket, "take", lambda *_, **__: 0.0)
