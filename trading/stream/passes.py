"""What a socket shows at the handshake, a session or an API key, and where that leads now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from tenants import operations, queries
from tenants.api.authentication import KEY_HEADER
from tenants.api.throttling import BY_ADDRESS, BY_CALLER, WRONG_KEYS, address_from
from tenants.middleware import SESSION_KEY
from tenants.models import Tenant
from tenants.roles import Permission
from tenants.scoping import tenant_scope

CANNOT_TELL = 1013  # "try again later": the reader connects anew and is judged then
TWO_PASSES = 4400
NOT_SIGNED_IN = 4401  # or the key is unknown, revoked or expired, or its maker left
NOT_A_MEMBER = 4403
ROLE_CHANGED = 4407  # the page that is open has the buttons of another role
SUSPENDED = 4423
TOO_MANY = 4429  # sockets of one caller, or handshakes

KEY_NAME = KEY_HEADER.lower().encode()
ORIGIN_NAME = b"origin"
HOST_NAME = b"host"
FORWARDED_NAME = b"x-forwarded-for"


class Kind(StrEnum):
    """What can be shown."""

    SESSION = "session"
    KEY = "key"


@dataclass(frozen=True, slots=True, order=True)
class Pass:
    """A session by its key, or an API key by its SHA-256: the key itself is not kept."""

    kind: Kind
    shown: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a pass leads: a workspace, the role in it, and whose sockets are counted together.

    ``until`` is when the pass expires, which a session puts off by being used; None: never.
    """

    tenant_id: UUID
    role: str
    caller: str
    until: datetime | None = field(default=None, compare=False)


Verdict = Seat | int  # or the code that closes the socket


def is_program(scope: Mapping[str, Any]) -> bool:
    """Whether no page can have sent this: browsers always tell the origin, and send no key."""
    names = {name for name, _ in scope["headers"]}
    return KEY_NAME in names and ORIGIN_NAME not in names


def is_this_site(scope: Mapping[str, Any]) -> bool:
    """Whether a page tells the very origin it opens the socket at: a cookie goes to every port of a host."""
    host = ",".join(_values(scope, HOST_NAME))
    ours = {f"https://{host}", settings.PUBLIC_URL}
    if not settings.SESSION_COOKIE_SECURE:
        ours.add(f"http://{host}")
    return ",".join(_values(scope, ORIGIN_NAME)) in ours - {""}


def pass_of(scope: Mapping[str, Any]) -> Pass | int:
    """What a handshake shows.

    Both a session and a key are refused: they may lead to two workspaces, and whichever we chose, a
    proxy that adds its own key to the requests of people would show them what is not theirs.
    """
    session_key = scope["cookies"].get(settings.SESSION_COOKIE_NAME, "")
    keys = _values(scope, KEY_NAME)
    if keys and session_key:
        return TWO_PASSES
    if keys:  # several are one that nobody has
        return Pass(Kind.KEY, operations.digest_of(",".join(keys)))
    return Pass(Kind.SESSION, session_key)


def address_of(scope: Mapping[str, Any]) -> str:
    """The caller's address, as the API counts it."""
    peer = scope.get("client") or ("",)
    return address_from(forwarded=",".join(_values(scope, FORWARDED_NAME)), peer=str(peer[0]))


def judge(shown: Pass) -> Verdict:
    """Where a pass leads now."""
    if shown.kind == Kind.SESSION:
        return _judge_session(shown.shown)
    holder = queries.find_key_holder(digest=shown.shown)
    return NOT_SIGNED_IN if holder is None else _judge_holder(holder)


def admit(shown: Pass, *, address: str) -> Verdict:
    """Where a pass leads at the handshake; of a key's, tokens are taken as the API takes them."""
    if shown.kind == Kind.SESSION:
        return _judge_session(shown.shown)
    if BY_ADDRESS.take(address):
        return TOO_MANY
    holder = queries.find_key_holder(digest=shown.shown)
    if holder is None:
        return TOO_MANY if WRONG_KEYS.take(address) else NOT_SIGNED_IN
    verdict = _judge_holder(holder)
    if isinstance(verdict, int):
        return verdict
    if BY_CALLER.take(verdict.caller):
        return TOO_MANY
    with tenant_scope(verdict.tenant_id):
        operations.note_key_use(key_id=holder.key_id, now=timezone.now())
    return verdict


def _judge_holder(holder: queries.KeyHolder) -> Verdict:
    workspace = holder.workspace
    if workspace.status == Tenant.Status.SUSPENDED:
        return SUSPENDED
    if not holder.allows(Permission.VIEW):
        return NOT_A_MEMBER
    return Seat(workspace.id, workspace.role, f"key:{holder.key_id}", holder.expires_at)


def _judge_session(session_key: str) -> Verdict:
    request = HttpRequest()  # what django.contrib.auth takes a session from
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return NOT_SIGNED_IN
    wanted = request.session.get(SESSION_KEY)
    workspace = queries.choose_workspace(user_id=user.pk, wanted=wanted)
    if workspace is None:
        return NOT_A_MEMBER
    ends = Session.objects.filter(session_key=session_key).values_list("expire_date", flat=True)
    return Seat(workspace.id, workspace.role, f"user:{user.pk}", ends.first())


def _values(scope: Mapping[str, Any], wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
