"""Who may listen: asked once for each session or key, for all sockets of a process together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from trading.stream import passes
from trading.stream.passes import Pass, Seat, Verdict

log = structlog.get_logger(__name__)

SECONDS_BETWEEN_CHECKS = 10.0
SECONDS_AFTER_END = 0.1  # of an expiry: the database's clock is not ours
PASSES_AT_ONCE = 50  # so many share a connection, and no page waits for more of them
MOST_SOCKETS = 50  # of one person or one key at one process

Close = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class Guest:
    """A socket that was let in: by which pass, and where."""

    shown: Pass
    seat: Seat
    close: Close

    def why_out(self, verdict: Verdict) -> int | None:
        """The code to close it with now; None: it may stay."""
        if isinstance(verdict, int):
            return verdict
        if verdict.tenant_id != self.seat.tenant_id:
            return passes.NOT_A_MEMBER
        return None if verdict == self.seat else passes.ROLE_CHANGED


class Door:
    """Lets sockets in, and looks again every few seconds, or when told, whether they may stay."""

    def __init__(self) -> None:
        self._guests: set[Guest] = set()
        self._task: asyncio.Task[None] | None = None
        self._doubted: set[UUID] = set()
        self._ends: set[tuple[UUID, datetime]] = set()
        self._look: asyncio.Task[None] | None = None

    async def admit(self, shown: Pass, *, address: str) -> Verdict:
        """Where a pass leads, or why no further socket of its is let in."""
        (verdict,) = await _safely(lambda: [passes.admit(shown, address=address)], of=1)
        if isinstance(verdict, Seat) and self._count(verdict.caller) >= MOST_SOCKETS:
            return passes.TOO_MANY
        return verdict

    def enter(self, guest: Guest) -> None:
        """Watch a guest from now on."""
        self._guests.add(guest)
        self._await_end(guest.seat)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())

    def leave(self, guest: Guest) -> None:
        """Forget a guest."""
        self._guests.discard(guest)

    def look_again(self, tenant_id: UUID) -> None:
        """Judge the guests of a workspace now: somebody's access to it may have ended."""
        self._doubted.add(tenant_id)
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_at_doubted())

    def _await_end(self, seat: Seat) -> None:
        """Look again just after a pass expires, where that is sooner than by itself."""
        if seat.until is None or (seat.tenant_id, seat.until) in self._ends:
            return
        left = (seat.until - timezone.now()).total_seconds()
        if left < 2 * SECONDS_BETWEEN_CHECKS:
            end = (seat.tenant_id, seat.until)
            self._ends.add(end)
            wait = max(left, 0.0) + SECONDS_AFTER_END
            asyncio.get_running_loop().call_later(wait, self._look_at_end, end)

    def _look_at_end(self, end: tuple[UUID, datetime]) -> None:
        self._ends.discard(end)
        self.look_again(end[0])

    async def _look_at_doubted(self) -> None:
        while self._doubted:
            doubted, self._doubted = self._doubted, set()
            found = {guest.shown for guest in self._guests if guest.seat.tenant_id in doubted}
            shown = sorted(found)
            for start in range(0, len(shown), PASSES_AT_ONCE):
                await self._judge(shown[start : start + PASSES_AT_ONCE])

    def _count(self, caller: str) -> int:
        return sum(guest.seat.caller == caller for guest in self._guests)

    async def _watch(self) -> None:
        while self._guests:
            shown = sorted({guest.shown for guest in self._guests})
            some_at_once = range(0, len(shown), PASSES_AT_ONCE)
            for start in some_at_once:  # spread over the time, so that no text waits for them all
                await asyncio.sleep(SECONDS_BETWEEN_CHECKS / len(some_at_once))
                await self._judge(shown[start : start + PASSES_AT_ONCE])

    async def _judge(self, shown: Sequence[Pass]) -> None:
        await self._show_out(dict(zip(shown, await _judge_safely(shown), strict=True)))

    async def _show_out(self, verdicts: dict[Pass, Verdict]) -> None:
        """Close whatever its pass no longer leads to; unknown is not yes."""
        for guest in [guest for guest in self._guests if guest.shown in verdicts]:
            verdict = verdicts[guest.shown]
            code = guest.why_out(verdict)
            if isinstance(verdict, Seat) and code is None:
                self._await_end(verdict)
            if code is not None:
                self.leave(guest)
                await guest.close(code)


async def _judge_safely(shown: Sequence[Pass]) -> list[Verdict]:
    return await _safely(lambda: [passes.judge(one) for one in shown], of=len(shown))


async def _safely(ask: Callable[[], list[Verdict]], *, of: int) -> list[Verdict]:
    try:
        return await database_sync_to_async(ask)()
    except DatabaseError as error:
        log.warning("socket_access_unknown", error=str(error))
        return [passes.CANNOT_TELL] * of
