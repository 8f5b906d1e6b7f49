"""The trading rate of each pair as we keep it: entries wait while protection would not fit beside them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import structlog

from trading.core.codes import Purpose
from trading.engine.errors import NotSent
from trading.exchanges.known_orders import KnownOrder
from trading.exchanges.kraken.counters import (
    ADD,
    AMEND,
    DEAREST_AMEND,
    DEAREST_CANCEL,
    NS,
    TRADING,
    YOUNG_AMEND,
    YOUNG_CANCEL,
    Counter,
    Limit,
    Now,
    Tier,
    by_age,
)
from trading.exchanges.kraken.errors import ApiError

log = structlog.get_logger(__name__)

TOO_MANY = ("EOrder:Rate limit exceeded",)
TOO_MANY_ANYWHERE = "EOrder:Domain rate limit exceeded"
# What one entry brings after it at its dearest, all within seconds: a stop, three moves of it while the
# entry fills on, and a part that is sold with the stop made smaller first.
GROWTH = ADD + 3 * DEAREST_AMEND + (DEAREST_AMEND + ADD)
EXIT = DEAREST_CANCEL + ADD  # the stop taken away, and what is held sold
ENTRY = ADD + DEAREST_CANCEL  # placed, and cancelled at once
OLD_NS = int(YOUNG_CANCEL[-1][0]) * NS


class TradingRate:
    """The pairs of one engine; ``symbols`` has the pair of each of its markets."""

    def __init__(self, *, symbols: Sequence[str], tier: Tier, now_ns: Now) -> None:
        self._tier, self._now_ns = tier, now_ns
        self.symbols = symbols
        self.pairs = {one: Counter(TRADING[tier], now_ns=now_ns) for one in symbols}
        self._since_ns: dict[
            str, int
        ] = {}  # when an order was placed or amended last, at the latest

    def kept(self, symbol: str) -> float:
        """What no entry may touch; an empty counter lets one in all the same."""
        wanted = GROWTH + EXIT * self.symbols.count(symbol)
        return min(wanted, self.pairs[symbol].limit.most - ENTRY)

    def check_entry(self, market: int, *, working: Sequence[KnownOrder]) -> None:
        """Whether an entry fits beside what is kept, now that these orders work.

        To cancel the entries among them is counted too, so that it takes nothing of what is kept.

        Raises:
            NotSent: not now.
        """
        self._forget_all_but({one.venue_id for one in working})
        symbol = self.symbols[market]
        entries = [one for one in working if one.order.purpose == Purpose.ENTRY]
        resting = [one for one in entries if self.symbols[one.order.market] == symbol]
        counter, kept = self.pairs[symbol], self.kept(symbol)
        room = ENTRY + sum(self.cancel_cost(one.venue_id) for one in resting) + kept
        seconds = counter.seconds_until(room)
        if seconds > 0:
            raise NotSent(
                f"{symbol} has used {counter.used:.0f} of {counter.limit.most:g} of Kraken's trading "
                f"rate; an entry needs {room:.0f} free, {kept:.0f} of it kept for stops and exits; "
                f"there is room in {seconds:.0f} s"
            )

    def amend_cost(self, venue_id: str) -> float:
        """Of an order now."""
        return AMEND + by_age(YOUNG_AMEND, self._age(venue_id))

    def cancel_cost(self, venue_id: str) -> float:
        """Of an order now."""
        return by_age(YOUNG_CANCEL, self._age(venue_id))

    def _age(self, venue_id: str) -> float:
        """Never more than the venue's; an order of another life begins when it is first asked for."""
        now_ns = self._now_ns()
        return (now_ns - self._since_ns.setdefault(venue_id, now_ns)) / NS

    def changed(self, venue_id: str, *, late_ns: int = 0) -> None:
        """An order was placed or amended by now, or may be until so much later."""
        self._since_ns[venue_id] = self._now_ns() + late_ns

    def over(self, venue_id: str) -> None:
        """An order was cancelled; to cancel it costs nothing more, although its end is not told yet."""
        self._since_ns[venue_id] = self._now_ns() - OLD_NS

    def _forget_all_but(self, working: Collection[str]) -> None:
        """Other orders will not be asked for again."""
        self._since_ns = {one: at for one, at in self._since_ns.items() if one in working}

    @contextmanager
    def asking(self, symbol: str, cost: float) -> Iterator[None]:
        """While a request is on its way."""
        try:
            with self.pairs[symbol].asking(cost, too_many=TOO_MANY):
                yield
        except ApiError as error:
            if error.words.startswith(TOO_MANY_ANYWHERE):
                for counter in self.pairs.values():
                    counter.be_at_least(counter.limit.most)
            raise

    def hear(self, symbol: str, level: float) -> None:
        """How far the venue says a pair's counter is; others may trade there too."""
        if symbol in self.pairs:
            self.pairs[symbol].hear(level)

    def hear_most(self, most: float) -> None:
        """The venue's own word on how far counters may go."""
        known = {limit.most: limit for limit in TRADING.values()}
        limit = known.get(most, Limit(most, TRADING[self._tier].decay))
        if limit != TRADING[self._tier]:
            log.warning("tier_is_another", chosen=self._tier.value, most=most)
        for counter in self.pairs.values():
            counter.change(limit)
