"""Pure: candles as Coinbase's REST tells them, and the trades that the others are made of."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from math import inf
from typing import Any

import numpy as np

from trading.core.records import BAR
from trading.exchanges.candles import Values, read_values
from trading.exchanges.trade_candles import Trade
from trading.exchanges.venue_clock import read_stamp

NS = 1_000_000_000
GRANULARITIES = {
    60: "ONE_MINUTE",
    300: "FIVE_MINUTE",
    900: "FIFTEEN_MINUTE",
    1800: "THIRTY_MINUTE",
    3600: "ONE_HOUR",
    7200: "TWO_HOUR",
    14400: "FOUR_HOUR",
    21600: "SIX_HOUR",
    86400: "ONE_DAY",
}


def granularity_of(timeframe_ns: int) -> str:
    """Coinbase's word for a timeframe.

    Raises:
        ValueError: it has no candles of it.
    """
    seconds, rest = divmod(timeframe_ns, NS)
    if rest or seconds not in GRANULARITIES:
        accepted = ", ".join(f"{known // 60} m" for known in GRANULARITIES)
        raise ValueError(f"timeframe of {seconds} s: Coinbase has {accepted}")
    return GRANULARITIES[seconds]


def rest_candles(rows: Iterable[Any], *, until_ns: int, timeframe_ns: int) -> np.ndarray:
    """Candles of an answer that ended by ``until_ns``, oldest first and each once."""
    found: dict[int, Values] = {}
    for row in rows:
        try:
            open_ns = int(row["start"]) * NS
            values = read_values(row[name] for name in ("open", "high", "low", "close", "volume"))
        except (KeyError, TypeError, ValueError):
            continue
        if open_ns + timeframe_ns <= until_ns:
            found[open_ns] = values
    return np.array([(open_ns, *found[open_ns]) for open_ns in sorted(found)], dtype=BAR)


def read_trades(rows: Iterable[Any]) -> list[tuple[str, Trade]]:
    """(product id, trade) of a market_trades event, oldest first; unreadable ones are left out."""
    found = []
    for row in rows:
        try:
            trade_id = str(row["trade_id"])
            trade = Trade(
                time_ns=read_stamp(str(row["time"])),
                number=int(trade_id) if trade_id.isdecimal() else 0,
                trade_id=trade_id,
                price=Decimal(str(row["price"])),
                size=Decimal(str(row["size"])),
            )
            if 0 < float(trade.price) < inf and 0 <= float(trade.size) < inf:
                found.append((str(row["product_id"]), trade))
        except (KeyError, ValueError, TypeError, InvalidOperation):
            continue
    return sorted(found, key=lambda one: one[1])


def trades_of(event: Mapping[str, Any]) -> list[tuple[str, Trade]]:
    """The trades of one event of the market_trades channel."""
    rows = event.get("trades")
    return read_trades(rows if isinstance(rows, list) else [])
