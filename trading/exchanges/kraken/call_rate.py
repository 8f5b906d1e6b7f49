"""The counter of private REST calls: reads wait for room, what protects never does."""

import asyncio
import time
from contextlib import AbstractContextManager, nullcontext

from trading.exchanges.kraken.counters import CALLS, Counter, Limit, Now, Tier
from trading.exchanges.kraken.errors import Unreached

TOO_MANY = ("EAPI:Rate limit exceeded",)
UNCOUNTED = ("AddOrder", "CancelOrder")  # the trading rate counts those
HISTORY = ("ClosedOrders", "TradesHistory", "QueryTrades", "Ledgers", "QueryLedgers")
# Kept for two markets at once: the dead-man switch off before a stop, and what became of a stop.
KEPT = 4.0
LOOK_SECONDS = 0.5


def cost_of(method: str) -> float:
    """What a call costs."""
    if method in UNCOUNTED:
        return 0.0
    return 2.0 if method in HISTORY else 1.0


class CallRate:
    """The calls of one key by this process."""

    def __init__(
        self, limit: Limit = CALLS[Tier.STARTER], *, now_ns: Now = time.monotonic_ns
    ) -> None:
        self.counter = Counter(limit, now_ns=now_ns)

    async def wait_for_room(self, method: str) -> None:
        """Until a read leaves what is kept."""
        while (seconds := self.counter.seconds_until(cost_of(method) + KEPT)) > 0:
            await asyncio.sleep(min(seconds, LOOK_SECONDS))

    def insist(self, *methods: str) -> None:
        """There is room for these now, and what is kept stays.

        Raises:
            Unreached: there is not; nothing was sent.
        """
        seconds = self.counter.seconds_until(sum(map(cost_of, methods)) + KEPT)
        if seconds > 0:
            raise Unreached(
                f"{self.counter.used:.0f} of {self.counter.limit.most:g} calls of Kraken's rate are "
                f"used and {KEPT:g} are kept for protection; there is room in {seconds:.0f} s"
            )

    def asking(self, method: str) -> AbstractContextManager[None]:
        """While a call is on its way."""
        cost = cost_of(method)
        return self.counter.asking(cost, too_many=TOO_MANY) if cost else nullcontext()
