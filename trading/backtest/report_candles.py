"""Candles for the report: every market as a whole, and chosen trades up close with their stop."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trading.backtest.report import Run
from trading.backtest.trips import RoundTrip

MOST_OVERVIEW = 1_500  # over all markets; all close-ups together have at most 12 × 120
MOST_CLOSE_UP = 120
MOST_MARKERS = 400
CONTEXT_BARS = 30
EACH = 3  # best, worst, longest and last trades
NS = 1_000_000_000
NICE_SECONDS = (
    1, 5, 15, 30, 60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 259_200,
    604_800, 1_209_600, 2_419_200, 7_257_600,
)  # fmt: skip


def overviews(run: Run) -> list[dict[str, Any]]:
    """Per market the whole range, with its trades where there are not too many."""
    told = []
    for market, bars in enumerate(run.series):
        digits = _decimals(run, market)
        seconds, candles = aggregate(bars, MOST_OVERVIEW // len(run.series), digits)
        trips = [trip for trip in run.trips if trip.market == market]
        shown = trips if len(trips) <= MOST_MARKERS else []
        told.append(
            {
                "symbol": run.grids[market].symbol,
                "decimals": digits,
                "seconds": seconds,
                "candles": candles,
                "trades": len(trips),
                "markers": [_marks(trip, seconds) for trip in shown],
            }
        )
    return told


def aggregate(bars: np.ndarray, most: int, digits: int) -> tuple[int, list[list[float]]]:
    """(seconds, [time, open, high, low, close] …) of the finest usual frame with enough room."""
    if not len(bars):
        return NICE_SECONDS[0], []
    times = bars["open_ns"] // NS
    step = int(np.diff(times).min()) if len(bars) > 1 else NICE_SECONDS[0]
    span = int(times[-1] - times[0])
    fitting = (s for s in NICE_SECONDS if s >= step and span / s < most - 1)
    seconds = step if len(bars) <= most else next(fitting, NICE_SECONDS[-1])
    bucket = times // seconds * seconds
    first = np.flatnonzero(np.r_[True, bucket[1:] != bucket[:-1]])
    last = np.r_[first[1:], len(bars)] - 1
    columns = [
        bucket[first],
        bars["open"][first].round(digits),
        np.maximum.reduceat(bars["high"], first).round(digits),
        np.minimum.reduceat(bars["low"], first).round(digits),
        bars["close"][last].round(digits),
    ]
    return seconds, [list(row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def choose(trips: Sequence[RoundTrip]) -> list[tuple[str, RoundTrip]]:
    """(why, trade) of the best, the worst, the longest held and the last trades, each once."""
    orders = (
        ("best", sorted(trips, key=lambda t: -t.profit)),
        ("worst", sorted(trips, key=lambda t: t.profit)),
        ("longest held", sorted(trips, key=lambda t: t.entry_ns - t.exit_ns)),
        ("last", list(reversed(trips))),
    )
    chosen: dict[int, tuple[str, RoundTrip]] = {}
    for why, order in orders:
        fresh = [trip for trip in order if id(trip) not in chosen]
        for trip in fresh[:EACH]:
            chosen[id(trip)] = (why, trip)
    return list(chosen.values())


def close_ups(run: Run) -> list[dict[str, Any]]:
    """Chosen trades among the bars around them, with the stop as it moved."""
    return [_close_up(run, why, trip) for why, trip in choose(run.trips)]


def _close_up(run: Run, why: str, trip: RoundTrip) -> dict[str, Any]:
    bars = run.series[trip.market]
    first, last = _rows(bars, trip)
    around = max(CONTEXT_BARS, (last - first) // 2)
    begin, end = max(first - around, 0), min(last + around + 1, len(bars))
    digits = _decimals(run, trip.market)
    seconds, candles = aggregate(bars[begin:end], MOST_CLOSE_UP, digits)
    return {
        "why": why,
        "symbol": trip.symbol,
        "side": trip.side,
        "strategy": trip.strategy,
        "regime": trip.regime,
        "profit": float(trip.profit),
        "r": trip.r,
        "seconds": seconds,
        "decimals": digits,
        "candles": candles,
        "stops": _stops(run, trip, first, last, seconds),
        **_marks(trip, seconds),
    }


def _rows(bars: np.ndarray, trip: RoundTrip) -> tuple[int, int]:
    """First and last bar in which it was held."""
    found = np.searchsorted(bars["open_ns"], [trip.entry_ns, trip.exit_ns], side="right") - 1
    return max(int(found[0]), 0), max(int(found[1]), 0)


def _stops(run: Run, trip: RoundTrip, first: int, last: int, seconds: int) -> list[list[float]]:
    """[time, price] of the stop at the end of each candle in which it was held."""
    own = np.flatnonzero(run.result.decision_market == trip.market)[first : last + 1]
    rows = run.result.decisions[own]
    rows = rows[rows["stop_ticks"] > 0]
    tick = float(run.grids[trip.market].tick_size)
    times = rows["bar_open_ns"] // NS // seconds * seconds
    found = dict(zip(times.tolist(), (rows["stop_ticks"] * tick).tolist(), strict=True))
    digits = _decimals(run, trip.market)
    return [[time, round(price, digits)] for time, price in found.items()]


def _marks(trip: RoundTrip, seconds: int) -> dict[str, Any]:
    def at(time_ns: int) -> int:
        return time_ns // NS // seconds * seconds

    return {
        "side": trip.side,
        "entry": [at(trip.entry_ns), float(trip.entry_price)],
        "entry_time": trip.entry_ns // NS,
        "exit_time": trip.exit_ns // NS,
        "exits": [[at(leg.time_ns), float(leg.price), leg.reason] for leg in trip.exits],
        "won": trip.profit > 0,
    }


def _decimals(run: Run, market: int) -> int:
    exponent = run.grids[market].tick_size.normalize().as_tuple().exponent
    return max(-int(exponent), 0)
