"""Who may listen: asked once for each session, for all sockets of a process together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from django.http import HttpRequest

from tenants.middleware import SESSION_KEY
from tenants.queries import choose_workspace

log = structlog.get_logger(__name__)

CANNOT_TELL = 1013  # "try again later": the page connects anew and is judged then
NOT_SIGNED_IN = 4401
NOT_A_MEMBER = 4403
ROLE_CHANGED = 4407  # the page that is open has the buttons of another role
SECONDS_BETWEEN_CHECKS = 10.0
SESSIONS_AT_ONCE = 50  # so many share a connection, and no page waits for more of them

Close = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a session leads: a workspace, and the role in it."""

    tenant_id: UUID
    role: str


Verdict = Seat | int  # or the code that closes the socket


@dataclass(frozen=True, slots=True, eq=False)
class Guest:
    """A socket that was let in: by which session, and where."""

    session_key: str
    seat: Seat
    close: Close

    def why_out(self, verdict: Verdict) -> int | None:
        """The code to close it with now; None: it may stay."""
        if isinstance(verdict, int):
            return verdict
        if verdict.tenant_id != self.seat.tenant_id:
            return NOT_A_MEMBER
        return None if verdict == self.seat else ROLE_CHANGED


class Door:
    """Lets sockets in, and looks again every few seconds whether they may stay."""

    def __init__(self) -> None:
        self._guests: set[Guest] = set()
        self._task: asyncio.Task[None] | None = None

    async def judge(self, session_key: str) -> Verdict:
        """Where a session leads now."""
        return (await _judge_safely([session_key]))[0]

    def enter(self, guest: Guest) -> None:
        """Watch a guest from now on."""
        self._guests.add(guest)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())

    def leave(self, guest: Guest) -> None:
        """Forget a guest."""
        self._guests.discard(guest)

    async def _watch(self) -> None:
        while self._guests:
            keys = sorted({guest.session_key for guest in self._guests})
            some_at_once = range(0, len(keys), SESSIONS_AT_ONCE)
            for start in some_at_once:  # spread over the time, so that no text waits for them all
                await asyncio.sleep(SECONDS_BETWEEN_CHECKS / len(some_at_once))
                some = keys[start : start + SESSIONS_AT_ONCE]
                await self._show_out(dict(zip(some, await _judge_safely(some), strict=True)))

    async def _show_out(self, verdicts: dict[str, Verdict]) -> None:
        """Close whatever its session no longer leads to; unknown is not yes."""
        for guest in [guest for guest in self._guests if guest.session_key in verdicts]:
            code = guest.why_out(verdicts[guest.session_key])
            if code is not None:
                self.leave(guest)
                await guest.close(code)


async def _judge_safely(session_keys: Sequence[str]) -> list[Verdict]:
    try:
        return await database_sync_to_async(_judge)(session_keys)
    except DatabaseError as error:
        log.warning("socket_access_unknown", error=str(error))
        return [CANNOT_TELL] * len(session_keys)


def _judge(session_keys: Sequence[str]) -> list[Verdict]:
    return [_verdict(session_key) for session_key in session_keys]


def _verdict(session_key: str) -> Verdict:
    request = HttpRequest()  # what django.contrib.auth takes a session from
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return NOT_SIGNED_IN
    workspace = choose_workspace(user_id=user.pk, wanted=request.session.get(SESSION_KEY))
    return NOT_A_MEMBER if workspace is None else Seat(workspace.id, workspace.role)
