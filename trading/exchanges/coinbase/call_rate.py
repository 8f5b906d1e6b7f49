"""How often Coinbase is asked in one user's name: reads and entries leave room for what protects."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from trading.exchanges.coinbase.errors import TOO_MANY, ApiError, Unreached

MOST = 30  # private requests of one user within a second; the present documents give no number
WINDOW_SECONDS = 1.0
KEPT = 12  # two stops moved at once: cancel, see that it is gone, place another
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 2.0  # for what protects; it has a deadline at the venue, too
LONGEST_SECONDS = 60.0


def wait_seconds(headers: Mapping[str, str]) -> float:
    """How long the venue wants no more requests, by the headers of a refusal."""
    try:
        told = float(headers.get("retry-after", WINDOW_SECONDS))
    except ValueError:  # a date: its clock is not ours
        return WINDOW_SECONDS
    return min(max(told, 0.0), LONGEST_SECONDS)


class CallRate:
    """The private requests of one key by this process, and what the venue says of others.

    A request counts from before it is sent until a second after its answer: in no second the venue can
    count more than these. ``now`` is a time that only passes, in seconds.
    """

    def __init__(self, most: int = MOST, *, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._now = most, now
        self._on_way = 0
        self._over: deque[float] = deque()
        self._others, self._others_until = 0, 0.0
        self._shut_until = 0.0

    @property
    def used(self) -> int:
        """How many count now."""
        now = self._now()
        while self._over and self._over[0] <= now - WINDOW_SECONDS:
            self._over.popleft()
        others = self._others if now < self._others_until else 0
        return self._on_way + len(self._over) + others

    @property
    def shut_seconds(self) -> float:
        """How long nothing may be sent at all."""
        return max(self._shut_until - self._now(), 0.0)

    @property
    def _has_room(self) -> bool:
        return not self.shut_seconds and self.used + KEPT < self._most

    async def wait_for_room(self) -> None:
        """Until a read leaves what is kept."""
        while not self._has_room:
            await asyncio.sleep(max(self.shut_seconds, LOOK_SECONDS))

    def insist(self) -> None:
        """There is room for an entry now, and what is kept stays.

        Raises:
            Unreached: there is not; nothing was sent.
        """
        if not self._has_room:
            raise Unreached(
                f"{self.used} of {self._most} requests of Coinbase's rate are used and {KEPT} are kept "
                f"for protection"
            )

    async def wait_for_turn(self) -> None:
        """Until a request may be sent at all; what is kept is for it.

        Raises:
            Unreached: not soon; nothing was sent.
        """
        began = self._now()
        while self.shut_seconds or self.used >= self._most:
            if self._now() + self.shut_seconds - began > PATIENCE_SECONDS:
                raise Unreached(f"Coinbase wants no request for {self.shut_seconds:.0f} s more")
            await asyncio.sleep(max(self.shut_seconds, LOOK_SECONDS))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While a request is on its way."""
        self._on_way += 1
        try:
            yield
        except ApiError as error:
            if error.status == TOO_MANY:
                self._shut_until = max(self._shut_until, self._now() + error.wait_seconds)
            raise
        finally:
            self._on_way -= 1
            self._over.append(self._now())

    def hear(self, headers: Mapping[str, str]) -> None:
        """How many an answer says are left: fewer than by ours are others' use, or a lower limit.

        They count for a second, or until the venue wants to be asked again, where it says when.
        """
        try:
            left = int(headers["x-ratelimit-remaining"])
        except (KeyError, ValueError):
            return
        self._others = 0
        self._others = max(0, self._most - left - self.used)
        self._others_until = self._now() + wait_seconds(headers)
