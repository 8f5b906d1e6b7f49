"""How long the journal takes to keep what it is given."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trading.engine.ports import Clock

QUICK_AGAIN = 3  # commits in a row


@dataclass(slots=True)
class Tempo:
    """Of one journal, whose commits may take ``most_seconds``; slow until enough were quick again."""

    clock: Clock
    most_seconds: float = math.inf
    slowest: float = 0.0  # since it was quick
    quick: int = QUICK_AGAIN
    _begun_at: float = math.inf

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around one commit."""
        self._begun_at = self.clock.monotonic()
        yield
        took, self._begun_at = self.waited(), math.inf
        if took > self.most_seconds:
            self.quick, self.slowest = 0, max(took, self.slowest)
        else:
            self.quick += 1
            self.slowest = 0.0 if self.quick >= QUICK_AGAIN else self.slowest

    def waited(self) -> float:
        """Seconds since the commit began that is not over; negative where there is none."""
        return self.clock.monotonic() - self._begun_at

    def is_slow(self) -> bool:
        """Whether what is committed now may be old before it can be acted on."""
        return self.quick < QUICK_AGAIN

    @property
    def words(self) -> str:
        """By how much."""
        return (
            f"the database took {max(self.slowest, self.waited()):.1f} s for a commit, "
            f"accepted is {self.most_seconds:g} s"
        )
