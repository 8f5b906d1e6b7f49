"""Pages of what there was at the simulated Kraken: between two names or times, fifty at once."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from trading.exchanges.simulator import kraken_words as words

PAGE = 50
FARTHEST = 10**9


class Past(NamedTuple):
    """One row by its name and its time."""

    name: str
    time_ns: int
    told: Any


def page(past: Sequence[Past], asked: Mapping[str, Any], word: str) -> dict[str, Any]:
    """The rows asked for, newest first as given, and how many there are on all pages.

    Raises:
        Rejected: what was asked for is neither a name of these, nor a time, nor a place.
    """
    found = _until(_since(past, str(asked.get("start") or "")), str(asked.get("end") or ""))
    first = words.whole(asked.get("ofs"), "ofs", most=FARTHEST)
    told: dict[str, Any] = {word: {one.name: one.told for one in found[first : first + PAGE]}}
    return told if words.is_true(asked.get("without_count")) else told | {"count": len(found)}


def _since(past: Sequence[Past], start: str) -> Sequence[Past]:
    """Those after a name or time."""
    names = [one.name for one in past]
    if start in names:
        return past[: names.index(start)]
    at = words.number(start or "0", "start")
    return [one for one in past if Decimal(one.time_ns) / words.NS > at]


def _until(past: Sequence[Past], end: str) -> Sequence[Past]:
    """Those up to a name or time, with it."""
    names = [one.name for one in past]
    if end in names:
        return past[names.index(end) :]
    if not end:
        return past
    at = words.number(end, "end")
    return [one for one in past if Decimal(one.time_ns) / words.NS <= at]
