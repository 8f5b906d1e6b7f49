"""The socket: members of the workspace only, of their own workspace only, for as long as they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import connections
from django.test import Client

from novapulse.asgi import application
from tenants.middleware import SESSION_KEY
from tenants.models import Membership, User
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tests import factories
from trading import consumers
from trading.stream import access, passes
from trading.stream import hub as hub_module
from trading.stream.publisher import RedisPublisher


@pytest.fixture
def two_workspaces(fresh_database):
    """Olga's and Max's."""
    olga, stranger = (factories.make_user(f"{name}@example.com") for name in ("olga", "max"))
    mine = factories.make_tenant("acme", owner=olga)
    theirs = factories.make_tenant("other", owner=stranger)
    yield olga, stranger, mine, theirs
    connections.close_all()


def cookie_of(user: User | None, *, chosen: str | None = None) -> tuple[bytes, bytes]:
    client = Client()
    if user is None:
        return (b"cookie", b"")
    client.force_login(user)
    if chosen:
        session = client.session
        session[SESSION_KEY] = chosen
        session.save()
    return (b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}".encode())


@asynccontextmanager
async def opened(
    cookie: tuple[bytes, bytes], *, origin: bytes = b"http://localhost", path: str = "/ws/live"
) -> AsyncIterator[WebsocketCommunicator]:
    socket = WebsocketCommunicator(
        application, path, headers=[cookie, (b"origin", origin), (b"host", b"localhost")]
    )
    socket.accepted, _ = await socket.connect(timeout=10)
    try:
        yield socket
    finally:
        await socket.disconnect()


async def publish(tenant_id, value: dict) -> None:
    publisher = RedisPublisher(url=settings.REDIS_URL, tenant_id=str(tenant_id))
    publisher.publish("bar:0", value)
    await publisher.close()


async def close_code(socket: WebsocketCommunicator) -> int:
    async with asyncio.timeout(10):
        while True:
            message = await socket.receive_output(timeout=10)
            if message["type"] == "websocket.close":
                return message["code"]


async def in_thread(work):
    """Database work beside the loop, on a connection that is closed again."""

    def run():
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


async def test_a_member_gets_the_latest_values_and_then_the_news(two_workspaces) -> None:
    olga, _, mine, _ = two_workspaces
    await publish(mine.id, {"close": 1})

    async with opened(await in_thread(lambda: cookie_of(olga))) as socket:
        (snapshot,) = msgspec.json.decode(await socket.receive_from(timeout=10))
        await asyncio.sleep(0.3)
        await publish(mine.id, {"close": 2})
        (news,) = msgspec.json.decode(await socket.receive_from(timeout=10))

    assert (snapshot["data"], news["data"]) == ({"close": 1}, {"close": 2})


async def test_max_hears_nothing_of_another_workspace(two_workspaces) -> None:
    _, stranger, mine, _ = two_workspaces
    await publish(mine.id, {"close": 1})

    async with opened(await in_thread(lambda: cookie_of(stranger))) as socket:
        await asyncio.sleep(0.3)
        await publish(mine.id, {"close": 2})

        assert await socket.receive_nothing(timeout=1)


async def test_choosing_a_workspace_one_is_no_member_of_leads_to_ones_own(two_workspaces) -> None:
    _, stranger, mine, theirs = two_workspaces
    await publish(mine.id, {"close": 1})
    await publish(theirs.id, {"close": 9})

    cookie = await in_thread(lambda: cookie_of(stranger, chosen=str(mine.id)))
    async with opened(cookie) as socket:
        (heard,) = msgspec.json.decode(await socket.receive_from(timeout=10))

        assert heard["data"] == {"close": 9}
        assert await socket.receive_nothing(timeout=0.5)


async def test_nobody_listens_without_signing_in(two_workspaces) -> None:
    async with opened(cookie_of(None)) as socket:
        assert await close_code(socket) == passes.NOT_SIGNED_IN


@pytest.mark.parametrize(
    "origin",
    [b"https://evil.example", b"http://localhost:8091", b"http://localhost.", b"localhost", b"null", b""],
)  # fmt: skip
async def test_a_page_of_a_foreign_origin_cannot_open_the_socket(two_workspaces, origin) -> None:
    olga, *_ = two_workspaces

    cookie = await in_thread(lambda: cookie_of(olga))
    async with opened(cookie, origin=origin) as socket:
        assert socket.accepted is False


@pytest.mark.parametrize(("origin", "may"), [(b"https://localhost", True), (b"http://localhost", False)])  # fmt: skip
async def test_where_sessions_want_tls_so_does_the_page(
    two_workspaces, settings, origin, may
) -> None:
    olga, *_ = two_workspaces
    settings.SESSION_COOKIE_SECURE = True

    cookie = await in_thread(lambda: cookie_of(olga))
    async with opened(cookie, origin=origin) as socket:
        assert socket.accepted is may


async def test_a_page_of_the_public_address_opens_the_socket_behind_another_host(
    two_workspaces, settings
) -> None:
    olga, *_ = two_workspaces
    settings.PUBLIC_URL = "https://127.0.0.1:9443"

    cookie = await in_thread(lambda: cookie_of(olga))
    async with opened(cookie, origin=b"https://127.0.0.1:9443") as socket:
        assert socket.accepted is True


async def test_a_socket_that_does_not_exist_is_refused_quietly(two_workspaces) -> None:
    olga, *_ = two_workspaces

    cookie = await in_thread(lambda: cookie_of(olga))
    for path in ("/ws/other", "/ws/live/", "/"):
        async with opened(cookie, path=path) as socket:
            assert socket.accepted is False


@pytest.mark.parametrize("leaving", ["sign out", "membership ends", "role change"])
async def test_the_socket_closes_when_access_ends(
    two_workspaces, leaving: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, _, mine, _ = two_workspaces
    monkeypatch.setattr(access, "SECONDS_BETWEEN_CHECKS", 0.2)

    def end_access() -> None:
        if leaving == "sign out":
            from django.contrib.sessions.models import Session

            assert Session.objects.count() == 1
            Session.objects.all().delete()
            return
        with tenant_scope(mine.id):
            member = Membership.objects.filter(user=olga)
            member.update(role=Role.VIEWER) if leaving == "role change" else member.delete()

    await publish(mine.id, {"close": 1})
    async with opened(await in_thread(lambda: cookie_of(olga))) as socket:
        await socket.receive_from(timeout=10)
        await in_thread(end_access)

        assert (
            await close_code(socket)
            == {
                "sign out": passes.NOT_SIGNED_IN,
                "membership ends": passes.NOT_A_MEMBER,
                "role change": passes.ROLE_CHANGED,
            }[leaving]
        )


async def test_a_socket_that_never_confirms_is_closed(
    two_workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, _, mine, _ = two_workspaces
    monkeypatch.setattr(hub_module, "TEXTS_ON_THE_WAY", 1)
    monkeypatch.setattr(hub_module, "SECONDS_OF_SILENCE", 0.2)
    await publish(mine.id, {"close": 1})

    async with opened(await in_thread(lambda: cookie_of(olga))) as socket:
        await socket.receive_from(timeout=10)
        await publish(mine.id, {"close": 2})

        assert await close_code(socket) == consumers.NOT_READING


@pytest.mark.parametrize("text", ["{}", "x", "[]", '{"read": "many"}', '{"read": -1}', "9" * 4000])
async def test_nonsense_from_a_page_harms_nothing(two_workspaces, text: str) -> None:
    olga, _, mine, _ = two_workspaces

    async with opened(await in_thread(lambda: cookie_of(olga))) as socket:
        await asyncio.sleep(0.3)
        await socket.send_to(text_data=text)
        await publish(mine.id, {"close": 3})

        (heard,) = msgspec.json.decode(await socket.receive_from(timeout=10))

    assert heard["data"] == {"close": 3}
