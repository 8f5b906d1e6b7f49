"""Kraken's limits by tier, what a request costs, and a counter that is never below the venue's own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from trading.exchanges.kraken.errors import ApiError, Unreached

NS = 1_000_000_000
LATE_NS = 10 * NS  # what was sent and not answered may reach the venue until then
GRAIN = 1.0  # the venue tells whole numbers
ADD = 1.0
AMEND = 1.0
YOUNG_AMEND = ((5.0, 3.0), (10.0, 2.0), (15.0, 1.0))  # (younger than seconds, costs so much more)
YOUNG_CANCEL = ((5.0, 8.0), (10.0, 6.0), (15.0, 5.0), (45.0, 4.0), (90.0, 2.0), (300.0, 1.0))
DEAREST_AMEND = AMEND + YOUNG_AMEND[0][1]
DEAREST_CANCEL = YOUNG_CANCEL[0][1]

Now = Callable[[], int]


class Tier(Enum):
    """The account's standing at the venue; its API does not tell it."""

    STARTER = "STARTER"
    INTERMEDIATE = "INTERMEDIATE"
    PRO = "PRO"


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a counter may go, and what it loses each second."""

    most: float
    decay: float


TRADING = {
    Tier.STARTER: Limit(60.0, 1.0),
    Tier.INTERMEDIATE: Limit(125.0, 2.34),
    Tier.PRO: Limit(180.0, 3.75),
}
CALLS = {
    Tier.STARTER: Limit(15.0, 0.33),
    Tier.INTERMEDIATE: Limit(20.0, 0.5),
    Tier.PRO: Limit(20.0, 1.0),
}


def by_age(steps: Iterable[tuple[float, float]], seconds: float) -> float:
    """What acting on an order of this age costs beside what is fixed."""
    return next((cost for younger, cost in steps if seconds < younger), 0.0)


class Counter:
    """An upper bound of one counter of the venue's, which counts a request when it gets it.

    A cost counts from before it is sent, and while an answer is awaited nothing is taken away: so it
    does not matter when on its way the venue counted it. ``now_ns`` is a time that only passes.
    """

    def __init__(self, limit: Limit, *, now_ns: Now) -> None:
        self.limit, self._now_ns = limit, now_ns
        self._level, self._since_ns = 0.0, now_ns()
        self._on_way: list[float] = []

    @property
    def used(self) -> float:
        """How far it may be now."""
        if self._on_way:
            return self._level
        return max(self._level - self._passed_seconds() * self.limit.decay, 0.0)

    def _passed_seconds(self) -> float:
        now_ns = self._now_ns()
        # The simulator's time, once it has spoken, is another than ours was.
        if now_ns < self._since_ns - LATE_NS:
            self._since_ns = now_ns
        return max(now_ns - self._since_ns, 0) / NS

    def seconds_until(self, room: float) -> float:
        """How long it takes until so much is free; zero: it is now."""
        return max(self.used + room - self.limit.most, 0.0) / self.limit.decay

    def be_at_least(self, level: float) -> None:
        """Something shows that it may be."""
        self._settle(max(self.used, level))

    def hear(self, level: float) -> None:
        """The venue says so. More than ours is somebody else's: then what is on its way comes on top."""
        is_ours = level <= self.used + GRAIN
        self.be_at_least(level if is_ours else level + sum(self._on_way))

    def change(self, limit: Limit) -> None:
        """Another limit holds from now on."""
        self._settle(self.used)
        self.limit = limit

    @contextmanager
    def asking(self, cost: float, *, too_many: Sequence[str]) -> Iterator[None]:
        """While a request is on its way; ``too_many`` are the words that tell that it was too much."""
        self._settle(self.used + cost)
        self._on_way.append(cost)
        late_ns = LATE_NS
        try:
            yield
            late_ns = 0
        except Unreached:
            late_ns = 0
            raise
        except ApiError as error:
            late_ns = 0
            if error.words.startswith(tuple(too_many)):
                self.be_at_least(self.limit.most)
            raise
        finally:
            self._on_way.remove(cost)
            self._since_ns = max(self._since_ns, self._now_ns() + late_ns)

    def _settle(self, level: float) -> None:
        self._level, self._since_ns = level, max(self._since_ns, self._now_ns())
