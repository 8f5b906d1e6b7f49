"""Equity over time: one close per UTC day, daily returns, drawdowns."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from trading.backtest.trips import Finished

NS_PER_DAY = 86_400_000_000_000
Floats = np.ndarray


def span_days(opens_ns: np.ndarray) -> float:
    """Days from the first bar's open to the last bar's."""
    return float(opens_ns[-1] - opens_ns[0]) / NS_PER_DAY if len(opens_ns) else 0.0


def daily_closes(opens_ns: np.ndarray, equity: Floats) -> tuple[np.ndarray, Floats]:
    """(days since 1970, last equity of each); a day without bars keeps the equity before it."""
    if not len(opens_ns):
        return np.zeros(0, "i8"), np.zeros(0)
    day = opens_ns // NS_PER_DAY
    last = np.flatnonzero(np.r_[day[1:] != day[:-1], True])
    days = np.arange(day[0], day[-1] + 1)
    return days, equity[last[np.searchsorted(day[last], days, side="right") - 1]]


def daily_returns(closes: Floats, cash: float) -> Floats:
    """Return of each UTC day, the first from the starting cash; empty when nothing was left."""
    path = np.r_[cash, closes]
    return path[1:] / path[:-1] - 1 if (path > 0).all() else np.zeros(0)


def returns_of(result: Finished, cash: float) -> Floats:
    """Daily returns of a run."""
    _, closes = daily_closes(result.decisions["bar_open_ns"], result.decisions["equity"])
    return daily_returns(closes, cash)


def drawdowns(equity: Floats) -> Floats:
    """Fall of every point below the highest before it, 0 … 1."""
    return 1 - equity / np.maximum.accumulate(equity)


def max_drawdown(equity: Floats) -> float:
    """Deepest of them; 0 for an empty path."""
    return float(drawdowns(equity).max()) if len(equity) else 0.0


def longest_drawdown_days(opens_ns: np.ndarray, equity: Floats, cash: float) -> float:
    """Longest time from a peak of equity until it is reached again, or until the end."""
    if not len(opens_ns):
        return 0.0
    peak = np.maximum.accumulate(np.r_[cash, equity])[:-1]
    at_peak = np.r_[opens_ns[0], opens_ns[equity >= peak], opens_ns[-1]]
    return float(np.diff(at_peak).max()) / NS_PER_DAY


def monthly_returns(days: np.ndarray, closes: Floats, cash: float) -> list[tuple[str, float]]:
    """("2018-01", return of that month's closes) for every month touched."""
    if not len(days):
        return []
    months = days.astype("M8[D]").astype("M8[M]")
    last = np.flatnonzero(np.r_[months[1:] != months[:-1], True])
    path = np.r_[cash, closes[last]]
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = path[1:] / path[:-1] - 1
    return [
        (str(months[k]), float(r)) for k, r in zip(last, returns, strict=True) if np.isfinite(r)
    ]


def keep_extremes(values: Sequence[Floats], most: int) -> np.ndarray:
    """At most about ``most`` row numbers that keep first, last and each bucket's low and high."""
    count = len(values[0])
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, max((most - 2) // (2 * len(values)), 1) + 1).astype(int)
    kept = {0, count - 1}
    for low, high in pairwise(edges.tolist()):
        for one in values:
            kept.add(low + int(np.argmin(one[low:high])))
            kept.add(low + int(np.argmax(one[low:high])))
    return np.array(sorted(kept))
