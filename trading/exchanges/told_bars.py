"""Bars that were told, until REST's own were held against them."""

from dataclasses import dataclass, field
from math import isclose

import numpy as np

from trading.engine.messages import BarClosed
from trading.exchanges.candles import Values

MOST_TOLD = 5000
SAME_VOLUME = 1e-6  # sums of many trades are rounded; prices are not


@dataclass(slots=True)
class ToldBars:
    """The newest of several markets."""

    _rows: dict[int, dict[int, Values]] = field(default_factory=dict)  # market -> open time -> row

    def add(self, bar: BarClosed) -> None:
        """A bar was told."""
        rows = self._rows.setdefault(bar.market, {})
        if len(rows) > MOST_TOLD:
            rows.clear()
        rows[bar.open_ns] = (bar.open, bar.high, bar.low, bar.close, bar.volume)

    def first_ns(self, market: int, *, otherwise: int) -> int:
        """When the oldest of them opened."""
        return min(self._rows.get(market, {}), default=otherwise)

    def compare(self, market: int, bars: np.ndarray) -> str:
        """What is wrong with a market's bars up to the newest of ``bars``; empty: nothing.

        Those are forgotten; later ones are compared next time.
        """
        newest_ns = int(bars["open_ns"][-1]) if len(bars) else 0
        rows = self._rows.get(market, {})
        mine = {open_ns: row for open_ns, row in rows.items() if open_ns <= newest_ns}
        self._rows[market] = {at: row for at, row in rows.items() if at > newest_ns}
        for open_ns, *values in bars.tolist():
            if open_ns in mine and not agree(mine[open_ns], tuple(values)):
                return "a candle differs"
            if mine and min(mine) < open_ns < max(mine) and open_ns not in mine:
                return "a candle was left out"
        return ""


def agree(ours: Values, theirs: Values) -> bool:
    """Whether two candles are the same."""
    return ours[:4] == theirs[:4] and isclose(ours[4], theirs[4], rel_tol=SAME_VOLUME)
