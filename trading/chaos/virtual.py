"""An event loop in which no time passes but what somebody waits for, and none of it in the world."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")
NS_PER_SECOND = 1_000_000_000


class _NoSockets:
    """A selector without anything to select: waiting is moving the clock."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Nothing ever comes from outside; the clock moves to the next timer at once."""
        if timeout is None:
            raise Deadlock("everybody waits, and nothing can happen any more")
        self._loop.seconds += timeout
        return []


class Deadlock(Exception):
    """All tasks wait for something that no timer will bring."""


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's own scheduling over a clock of our own."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._selector = _NoSockets(self)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self.seconds

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


def run_virtually(work: Coroutine[Any, Any, Result], loop: VirtualLoop) -> Result:
    """Run to the end on this loop; what is left of its tasks is cancelled."""
    try:
        return loop.run_until_complete(work)
    finally:
        left = asyncio.all_tasks(loop)
        for task in sorted(left, key=lambda task: task.get_name()):
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


class VirtualClock:
    """ports.Clock over the loop's time."""

    def __init__(self, loop: VirtualLoop, *, starts_ns: int) -> None:
        self._loop, self._starts_ns = loop, starts_ns

    def now_ns(self) -> int:
        """Wall time, nanoseconds UTC."""
        return self._starts_ns + int(self._loop.seconds * NS_PER_SECOND)

    def monotonic(self) -> float:
        """Seconds on the same clock."""
        return self._loop.seconds

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await asyncio.sleep(seconds)


class StoppedClock(VirtualClock):
    """For what is shown at most ten times a second: nobody looks, so it need not be made."""

    def monotonic(self) -> float:
        """It stays where it is."""
        return 0.0
