"""Requests at a pace a venue allows: evenly apart, and slower once it says that they are too many."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from trading.exchanges.failures import ApiError

TRIES = 6
FIRST_PAUSE_SECONDS = 1.0
LONGEST_SECONDS = 60.0


class Pacer:
    """One request at a time."""

    def __init__(self, *, apart_seconds: float, is_too_many: Callable[[ApiError], bool]) -> None:
        self._apart_seconds, self._is_too_many = apart_seconds, is_too_many
        self._free_at = 0.0

    async def ask(self, request: Callable[[], Awaitable[Any]]) -> Any:
        """The answer, asked for again after a growing pause where the venue says: too many.

        Raises:
            ApiError: the venue's words. Unreached, NoAnswer: no answer.
        """
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_SECONDS
        for left in range(TRIES - 1, -1, -1):
            await asyncio.sleep(self._free_at - loop.time())
            self._free_at = loop.time() + self._apart_seconds
            try:
                return await request()
            except ApiError as error:
                if not left or not self._is_too_many(error):
                    raise
            self._free_at = loop.time() + pause
            pause = min(2 * pause, LONGEST_SECONDS)
        raise AssertionError("unreachable")
