"""The newest price of each market between two bars: for the eye alone, never for a decision or a size."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from msgspec import Struct
from msgspec.structs import replace

STALE_SECONDS = 10.0  # a stream that said nothing for so long, no heartbeat either
ORDER_SECONDS = 2.0  # within which channels of one stream may tell in another order


class Quote(Struct, frozen=True, gc=False):
    """What a venue says a market is worth now; zero is what it does not say."""

    last: float
    bid: float = 0.0
    ask: float = 0.0
    change: float | None = None  # over 24 hours, a fraction
    volume: float | None = None  # of 24 hours, in the base

    @property
    def has_best(self) -> bool:
        """Whether both best prices are known, and make a market."""
        return 0 < self.bid <= self.ask

    @property
    def price(self) -> float:
        """What a position is valued at: midway between the best prices; without them the last trade."""
        return (self.bid + self.ask) / 2 if self.has_best else self.last


@dataclass(slots=True)
class Quotes:
    """One engine's, by market: a feed tells, the pages' view reads; nobody waits and nothing queues."""

    seconds: Callable[[], float]  # of a clock that never steps
    _newest: dict[int, tuple[Quote, float]] = field(default_factory=dict)  # and when it came
    _best_at: dict[int, float] = field(default_factory=dict)
    _changed: set[int] = field(default_factory=set)
    _lost: set[int] = field(default_factory=set)  # nothing came since the connection was lost
    _heard_at: float = -inf

    def hear(self) -> None:
        """The stream lives: what it does not tell anew stands as it was told."""
        self._heard_at = self.seconds()

    def lose(self) -> None:
        """The stream is gone: whatever changes now is not heard."""
        self._lost |= self._newest.keys()

    def tell(self, market: int, quote: Quote) -> None:
        """The venue's own word on a market."""
        self._put(market, quote)
        self._best_at[market] = self._heard_at

    def trade(self, market: int, price: float) -> None:
        """A trade: best prices it lies outside of, unless they have just come, are none any more."""
        before = self.find(market) or Quote(price)
        told = replace(before, last=price)
        is_old = self.seconds() - self._best_at.get(market, -inf) > ORDER_SECONDS
        if market in self._lost or (is_old and not told.bid <= price <= told.ask):
            told = replace(told, bid=0.0, ask=0.0)
        self._put(market, told)

    def _put(self, market: int, quote: Quote) -> None:
        self.hear()
        self._lost.discard(market)
        self._newest[market] = (quote, self._heard_at)
        self._changed.add(market)

    def find(self, market: int) -> Quote | None:
        """The newest of a market; None: only closed bars tell."""
        return self._newest[market][0] if market in self._newest else None

    def is_stale(self, market: int) -> bool:
        """Whether a market may have moved since its newest quote without our hearing of it."""
        is_silent = self.seconds() - self._heard_at > STALE_SECONDS
        return market in self._newest and (is_silent or market in self._lost)

    def forget_stale(self, market: int) -> None:
        """A closed bar is news by now."""
        if self.is_stale(market):
            self._newest.pop(market, None)

    def age(self, market: int) -> float:
        """Seconds since a market's newest quote; zero without one: its newest bar is told now."""
        return self.seconds() - self._newest[market][1] if market in self._newest else 0.0

    def age_of_newest(self) -> float | None:
        """Seconds since any market's price was told; None: none was."""
        told = max((at for _, at in self._newest.values()), default=None)
        return None if told is None else self.seconds() - told

    def take_changed(self) -> set[int]:
        """The markets told of since the last time."""
        changed, self._changed = self._changed, set()
        return changed
