"""Closed candles of one pair through ccxt, page by page, whatever number a venue gives at once."""

import math
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import numpy as np

from trading.core.records import BAR
from trading.exchanges.ccxt.client import NS_PER_MS, CcxtClient
from trading.marketdata.download import Page, Span
from trading.marketdata.timeframes import NS, format_timeframe

PAGE = 500  # asked for at once; many give less
SETTLE_NS = 3 * NS  # a candle may still change for so long after its end


def read_candles(rows: Iterable[Any], *, until_ns: int, timeframe_ns: int) -> np.ndarray:
    """Candles that ended by ``until_ns``, oldest first and each once; quiet intervals are no bars."""
    found: dict[int, tuple[float, ...]] = {}
    for row in rows:
        try:
            open_ns, values = int(row[0]) * NS_PER_MS, tuple(float(value) for value in row[1:6])
        except (TypeError, ValueError, IndexError):
            continue
        is_bar = len(values) == 5 and all(map(math.isfinite, values)) and values[4] > 0
        if is_bar and open_ns % timeframe_ns == 0 and open_ns + timeframe_ns <= until_ns:
            found[open_ns] = values
    return np.array([(open_ns, *found[open_ns]) for open_ns in sorted(found)], dtype=BAR)


async def closed_candles(
    client: CcxtClient, symbol: str, *, timeframe_ns: int, span: Span, until_ns: int
) -> AsyncGenerator[Page, None]:
    """The candles of a span that ended by ``until_ns``, oldest first.

    Raises:
        ApiError, NoAnswer: no answer.
    """
    name, at_ns = format_timeframe(timeframe_ns // NS), span.start_ns
    while at_ns < span.end_ns and at_ns + timeframe_ns <= until_ns:
        rows = await client.candles(symbol, name, since_ns=at_ns, most=PAGE)
        bars = read_candles(rows, until_ns=until_ns, timeframe_ns=timeframe_ns)
        bars = bars[bars["open_ns"] >= at_ns]
        if len(bars):
            at_ns = int(bars["open_ns"][-1]) + timeframe_ns
        else:
            at_ns += PAGE * timeframe_ns
        yield Page(bars[bars["open_ns"] < span.end_ns], min(at_ns, span.end_ns))
