"""A connection that says nothing is cut off, with one timer however many frames come."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class Silence:
    """While it is entered, cuts a connection on which nothing came for so long although it was waited for.

    A timeout for each frame costs more than reading it.
    """

    def __init__(self, seconds: float, cut: Callable[[], None]) -> None:
        self._seconds, self._cut = seconds, cut
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None  # nobody waits
        self._is_over = False

    def __enter__(self) -> Self:
        self._timer = self._loop.call_later(self._seconds, self._look)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    async def broken_by(self, coming: Awaitable[T]) -> T:
        """What comes.

        Raises:
            TimeoutError: nothing did for so long, and the connection is cut. Exception: it broke.
        """
        self._since = self._loop.time()
        try:
            return await coming
        except Exception as error:
            if self._is_over:
                raise TimeoutError(f"silent for {self._seconds:g} s") from error
            raise
        finally:
            self._since = None

    def _look(self) -> None:
        now = self._loop.time()
        left = self._seconds - (now - self._since if self._since is not None else 0.0)
        if left <= 0.0:
            self._is_over = True
            self._cut()
        else:
            self._timer = self._loop.call_later(left, self._look)
