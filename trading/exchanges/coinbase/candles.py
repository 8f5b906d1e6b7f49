"""Pure: candles as Coinbase's REST tells them, and candles made of its trades."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from math import inf
from typing import Any

import numpy as np

from trading.core.records import BAR
from trading.exchanges.candles import Values, read_values
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


@dataclass(frozen=True, slots=True, order=True)
class Trade:
    """One trade, ordered as it happened."""

    time_ns: int
    number: int
    trade_id: str
    price: Decimal
    size: Decimal


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


@dataclass(slots=True)
class _Made:
    """The candle of one interval so far."""

    first: Trade
    last: Trade
    high: Decimal
    low: Decimal
    volume: Decimal
    seen: set[str]

    def add(self, trade: Trade) -> None:
        self.first, self.last = min(self.first, trade), max(self.last, trade)
        self.high, self.low = max(self.high, trade.price), min(self.low, trade.price)
        self.volume += trade.size
        self.seen.add(trade.trade_id)

    def values(self) -> Values:
        prices = (self.first.price, self.high, self.low, self.last.price)
        opened, high, low, close = (float(price) for price in prices)
        return opened, high, low, close, float(self.volume)


@dataclass(slots=True)
class TradeCandles:
    """Candles of one market from its trades; trades may repeat and come in any order."""

    timeframe_ns: int
    _made: dict[int, _Made] = field(default_factory=dict)
    _newest_ns: int = 0

    def add(self, trade: Trade) -> tuple[int, Values] | None:
        """(open time, candle so far) that a trade changes; None when it was counted, or far too late."""
        open_ns = trade.time_ns - trade.time_ns % self.timeframe_ns
        if open_ns < self._newest_ns - self.timeframe_ns:
            return None
        made = self._made.get(open_ns)
        if made is None:
            price = trade.price
            self._made[open_ns] = made = _Made(trade, trade, price, price, Decimal(0), set())
            self._newest_ns = max(self._newest_ns, open_ns)
            self._forget_old()
        if trade.trade_id in made.seen:
            return None
        made.add(trade)
        return open_ns, made.values()

    def _forget_old(self) -> None:
        for known in [at for at in self._made if at < self._newest_ns - self.timeframe_ns]:
            del self._made[known]


def trades_of(event: Mapping[str, Any]) -> list[tuple[str, Trade]]:
    """The trades of one event of the market_trades channel."""
    rows = event.get("trades")
    return read_trades(rows if isinstance(rows, list) else [])
