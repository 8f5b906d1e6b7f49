"""Pure: candles of one market made of its trades."""

from dataclasses import dataclass, field
from decimal import Decimal

from trading.exchanges.candles import Values


@dataclass(frozen=True, slots=True, order=True)
class Trade:
    """One trade, ordered as it happened."""

    time_ns: int
    number: int
    trade_id: str
    price: Decimal
    size: Decimal


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
