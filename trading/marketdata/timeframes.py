"""Timeframe names and seconds; rolling smaller bars up into larger ones, closed bars only."""

import re
from collections.abc import Iterable, Iterator

import numpy as np

from trading.core.records import BAR
from trading.marketdata.sums import sum_runs

NS = 1_000_000_000
DAY_SECONDS = 86_400
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS}
COMMON = ("1m", "5m", "15m", "1h", "4h", "1d")


class InvalidTimeframe(ValueError):
    """A timeframe we cannot store; the text says which are accepted."""


def parse_timeframe(text: str) -> int:
    """Seconds of a name such as ``5m``.

    Raises:
        InvalidTimeframe: not a number and a unit, or bars that would not fill a UTC day evenly
            (weeks and months are calendar bars and are not stored).
    """
    match = re.fullmatch(r"([1-9]\d{0,4})([smhd])", text.strip())
    if match is None:
        raise InvalidTimeframe(
            f"timeframe {text!r}: accepted are a number and s, m, h or d, such as {', '.join(COMMON)}"
        )
    seconds = int(match[1]) * UNIT_SECONDS[match[2]]
    if seconds > DAY_SECONDS or DAY_SECONDS % seconds:
        raise InvalidTimeframe(
            f"timeframe {text!r}: a day must hold a whole number of bars, as with {', '.join(COMMON)}"
        )
    return seconds


def format_timeframe(seconds: int) -> str:
    """Shortest name of a timeframe: 300 is ``5m``."""
    for unit in ("d", "h", "m"):
        if seconds % UNIT_SECONDS[unit] == 0:
            return f"{seconds // UNIT_SECONDS[unit]}{unit}"
    return f"{seconds}s"


def resample(
    chunks: Iterable[np.ndarray],
    *,
    from_seconds: int,
    to_seconds: int,
    known_from_ns: int | None = None,
    known_until_ns: int | None = None,
) -> Iterator[np.ndarray]:
    """Roll bars up to a larger timeframe whose buckets are aligned to the epoch.

    Whole buckets only: none that opened before ``known_from_ns`` (default: the first bar) or
    closes after ``known_until_ns`` (default: the last bar's close); one without bars is absent.

    Raises:
        InvalidTimeframe: the larger timeframe is not a multiple of the smaller.
    """
    if to_seconds % from_seconds:
        raise InvalidTimeframe(
            f"{format_timeframe(from_seconds)} bars cannot be rolled up to "
            f"{format_timeframe(to_seconds)}: it is not a multiple"
        )
    bucket_ns, held = to_seconds * NS, np.empty(0, BAR)
    known_from, known_until = known_from_ns, known_until_ns
    for chunk in chunks:
        if len(chunk) == 0:
            continue
        if known_from is None:
            known_from = int(chunk["open_ns"][0])
        bars = np.concatenate([held, chunk])
        buckets = bars["open_ns"] // bucket_ns
        bars, buckets = (part[buckets * bucket_ns >= known_from] for part in (bars, buckets))
        cut = int(np.searchsorted(buckets, buckets[-1])) if len(bars) else 0
        if cut:
            yield _roll_up(bars[:cut], buckets[:cut], bucket_ns)
        held = bars[cut:].copy()
    if len(held):
        if known_until is None:
            known_until = int(held["open_ns"][-1]) + from_seconds * NS
        if known_until >= (held["open_ns"][0] // bucket_ns + 1) * bucket_ns:
            yield _roll_up(held, held["open_ns"] // bucket_ns, bucket_ns)


def _roll_up(bars: np.ndarray, buckets: np.ndarray, bucket_ns: int) -> np.ndarray:
    starts = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]])
    ends = np.r_[starts[1:], len(bars)] - 1
    rolled = np.empty(len(starts), BAR)
    rolled["open_ns"] = buckets[starts] * bucket_ns
    rolled["open"] = bars["open"][starts]
    rolled["high"] = np.maximum.reduceat(bars["high"], starts)
    rolled["low"] = np.minimum.reduceat(bars["low"], starts)
    rolled["close"] = bars["close"][ends]
    rolled["volume"] = sum_runs(bars["volume"], starts)
    return rolled
