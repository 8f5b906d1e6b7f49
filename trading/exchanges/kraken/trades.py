"""Kraken's trade channel: intervals in which nobody traded, and candles to hold Kraken's own against.

Trades of a pair are numbered one after the other: between two that follow there was no third.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from math import inf
from typing import Any

from trading.exchanges.candles import Values
from trading.exchanges.sockets import Frame
from trading.exchanges.trade_candles import Trade, TradeCandles
from trading.exchanges.venue_clock import read_stamp

CHANNEL = "trade"
KEPT = 64  # intervals


def request(symbols: Sequence[str]) -> Frame:
    """What subscribes."""
    params = {"channel": CHANNEL, "symbol": list(symbols), "snapshot": False}
    return {"method": "subscribe", "params": params}


def read_trades(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, Trade]]:
    """(symbol, trade) of the entries of a message, as they were told; unreadable ones are left out."""
    found = []
    for row in rows:
        try:
            number = int(row["trade_id"])
            price, size = Decimal(str(row["price"])), Decimal(str(row["qty"]))
            if 0 < float(price) < inf and 0 <= float(size) < inf:
                at_ns = read_stamp(str(row["timestamp"]))
                found.append((str(row["symbol"]), Trade(at_ns, number, str(number), price, size)))
        except (KeyError, ValueError, TypeError, InvalidOperation):
            continue
    return found


@dataclass(slots=True)
class Trail:
    """What the trades of one pair tell of its intervals, as far as none of them is missing."""

    timeframe_ns: int
    is_believed: bool = True  # its candles; REST has not contradicted one yet
    _candles: TradeCandles = field(init=False)
    _number: int = 0
    _open_ns: int = 0  # of the interval of the newest trade
    _is_whole: bool = False  # that interval is known from its first trade on
    _values: Values | None = None  # of its candle so far
    _before: dict[int, int] = field(default_factory=dict)  # interval -> the one traded in before
    _whole: dict[int, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._candles = TradeCandles(self.timeframe_ns)

    def add(self, trade: Trade) -> None:
        """The next trade; one that was told before is nothing new, and one that was left out a new beginning."""
        if trade.number <= self._number:
            return
        open_ns = trade.time_ns - trade.time_ns % self.timeframe_ns
        if trade.number != self._number + 1 or open_ns < self._open_ns:
            self._begin(open_ns)
        elif open_ns > self._open_ns:
            self._follow(open_ns)
        self._number = trade.number
        made = self._candles.add(trade)
        self._values = made[1] if made else None

    def _begin(self, open_ns: int) -> None:
        self._open_ns, self._is_whole = open_ns, False
        self._candles = TradeCandles(self.timeframe_ns)

    def _follow(self, open_ns: int) -> None:
        if self._is_whole and self._values:
            self._whole[self._open_ns] = self._values
        self._before[open_ns] = self._open_ns
        self._open_ns, self._is_whole = open_ns, True
        for kept in (self._whole, self._before):
            while len(kept) > KEPT:
                del kept[min(kept)]

    def is_quiet(self, open_ns: int, next_ns: int) -> bool:
        """Whether nobody traded between two intervals."""
        return self._before.get(next_ns) == open_ns

    def whole(self, open_ns: int) -> Values | None:
        """The candle of an interval, if all its trades are known and believed."""
        return self._whole.get(open_ns) if self.is_believed else None

    def forget(self, open_ns: int) -> None:
        """An interval was held against REST."""
        self._whole.pop(open_ns, None)
