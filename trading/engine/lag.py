"""A loop that stood still: found, named and told; nothing is entered on what was decided meanwhile."""

import asyncio
import math
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import FrameType

import structlog

from trading.engine.handler import Handler

log = structlog.get_logger(__name__)

BREAKER, BLOCKED = "BREAKER", "blocked loop"
LOOK_SECONDS = 0.25
CALM_SECONDS = 5.0  # without another before entries go on
OWN = ("trading.", "tenants.")
UNSEEN = "code that lets nobody look"

Turn = Callable[[], AbstractAsyncContextManager[None]]


class Lag:
    """Looks after one loop, from within and, while it stands, from a thread that sees where."""

    def __init__(self, handler: Handler, *, turn: Turn) -> None:
        self._handler, self._turn, self._pulse = handler, turn, handler.pulse
        self._where, self._over = "", threading.Event()

    async def run(self) -> None:
        """Until cancelled."""
        clock, pulse = self._pulse.clock, self._pulse
        if pulse.most_seconds == math.inf:
            await asyncio.Event().wait()
        thread = threading.get_ident()
        threading.Thread(target=self._look_on, args=(thread,), daemon=True).start()
        try:
            while True:
                pulse.beat_at = clock.monotonic()
                await clock.sleep(LOOK_SECONDS)
                await self._judge(clock.monotonic() - pulse.beat_at - LOOK_SECONDS)
        finally:
            pulse.beat_at = math.inf
            self._over.set()

    async def _judge(self, lag: float) -> None:
        guards, pulse = self._handler.guards, self._pulse
        if lag > pulse.most_seconds:
            pulse.late_until = pulse.clock.monotonic() + CALM_SECONDS
            where, self._where = self._where or UNSEEN, ""
            words = f"the engine's loop stood still for {lag:.1f} s in {where}"
            log.error("loop_blocked", seconds=round(lag, 3), where=where)
            if self._handler.ports.venue.has_account and not guards.is_open(BREAKER, BLOCKED):
                await self._tell(words, open=True)
                self._handler.ports.live.alert(BLOCKED, words)
        elif guards.is_open(BREAKER, BLOCKED) and not pulse.is_late():
            await self._tell("", open=False)

    async def _tell(self, words: str, *, open: bool) -> None:
        self._pulse.beat_at = math.inf  # waiting for a turn is no standstill
        async with self._turn():
            self._handler.hold(BREAKER, BLOCKED, words, open=open)
            await self._handler.commit()

    def _look_on(self, thread: int) -> None:
        """In a thread of its own: where the loop stands, once for each time it does."""
        while not self._over.wait(LOOK_SECONDS):
            if self._pulse.stands() and not self._where:
                self._where = _describe(sys._current_frames().get(thread), self._step())

    def _step(self) -> str:
        step = self._pulse.step
        if step is None:
            return ""
        market = getattr(step, "market", None)  # news of a channel is of no market
        symbol = "" if market is None else f" of {self._handler.core.specs[market].symbol}"
        return f", handling a {type(step).__name__}{symbol}"


def _describe(frame: FrameType | None, step: str) -> str:
    """The innermost function, and the innermost of ours that led there."""
    names = list[str]()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not names or module.startswith(OWN):
            names.append(f"{module}.{frame.f_code.co_qualname}:{frame.f_lineno}")
        if module.startswith(OWN):
            break
        frame = frame.f_back
    return f"{' under '.join(names) or UNSEEN}{step}"
