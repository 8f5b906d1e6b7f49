"""What goes wrong in a simulated life, drawn by seed, and the trace of everything that happened."""

import asyncio
import hashlib
from collections import Counter
from typing import Any

import msgspec
import numpy as np

from trading.engine.ports import Clock

SLOWEST_SECONDS = 2.0
FATES = ("answered", "answer lost", "request lost", "request late", "refused", "not sent")
CHANCES = (0.80, 0.06, 0.05, 0.04, 0.03, 0.02)


class Died(BaseException):
    """The process is gone, here and now."""


class Trace:
    """A hash over all that happened, in order, with the time of each."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.events = 0

    def note(self, at_ns: int, kind: str, *facts: Any) -> None:
        """One more event."""
        self.events += 1
        self._hash.update(msgspec.msgpack.encode((at_ns, kind, facts)))

    @property
    def digest(self) -> str:
        """Of everything so far."""
        return self._hash.hexdigest()


class Dice:
    """One seed's luck: how long things take, which answers are lost, when the process dies."""

    def __init__(self, seed: int, *, trace: Trace, clock: Clock) -> None:
        self._random = np.random.default_rng(seed)
        self._trace, self._clock = trace, clock
        self.deaths_left = int(self._random.integers(0, 5))
        self.faults: Counter[str] = Counter()

    def note(self, kind: str, *facts: Any) -> None:
        """It happened now."""
        self._trace.note(self._clock.now_ns(), kind, *facts)

    async def take_time(self, most_seconds: float = SLOWEST_SECONDS) -> None:
        """Others may go first."""
        await asyncio.sleep(self._random.random() * most_seconds)

    def delay(self) -> float:
        """How late a piece of news is told: mostly at once."""
        return float(self._random.exponential(40.0)) if self._random.random() < 0.2 else 0.0

    def fate(self) -> str:
        """What becomes of a request."""
        drawn = FATES[int(self._random.choice(len(FATES), p=CHANCES))]
        if drawn != FATES[0]:
            self.faults[drawn] += 1
        return drawn

    def happens(self, name: str, chance: float) -> bool:
        """Whether a fault happens; counted when it does."""
        drawn = bool(self._random.random() < chance)
        self.faults[name] += drawn
        return drawn

    def meet(self, point: str, chance: float = 0.03) -> None:
        """A point on the way at which the process may die."""
        if self.deaths_left and self._random.random() < chance:
            self.deaths_left -= 1
            self.faults["death"] += 1
            self.note("death", point)
            raise Died(point)
