"""When an engine's start is over: it stands by, or has worked through what it had missed."""

from typing import Protocol

from trading.engine.ports import Clock

LOOK_SECONDS = 0.25
FEW = 25  # messages between two looks; a history comes by hundreds
STANDBY_SECONDS = 2.0  # without leadership: another leads


class Begun(Protocol):
    """A runner that has begun."""

    @property
    def has_led(self) -> bool:
        """Whether it came to lead."""
        ...

    @property
    def handled(self) -> int:
        """Messages so far."""
        ...


async def come_to_rest(runner: Begun, clock: Clock) -> None:
    """Wait until it has; at once from then on there is little to do for it."""
    began, before = clock.monotonic(), 0
    while True:
        await clock.sleep(LOOK_SECONDS)
        handled = runner.handled
        if before and handled - before <= FEW:
            return
        if not runner.has_led and clock.monotonic() - began >= STANDBY_SECONDS:
            return
        before = handled
