"""When an engine's loop last turned, and what it is handling."""

import math
from dataclasses import dataclass

from trading.engine.messages import Message
from trading.engine.ports import Clock


@dataclass(slots=True)
class Pulse:
    """Of one loop; two turns may be ``most_seconds`` apart."""

    clock: Clock
    most_seconds: float = math.inf
    step: Message | None = None
    beat_at: float = math.inf
    late_until: float = -math.inf

    def stands(self) -> bool:
        """Whether the loop has not turned for too long."""
        return self.clock.monotonic() - self.beat_at > self.most_seconds

    def is_late(self) -> bool:
        """Whether what is decided now rests on news that waited, or may."""
        now = self.clock.monotonic()
        return now < self.late_until or now - self.beat_at > self.most_seconds
