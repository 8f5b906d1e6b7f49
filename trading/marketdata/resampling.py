"""Stores a coarser series made of a finer one, whole bars only."""

from dataclasses import dataclass

import numpy as np

from trading.marketdata.grid import Grid, infer_grid, sample
from trading.marketdata.series import StoredBars, choose_bars
from trading.marketdata.store import (
    FOREVER,
    BarStore,
    Merged,
    SeriesKey,
    SeriesNotFound,
    Summary,
)
from trading.marketdata.timeframes import format_timeframe


@dataclass(frozen=True, slots=True)
class Resampled:
    """What was made of what."""

    source: SeriesKey
    key: SeriesKey
    merged: Merged
    summary: Summary
    grid: Grid


def store_resampled(store: BarStore, *, source: SeriesKey, timeframe_seconds: int) -> Resampled:
    """Roll a stored series up and store the result; what is stored under its name is replaced.

    Raises:
        InvalidTimeframe: not a multiple of the source's timeframe.
        SeriesNotFound: the source is not stored, or does not hold one whole bar.
        DamagedSeries: it cannot be read.
    """
    key = SeriesKey(source.venue, source.symbol, timeframe_seconds)
    merged, samples = Merged(), list[np.ndarray]()
    rolled = StoredBars(store, source, timeframe_seconds)
    for bars in rolled.iter_bars(start_ns=0, end_ns=FOREVER):
        if len(bars):
            merged += store.merge(key, bars)
            samples.append(sample(bars))
    if not samples:
        raise SeriesNotFound(
            f"{source} does not hold one whole {format_timeframe(timeframe_seconds)}"
        )
    return Resampled(source, key, merged, store.summarize(key), infer_grid(np.concatenate(samples)))


def finest(store: BarStore, *, venue: str, symbol: str, timeframe_seconds: int) -> SeriesKey:
    """The finest stored series a timeframe can be rolled up from.

    Raises:
        SeriesNotFound: there is none below it; the text says what is stored.
    """
    finer = [
        key
        for key in store.stored_keys()
        if (key.venue, key.symbol) == (venue, symbol)
        and key.timeframe_seconds < timeframe_seconds
        and timeframe_seconds % key.timeframe_seconds == 0
    ]
    if finer:
        return min(finer, key=lambda key: key.timeframe_seconds)
    choose_bars(store, venue=venue, symbol=symbol, timeframe_seconds=timeframe_seconds)
    raise SeriesNotFound(
        f"{symbol} of {venue}: nothing finer than {format_timeframe(timeframe_seconds)} is stored"
    )
