"""Believable bugs of the venue's dead-man switch."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from trading.exchanges.kraken.dead_man import DeadMan

Put = Callable[[Any, str, Any], None]


def leave_it_on(put: Put) -> None:
    """The switch that guards entries is on when the first stop is placed, and is refreshed over it."""

    @asynccontextmanager
    async def whatever(self: DeadMan) -> AsyncIterator[None]:
        yield

    put(DeadMan, "kept_off", whatever)
    put(DeadMan, "_is_quoting", lambda self, of_none: True)
