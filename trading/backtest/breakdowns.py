"""The trades again, split: by strategy, regime, hour, exit reason, month and pair."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trading.backtest import metrics
from trading.backtest.trips import RoundTrip

Key = Callable[[RoundTrip], str]

SPLITS: dict[str, Key] = {
    "strategy": lambda trip: trip.strategy,
    "regime": lambda trip: trip.regime,
    "hour": lambda trip: f"{trip.entry_ns // metrics.NS_PER_HOUR % 24:02}",  # UTC, of the entry
    "month": lambda trip: str(np.datetime64(trip.exit_ns, "ns").astype("M8[M]")),  # of the exit
    "pair": lambda trip: trip.symbol,
    "side": lambda trip: trip.side,
}


def break_down(trips: Sequence[RoundTrip]) -> dict[str, list[dict[str, Any]]]:
    """Rows of every split; their profits add up to the profit of all trades."""
    rows = {name: _split(trips, key) for name, key in SPLITS.items()}
    return {**rows, "exit_reason": _by_exit(trips)}


def _split(trips: Sequence[RoundTrip], key: Key) -> list[dict[str, Any]]:
    groups: dict[str, list[RoundTrip]] = {}
    for trip in trips:
        groups.setdefault(key(trip), []).append(trip)
    return [
        {
            **_row(name, [float(trip.profit) for trip in group]),
            "expectancy_r": metrics.expectancy([r for t in group if (r := t.r) is not None]),
            "average_hold_hours": metrics.average_hold_hours(group),
        }
        for name, group in sorted(groups.items())
    ]


def _by_exit(trips: Sequence[RoundTrip]) -> list[dict[str, Any]]:
    """Each exit by its own reason, with its share of the profit: a trade may have several."""
    groups: dict[str, list[float]] = {}
    for trip in trips:
        for leg in trip.exits:
            groups.setdefault(leg.reason, []).append(float(leg.profit))
    rows = [_row(name, profits) for name, profits in groups.items()]
    return sorted(rows, key=lambda row: (-row["count"], row["key"]))


def _row(name: str, profits: list[float]) -> dict[str, Any]:
    return {
        "key": name,
        "count": len(profits),
        "profit": sum(profits),
        "win_rate": metrics.win_rate(profits),
        "profit_factor": metrics.profit_factor(profits),
        "expectancy": metrics.expectancy(profits),
    }
