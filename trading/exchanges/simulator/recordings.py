"""A market as it was recorded: its single trades, its books, or both, in place of what bars make."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

import numpy as np

from trading.exchanges.replay import ArrayBars
from trading.exchanges.simulator.market import MINUTE_NS, Grid, Level, Trade
from trading.marketdata.book_files import Snapshot
from trading.marketdata.candles import CandleBuilder
from trading.marketdata.trades import NO_ID, TRADE

FRESH_NS = MINUTE_NS  # a snapshot stands until the next one, so long at most


@dataclass(frozen=True)
class Recording:
    """One pair's trades, as TRADE records in time order, and its books."""

    grid: Grid
    trades: np.ndarray
    books: Sequence[Snapshot] = field(default=(), repr=False)

    @classmethod
    def of_books(cls, grid: Grid, books: Sequence[Snapshot]) -> "Recording":
        """Books alone: one lot trades at the middle whenever the best prices have changed."""
        found: list[tuple[int, int, float, float]] = []
        best: tuple[Decimal, Decimal] | None = None
        for told in books:
            now = (told.bids[0][0], told.asks[0][0])
            if now != best:
                best, middle = now, float(sum(now) / 2)
                found.append((told.time_ns, NO_ID, middle, float(grid.lot_size)))
        return cls(grid, np.array(found, TRADE), books)

    @property
    def begin_ns(self) -> int:
        """When the first trade was made."""
        return int(self.trades["time_ns"][0])

    def bars(self) -> ArrayBars:
        """Its minutes, built of the trades."""
        builder = CandleBuilder(MINUTE_NS)
        return ArrayBars(np.concatenate([builder.push(self.trades), builder.finish()]))

    def minute(self, minute: int) -> tuple[Trade, ...]:
        """The trades of one minute; one at a higher price, or the same as before, was a purchase."""
        span = np.array([minute, minute + 1]) * MINUTE_NS
        low, high = np.searchsorted(self.trades["time_ns"], span).tolist()
        found, before = [], self.trades["price"][max(low - 1, 0)] if len(self.trades) else 0.0
        for k, (time_ns, number, price, amount) in enumerate(self.trades[low:high].tolist(), low):
            quantity = max(Decimal(repr(amount)).quantize(self.grid.lot_size), self.grid.lot_size)
            named = k + 1 if number == NO_ID else number
            found.append(Trade(named, time_ns, self._price(price), quantity, price >= before))
            before = price
        return tuple(found)

    def book(self, now_ns: int) -> tuple[list[Level], list[Level]] | None:
        """(bids, asks) of the newest snapshot, best first; None where none is fresh."""
        k = bisect_right(self._times, now_ns) - 1
        if k < 0 or now_ns - self._times[k] > FRESH_NS:
            return None
        told = self.books[k]
        return self._levels(told.bids), self._levels(told.asks)

    @cached_property
    def _times(self) -> list[int]:
        return [told.time_ns for told in self.books]

    def _levels(self, told: Iterable[Level]) -> list[Level]:
        """On the grid of the pair; what comes together there adds up."""
        found: dict[Decimal, Decimal] = {}
        for price, size in told:
            at = self._price(price)
            found[at] = found.get(at, Decimal(0)) + max(
                size.quantize(self.grid.lot_size), self.grid.lot_size
            )
        return list(found.items())

    def _price(self, value: float | Decimal) -> Decimal:
        tick = self.grid.tick_size
        return max(round(Decimal(str(value)) / tick), 1) * tick
