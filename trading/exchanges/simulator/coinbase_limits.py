"""How often the simulated Coinbase may be asked: by key and, without one, by address."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trading.exchanges.simulator.accounts import Counter

PRIVATE_PER_SECOND, PUBLIC_PER_SECOND = 30, 10


@dataclass(slots=True)
class Limits:
    """Counters on the wall's time: what a client may send does not grow with the market's speed."""

    private: int = PRIVATE_PER_SECOND
    public: int = PUBLIC_PER_SECOND
    wait_seconds: float = 1.0  # what a refusal asks for
    now_ns: Callable[[], int] = time.monotonic_ns
    _counters: dict[str, Counter] = field(default_factory=dict)

    def count(self, who: str, *, is_public: bool) -> tuple[bool, dict[str, str]]:
        """(whether it is within the limit, the headers that tell how much is left)."""
        most = self.public if is_public else self.private
        counter = self._counters.setdefault(who, Counter(most, most))
        counter.most = counter.decay = most
        is_within = counter.add(1.0, self.now_ns())
        if not is_within:
            counter.level = min(counter.level, most + 1.0)
        told = headers(most, max(0, int(most - counter.level)))
        return is_within, told if is_within else {**told, **self.later()}

    def later(self) -> dict[str, str]:
        """The header of a refusal."""
        return {"retry-after": f"{self.wait_seconds:g}"}


def headers(most: int, left: int) -> dict[str, str]:
    """The venue's headers; the counter is empty again a second later."""
    return {
        "x-ratelimit-limit": str(most),
        "x-ratelimit-remaining": str(left),
        "x-ratelimit-reset": "1",
    }
