"""Every socket, for every kind of caller: whose values it hears, or with which code it closes."""

from typing import Any

import pytest
from django.utils import timezone

from tenants import operations
from tenants.models import Membership
from tenants.roles import Role, Scope
from tenants.scoping import tenant_scope
from tests import factories
from tests.stream.test_keys import Header, heard_by, key_of, knocking
from tests.stream.test_socket import close_code, cookie_of, in_thread, publish, two_workspaces
from trading.stream import passes
from trading.urls import websocket_urlpatterns

__all__ = ["two_workspaces"]

ORIGIN: Header = (b"origin", b"http://localhost")
OURS, THEIRS = [{"close": 1}], [{"close": 9}]
ROLES = {"olga": Role.OWNER, "tom": Role.TRADER, "vera": Role.VIEWER}
SCOPES = [one.value for one in Scope]
# Who: what is heard, or the code.
LIVE: dict[str, Any] = {
    "anonymous": passes.NOT_SIGNED_IN,
    "nina": passes.NOT_A_MEMBER,  # of nothing
    **dict.fromkeys(ROLES, OURS),
    **{f"{name}-{scope}": OURS for name in ROLES for scope in SCOPES},
    "max": THEIRS,
    **{f"max-{scope}": THEIRS for scope in SCOPES},
    "wrong-key": passes.NOT_SIGNED_IN,
    "olga-revoked": passes.NOT_SIGNED_IN,
    "olga-both": passes.TWO_PASSES,
}
SOCKETS = {"ws/live": LIVE}


def test_every_socket_is_on_the_list() -> None:
    assert {str(pattern.pattern) for pattern in websocket_urlpatterns} == SOCKETS.keys()


def shown_by(who: str, two_workspaces: Any) -> list[Header]:
    """What this caller sends."""
    olga, stranger, mine, theirs = two_workspaces
    name, _, how = who.partition("-")
    if who == "anonymous":
        return [ORIGIN]
    if who == "wrong-key":
        return [(b"x-api-key", b"np_" + b"x" * 43)]
    user = {"olga": olga, "max": stranger}.get(name) or factories.make_user(f"{name}@acme.example")
    if name in ("tom", "vera"):
        with tenant_scope(mine.id):
            Membership.objects.create(
                tenant=mine, user=user, role=ROLES[name], created_at=timezone.now()
            )
    if not how:
        return [cookie_of(user), ORIGIN]
    tenant = theirs if name == "max" else mine
    key, header = key_of(user, tenant, scope=how if how in SCOPES else "read")
    if how == "both":
        return [cookie_of(user), header, ORIGIN]
    if how == "revoked":
        with tenant_scope(tenant.id):
            operations.revoke_key(key_id=key.id, actor=user, now=timezone.now())
    return [header]


@pytest.mark.parametrize(("path", "who"), [(path, who) for path in SOCKETS for who in LIVE])
async def test_a_socket_opens_for_whom_it_should(two_workspaces, path: str, who: str) -> None:
    _, _, mine, theirs = two_workspaces
    await publish(mine.id, OURS[0])
    await publish(theirs.id, THEIRS[0])
    headers = await in_thread(lambda: shown_by(who, two_workspaces))

    async with knocking(*headers, path=f"/{path}") as socket:
        awaited = SOCKETS[path][who]
        told = await (close_code if isinstance(awaited, int) else heard_by)(socket)

    assert told == awaited
