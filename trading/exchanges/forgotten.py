"""Orders that a venue had named and does not know any more."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from trading.exchanges.failures import NoAnswer
from trading.exchanges.venue_clock import VenueClock

LAG_NS = 3_000_000_000  # a venue's lists may be behind its book by so much
# While none has told of an order yet: taken for over, it would be doubled.
UNLISTED_NS = 30_000_000_000


@dataclass(slots=True)
class Forgotten:
    """Remembers since when each order of an account is not known."""

    clock: VenueClock
    _listed: set[str] = field(default_factory=set)  # ever
    _since_ns: dict[str, int] = field(default_factory=dict)

    def check(self, *, known: Iterable[str], unknown: Iterable[str]) -> None:
        """What was known, and is not for longer than lists lag, is over; what never was, later.

        While nobody says so its position is neither protected nor sold.

        Raises:
            NoAnswer: the venue may know it yet.
        """
        for name in known:
            self._listed.add(name)
            self._since_ns.pop(name, None)
        now_ns = self.clock.now_ns()
        since = {name: self._since_ns.setdefault(name, now_ns) for name in unknown}
        if young := [name for name, at_ns in since.items() if now_ns - at_ns < self._most(name)]:
            raise NoAnswer(f"it does not know order {', '.join(young)}")

    def _most(self, name: str) -> int:
        return LAG_NS if name in self._listed else UNLISTED_NS
