"""What ends access closes sockets at once, and what is told rings the bell: over real sockets."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tenants import operations
from tenants.models import ApiKey, Membership, Tenant, User
from tenants.notifications import inbox, outbox
from tenants.notifications.news import Kind, News, Severity
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tests import factories
from tests.pages import served
from trading.stream import passes

SECONDS = 60.0
NEVER = 3600.0  # between two looks of the door: what closes a socket here is the nudge


@pytest.fixture
def address(fresh_database, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """daphne whose door looks by itself once an hour."""
    folder = tmp_path / "late"
    folder.mkdir()
    (folder / "late_door.py").write_text(
        "from novapulse.asgi import application\n"
        "from trading.stream import access\n"
        f"access.SECONDS_BETWEEN_CHECKS = {NEVER}\n"
    )
    environment = {
        **fresh_database.environment, "NOVA_ENV": "development", "PYTHONPATH": str(folder)
    }  # fmt: skip
    log = tmp_path / "daphne.log"
    with served(environment, log=log, application="late_door:application") as found:
        yield found
    connections.close_all()


@pytest.fixture
def tom(fresh_database):
    """Olga's workspace, in which Tom trades."""
    olga, tom = (factories.make_user(f"{name}@example.com") for name in ("olga", "tom"))
    tenant = factories.make_tenant("acme", owner=olga)
    with tenant_scope(tenant.id):
        membership = operations.add_member(
            tenant_id=tenant.id, user=tom, role=Role.TRADER, actor=olga, now=timezone.now()
        )
        key, secret = operations.issue_key(
            tenant_id=tenant.id, user=tom, label="Robot", scope="read", days=None,
            now=timezone.now(),
        )  # fmt: skip
    browser = Client()
    browser.force_login(tom)
    return {"tenant": tenant, "membership": membership, "user": tom, "key": key, "secret": secret,
            "browser": browser}  # fmt: skip


def listening(address: str, who: dict[str, Any], how: str) -> ClientConnection:
    headers = {"X-API-Key": who["secret"]}
    if how == "session":
        session = who["browser"].cookies[settings.SESSION_COOKIE_NAME].value
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}", "Origin": address}
    return connect(f"ws{address.removeprefix('http')}/ws/live", additional_headers=headers)


def rung(socket: ClientConnection, who: dict[str, Any], number: int) -> None:
    """Told something, it rings; so the socket is let in and the subscription stands."""
    while True:
        with tenant_scope(who["tenant"].id):
            news = News(f"n{number}", Kind.KEY, Severity.INFO, "Something", timezone.now())
            assert outbox.tell([news], tenant_id=who["tenant"].id, now=timezone.now()) == 1
        number += 1000
        try:
            assert '"bell::"' in str(socket.recv(timeout=1))
        except TimeoutError:
            continue
        return


def closed_with(socket: ClientConnection) -> int | None:
    """The code, after whatever was still told."""
    try:
        while True:
            socket.recv(timeout=SECONDS)
    except ConnectionClosed:
        return socket.close_code


def revoke(who: dict[str, Any]) -> None:
    operations.revoke_key(key_id=who["key"].id, actor=who["user"], now=timezone.now())


def remove(who: dict[str, Any]) -> None:
    operations.remove_member(membership=who["membership"], actor=None, now=timezone.now())


def demote(who: dict[str, Any]) -> None:
    operations.change_role(
        membership=who["membership"], role=Role.VIEWER, actor=None, now=timezone.now()
    )


def suspend(who: dict[str, Any]) -> None:
    operations.change_standing(
        tenant_id=who["tenant"].id, status="SUSPENDED", reason="unpaid", actor=None,
        now=timezone.now(),
    )  # fmt: skip


ENDS: list[tuple[str, Callable[[dict[str, Any]], None], int]] = [
    ("key", revoke, passes.NOT_SIGNED_IN),
    ("key", remove, passes.NOT_SIGNED_IN),
    ("key", demote, passes.ROLE_CHANGED),
    ("key", suspend, passes.SUSPENDED),
    ("session", remove, passes.NOT_A_MEMBER),
    ("session", demote, passes.ROLE_CHANGED),
]


def test_what_ends_access_closes_the_socket_at_once(address: str, tom) -> None:
    for number, (how, end, code) in enumerate(ENDS):
        with listening(address, tom, how) as socket, listening(address, tom, "session") as other:
            rung(socket, tom, number)
            with tenant_scope(tom["tenant"].id):
                end(tom)
            assert closed_with(socket) == code, end.__name__
            if end in (revoke, suspend):
                rung(other, tom, number + 100)
        restore(tom)


def restore(who: dict[str, Any]) -> None:
    """A member who trades, with a key that opens."""
    with tenant_scope(who["tenant"].id):
        Tenant.objects.filter(id=who["tenant"].id).update(status="ACTIVE", status_reason="")
        Membership.objects.filter(user=who["user"]).delete()
        who["membership"] = Membership.objects.create(
            tenant=who["tenant"], user=who["user"], role=Role.TRADER, created_at=timezone.now()
        )
        who["key"], who["secret"] = operations.issue_key(
            tenant_id=who["tenant"].id, user=who["user"], label="Robot", scope="read", days=None,
            now=timezone.now(),
        )  # fmt: skip


def test_signing_out_closes_the_sockets_of_the_session_at_once(address: str, tom) -> None:
    with listening(address, tom, "session") as socket, listening(address, tom, "key") as program:
        rung(socket, tom, 1)

        tom["browser"].post("/accounts/logout/")

        assert closed_with(socket) == passes.NOT_SIGNED_IN
        rung(program, tom, 2)


@pytest.mark.parametrize("how", ["key", "session"])
def test_an_expiry_closes_the_socket_at_once(address: str, tom, how: str) -> None:
    soon = timezone.now() + timedelta(seconds=2)
    session = tom["browser"].cookies[settings.SESSION_COOKIE_NAME].value
    Session.objects.filter(session_key=session).update(expire_date=soon)
    with tenant_scope(tom["tenant"].id):
        ApiKey.objects.filter(id=tom["key"].id).update(expires_at=soon)

    with listening(address, tom, how) as socket:
        assert closed_with(socket) == passes.NOT_SIGNED_IN


def test_an_operator_who_suspends_a_workspace_closes_its_programs_sockets(
    address: str, tom
) -> None:
    operator = User.objects.create_superuser("ops@example.com")
    site = Client()
    site.force_login(operator)
    page = f"/admin/tenants/tenant/{tom['tenant'].id}/change/"
    with listening(address, tom, "key") as socket:
        rung(socket, tom, 1)

        told = {"name": "Acme", "status": "SUSPENDED", "status_reason": "unpaid"}
        assert site.post(page, told).status_code == 302

        assert closed_with(socket) == passes.SUSPENDED


def test_reading_a_notification_rings_the_bell_of_the_other_pages(address: str, tom) -> None:
    with listening(address, tom, "session") as socket:
        rung(socket, tom, 1)

        with tenant_scope(tom["tenant"].id):
            assert inbox.mark_all_read(user_id=tom["user"].pk, now=timezone.now()) >= 1

        assert '"bell::"' in str(socket.recv(timeout=SECONDS))


def test_a_nudge_that_finds_no_redis_is_in_nobodys_way(tom, monkeypatch) -> None:
    from tenants import nudges

    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    nudges._client.cache_clear()
    try:
        with tenant_scope(tom["tenant"].id):
            revoke(tom)
    finally:
        nudges._client.cache_clear()

    with tenant_scope(tom["tenant"].id):
        tom["key"].refresh_from_db()
    assert tom["key"].revoked_at is not None
