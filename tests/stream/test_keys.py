"""The socket opened by a key: into the key's workspace only, and for as long as it opens."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest
from channels.testing import WebsocketCommunicator
from django.utils import timezone

from novapulse.asgi import application
from tenants import operations
from tenants.api import throttling
from tenants.models import ApiKey, Membership, Tenant
from tenants.roles import Role
from tenants.scoping import staff_scope, tenant_scope
from tests.stream.test_access_unknown import rename_function
from tests.stream.test_socket import (
    close_code,
    cookie_of,
    in_thread,
    publish,
    two_workspaces,
)
from trading.stream import access, passes

__all__ = ["two_workspaces"]

Header = tuple[bytes, bytes]
ORIGIN: Header = (b"origin", b"http://localhost")
FOREIGN: Header = (b"origin", b"https://evil.example")


def key_of(user, tenant, *, scope: str = "read", days: int | None = None) -> tuple[ApiKey, Header]:
    with tenant_scope(tenant.id):
        key, secret = operations.issue_key(
            tenant_id=tenant.id, user=user, label="Robot", scope=scope, days=days,
            now=timezone.now(),
        )  # fmt: skip
    return key, (b"x-api-key", secret.encode())


@asynccontextmanager
async def knocking(
    *headers: Header, path: str = "/ws/live", address: str = "192.0.2.1"
) -> AsyncIterator[WebsocketCommunicator]:
    socket = WebsocketCommunicator(application, path, headers=[*headers, (b"host", b"localhost")])
    socket.scope["client"] = [address, 40_000]
    socket.accepted, _ = await socket.connect(timeout=10)
    try:
        yield socket
    finally:
        await socket.disconnect()


async def heard_by(socket: WebsocketCommunicator) -> list[dict]:
    return [one["data"] for one in msgspec.json.decode(await socket.receive_from(timeout=10))]


@pytest.fixture
def small_buckets(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """One token each, and none again while the test runs."""
    for name in ("BY_ADDRESS", "BY_CALLER", "WRONG_KEYS"):
        size = 1 if name != "BY_ADDRESS" else 100
        monkeypatch.setattr(passes, name, throttling.Bucket(name.lower(), size, 0.001))
    return monkeypatch


@pytest.mark.parametrize("headers", [(), (ORIGIN,)])
async def test_a_key_hears_its_workspace_only_and_its_use_is_noted(
    two_workspaces, headers: tuple[Header, ...]
) -> None:
    olga, _, mine, theirs = two_workspaces
    await publish(mine.id, {"close": 1})
    await publish(theirs.id, {"close": 9})
    key, header = await in_thread(lambda: key_of(olga, mine))

    async with knocking(header, *headers) as socket:
        assert await heard_by(socket) == [{"close": 1}]
        await publish(theirs.id, {"close": 10})
        await publish(mine.id, {"close": 2})
        assert await heard_by(socket) == [{"close": 2}]

    def noted():
        with tenant_scope(mine.id):
            return ApiKey.objects.get(id=key.id).last_used_at

    assert await in_thread(noted) is not None


async def test_a_key_leads_to_its_own_workspace_not_to_its_makers_other_one(two_workspaces) -> None:
    olga, _, mine, theirs = two_workspaces

    def join_and_issue() -> Header:
        with tenant_scope(theirs.id):
            Membership.objects.create(
                tenant=theirs, user=olga, role=Role.VIEWER, created_at=timezone.now()
            )
        return key_of(olga, theirs)[1]

    header = await in_thread(join_and_issue)
    await publish(mine.id, {"close": 1})
    await publish(theirs.id, {"close": 9})

    async with knocking(header) as socket:
        assert await heard_by(socket) == [{"close": 9}]


async def test_a_key_from_a_page_of_a_foreign_origin_opens_nothing(two_workspaces) -> None:
    olga, _, mine, _ = two_workspaces
    _, header = await in_thread(lambda: key_of(olga, mine))

    async with knocking(header, FOREIGN) as socket:
        assert socket.accepted is False


async def test_a_page_that_tells_no_origin_opens_nothing(two_workspaces) -> None:
    olga, *_ = two_workspaces
    cookie = await in_thread(lambda: cookie_of(olga))

    async with knocking(cookie) as socket:
        assert socket.accepted is False


async def test_a_key_in_the_address_opens_nothing(two_workspaces) -> None:
    olga, _, mine, _ = two_workspaces
    _, (_, secret) = await in_thread(lambda: key_of(olga, mine))

    async with knocking(ORIGIN, path=f"/ws/live?X-API-Key={secret.decode()}") as socket:
        assert await close_code(socket) == passes.NOT_SIGNED_IN


@pytest.mark.parametrize("whose", ["olga", "max"])
async def test_a_session_and_a_key_together_are_refused(two_workspaces, whose: str) -> None:
    olga, stranger, mine, _ = two_workspaces
    cookie = await in_thread(lambda: cookie_of(olga if whose == "olga" else stranger))
    _, header = await in_thread(lambda: key_of(olga, mine))

    async with knocking(cookie, header, ORIGIN) as socket:
        assert await close_code(socket) == passes.TWO_PASSES


@pytest.mark.parametrize("secret", [b"", b"np_" + b"x" * 43, b"\xff\xfe"])
async def test_what_is_no_key_opens_nothing(two_workspaces, secret: bytes) -> None:
    async with knocking((b"x-api-key", secret)) as socket:
        assert await close_code(socket) == passes.NOT_SIGNED_IN


async def test_two_keys_open_nothing(two_workspaces) -> None:
    olga, _, mine, _ = two_workspaces
    _, header = await in_thread(lambda: key_of(olga, mine))

    async with knocking(header, header) as socket:
        assert await close_code(socket) == passes.NOT_SIGNED_IN


ENDS = {
    "revoked": passes.NOT_SIGNED_IN,
    "expired": passes.NOT_SIGNED_IN,
    "membership ends": passes.NOT_SIGNED_IN,
    "maker disabled": passes.NOT_SIGNED_IN,
    "role change": passes.ROLE_CHANGED,
    "suspended": passes.SUSPENDED,
    "closed": passes.NOT_SIGNED_IN,
    "nobody can say": passes.CANNOT_TELL,
}


def end_access(how: str, *, olga, mine, key: ApiKey) -> None:
    if how == "nobody can say":
        rename_function("tenant_of_api_key(varchar)", "tenant_of_no_key")
        return
    if how in ("suspended", "closed", "maker disabled"):
        with staff_scope():
            Tenant.objects.filter(id=mine.id).update(
                status={"suspended": "SUSPENDED", "closed": "CLOSED"}.get(how, "ACTIVE")
            )
            type(olga).objects.filter(pk=olga.pk).update(is_active=how != "maker disabled")
        return
    with tenant_scope(mine.id):
        if how == "revoked":
            operations.revoke_key(key_id=key.id, actor=olga, now=timezone.now())
        elif how == "expired":
            past = timezone.now() - timedelta(seconds=1)
            ApiKey.objects.filter(id=key.id).update(expires_at=past)
        elif how == "role change":
            Membership.objects.filter(user=olga).update(role=Role.VIEWER)
        else:
            Membership.objects.filter(user=olga).delete()


@pytest.mark.parametrize("how", ENDS)
async def test_the_socket_of_a_key_closes_when_access_ends_and_opens_no_more(
    two_workspaces, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, _, mine, _ = two_workspaces
    monkeypatch.setattr(access, "SECONDS_BETWEEN_CHECKS", 0.2)
    key, header = await in_thread(lambda: key_of(olga, mine))
    await publish(mine.id, {"close": 1})

    async with knocking(header) as socket:
        await heard_by(socket)
        await in_thread(lambda: end_access(how, olga=olga, mine=mine, key=key))
        assert await close_code(socket) == ENDS[how]

    async with knocking(header) as again:
        if how == "role change":  # the key reaches as far as its maker does now
            assert await heard_by(again) == [{"close": 1}]
        else:
            assert await close_code(again) == ENDS[how]


@pytest.mark.parametrize("who", ["key", "person"])
async def test_a_caller_has_so_many_sockets_and_another_one_when_one_closes(
    two_workspaces, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, stranger, mine, theirs = two_workspaces
    monkeypatch.setattr(access, "MOST_SOCKETS", 2)
    for tenant in (mine, theirs):
        await publish(tenant.id, {"close": 1})

    def show(user, tenant) -> tuple[Header, ...]:
        return (key_of(user, tenant)[1],) if who == "key" else (cookie_of(user), ORIGIN)

    ours, others = await in_thread(lambda: (show(olga, mine), show(stranger, theirs)))

    async with knocking(*ours) as first:
        await heard_by(first)
        async with knocking(*ours) as second:
            await heard_by(second)
            async with knocking(*ours) as third, knocking(*others) as another:
                assert await close_code(third) == passes.TOO_MANY
                assert await heard_by(another) == [{"close": 1}]
        async with knocking(*ours) as fourth:
            assert await heard_by(fourth) == [{"close": 1}]


async def test_a_key_knocks_no_oftener_than_its_bucket_has_tokens(
    two_workspaces, small_buckets
) -> None:
    olga, _, mine, _ = two_workspaces
    await publish(mine.id, {"close": 1})
    (_, header), (_, other) = await in_thread(lambda: (key_of(olga, mine), key_of(olga, mine)))

    async with knocking(header) as first, knocking(header) as second, knocking(other) as another:
        assert await heard_by(first) == await heard_by(another) == [{"close": 1}]
        assert await close_code(second) == passes.TOO_MANY


async def test_guessing_keys_is_slow_for_an_address_and_stops_no_right_key(
    two_workspaces, small_buckets
) -> None:
    olga, _, mine, _ = two_workspaces
    await publish(mine.id, {"close": 1})
    _, header = await in_thread(lambda: key_of(olga, mine))
    codes = []

    for guess, address in ((b"a", "192.0.2.1"), (b"b", "192.0.2.1"), (b"c", "192.0.2.2")):
        async with knocking((b"x-api-key", guess), address=address) as socket:
            codes.append(await close_code(socket))
    async with knocking(header) as socket:
        assert await heard_by(socket) == [{"close": 1}]

    assert codes == [passes.NOT_SIGNED_IN, passes.TOO_MANY, passes.NOT_SIGNED_IN]


async def test_an_address_out_of_tokens_is_not_looked_up(two_workspaces, small_buckets) -> None:
    olga, _, mine, _ = two_workspaces
    small_buckets.setattr(passes, "BY_ADDRESS", throttling.Bucket("by_address", 1, 0.001))
    await publish(mine.id, {"close": 1})
    _, header = await in_thread(lambda: key_of(olga, mine))

    async with knocking(header) as first, knocking(header) as second:
        assert await heard_by(first) == [{"close": 1}]
        assert await close_code(second) == passes.TOO_MANY
