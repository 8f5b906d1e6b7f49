"""The socket when access cannot be judged, and which code says what."""

from contextlib import asynccontextmanager

import pytest
from django.db import connections

from tests import factories
from tests.stream.test_socket import close_code, cookie_of, in_thread, opened, two_workspaces
from trading.stream import access, passes

__all__ = ["two_workspaces"]


@asynccontextmanager
async def memberships_unreadable():
    """Every check fails meanwhile, as it does while PostgreSQL restarts."""
    await in_thread(lambda: rename_function("tenants_of_user(bigint)", "tenants_of_nobody"))
    try:
        yield
    finally:
        await in_thread(lambda: rename_function("tenants_of_nobody(bigint)", "tenants_of_user"))


def rename_function(signature: str, name: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER FUNCTION {signature} RENAME TO {name}")


async def test_a_socket_closes_when_nobody_can_say_whether_it_may_stay(
    two_workspaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga, *_ = two_workspaces
    monkeypatch.setattr(access, "SECONDS_BETWEEN_CHECKS", 0.2)

    async with opened(await in_thread(lambda: cookie_of(olga))) as socket, memberships_unreadable():
        assert await close_code(socket) == passes.CANNOT_TELL


async def test_a_socket_is_not_opened_when_nobody_can_say_whether_it_may(two_workspaces) -> None:
    olga, *_ = two_workspaces
    cookie = await in_thread(lambda: cookie_of(olga))

    async with memberships_unreadable(), opened(cookie) as socket:
        assert await close_code(socket) == passes.CANNOT_TELL


async def test_a_member_of_nothing_is_told_so(two_workspaces) -> None:
    cookie = await in_thread(lambda: cookie_of(factories.make_user("nobody@example.com")))

    async with opened(cookie) as socket:
        assert await close_code(socket) == passes.NOT_A_MEMBER
