"""Pure: candles as Kraken's WebSocket and REST tell them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from trading.core.records import BAR
from trading.exchanges.candles import Values, read_values
from trading.exchanges.failures import UNREADABLE
from trading.exchanges.venue_clock import read_stamp

NS = 1_000_000_000
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)  # minutes


def ws_candles(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, int, Values]]:
    """(symbol, open time, values) of the entries of an ohlc message; unreadable ones are left out."""
    found = []
    for row in rows:
        try:
            values = read_values(
                (row["open"], row["high"], row["low"], row["close"], row["volume"])
            )
            found.append((str(row["symbol"]), read_stamp(str(row["interval_begin"])), values))
        except (KeyError, ValueError, TypeError):
            continue
    return found


def rest_candles(result: Mapping[str, Any], *, now_ns: int, timeframe_ns: int) -> np.ndarray:
    """Committed candles of an OHLC answer; the running one and what cannot be are left out.

    Quiet intervals are no bars.
    """
    rows: Sequence[Any] = next((rows for name, rows in result.items() if name != "last"), [])
    bars = []
    for row in rows:
        with suppress(*UNREADABLE):
            if int(row[7]) > 0 and int(row[0]) * NS + timeframe_ns <= now_ns:
                values = read_values((row[1], row[2], row[3], row[4], row[6]))
                bars.append((int(row[0]) * NS, *values))
    return np.array(bars, dtype=BAR)


def interval_of(timeframe_ns: int) -> int:
    """Minutes of the timeframe.

    Raises:
        ValueError: Kraken has no candles of it.
    """
    minutes, rest = divmod(timeframe_ns, 60 * NS)
    if rest or minutes not in INTERVALS:
        accepted: Sequence[str] = [f"{minute} m" for minute in INTERVALS]
        raise ValueError(f"timeframe of {timeframe_ns // NS} s: Kraken has {', '.join(accepted)}")
    return int(minutes)
