"""The simulated market: bars played as trades, second by second, with an order book around the last.

Where single trades or books were recorded those are played.

The sixty trades of a minute rebuild its bar exactly: the first at the open, then both extremes, the
last at the close, and volumes that add up. So candles, trades and history always agree.
"""

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

import numpy as np

from trading.exchanges.replay import BarSource

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
SECONDS = 60
LEVELS = 25
KEPT_MINUTES = 4096


class SimulatorClock:
    """The venue's time: it may run faster than the wall's, and stand still."""

    def __init__(self, *, start_ns: int, speed: float) -> None:
        self.speed = speed
        self._start_ns = start_ns
        self._began = time.monotonic()
        self._frozen_ns: int | None = None

    def now_ns(self) -> int:
        """Nanoseconds UTC of the simulated world."""
        if self._frozen_ns is not None:
            return self._frozen_ns
        return self._start_ns + int((time.monotonic() - self._began) * self.speed * SECOND_NS)

    def jump(self, now_ns: int) -> None:
        """Stand still at another, later moment."""
        self._frozen_ns = max(now_ns, self._frozen_ns or 0)

    def freeze(self, *, on: bool) -> None:
        """Let the world stand still, or go on from where it stood."""
        if on:
            self._frozen_ns = self.now_ns()
        elif self._frozen_ns is not None:
            self._start_ns, self._began = self._frozen_ns, time.monotonic()
            self._frozen_ns = None


@dataclass(frozen=True, slots=True)
class Grid:
    """What orders of a pair must fit."""

    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal

    @property
    def price_decimals(self) -> int:
        """Decimals of a price."""
        return -int(self.tick_size.as_tuple().exponent)

    @property
    def lot_decimals(self) -> int:
        """Decimals of a quantity."""
        return -int(self.lot_size.as_tuple().exponent)


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade; ``number`` grows by one with each second of the market."""

    number: int
    time_ns: int
    price: Decimal
    quantity: Decimal
    is_buy: bool


@dataclass(frozen=True, slots=True)
class Candle:
    """A minute as far as it has come."""

    open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    vwap: Decimal
    trades: int


Level = tuple[Decimal, Decimal]


class Recorded(Protocol):
    """What was recorded of a pair."""

    def minute(self, minute: int) -> tuple[Trade, ...]:
        """The trades of one minute."""
        ...

    def book(self, now_ns: int) -> tuple[list[Level], list[Level]] | None:
        """(bids, asks) at a moment, best first; None where none is known."""
        ...


@dataclass(slots=True)
class PairMarket:
    """One pair: its past, its trades as time goes by, and the book."""

    symbol: str
    source: BarSource
    grid: Grid
    recorded: Recorded | None = None
    seen_ns: int = 0
    last: Trade | None = None
    taken: dict[Decimal, Decimal] = field(default_factory=dict)  # of the book, since the last trade
    _minutes: dict[int, tuple[Trade, ...]] = field(default_factory=dict)

    def trades_until(self, now_ns: int) -> Iterator[Trade]:
        """The trades since the last call, oldest first; the first call begins at ``now_ns``."""
        start = self.seen_ns or now_ns - SECOND_NS
        self.seen_ns = max(now_ns, start)
        for minute in range(start // MINUTE_NS, self.seen_ns // MINUTE_NS + 1):
            for trade in self.minute(minute):
                if start < trade.time_ns <= self.seen_ns:
                    self.last = trade
                    self.taken.clear()
                    yield trade

    def leap(self, now_ns: int) -> None:
        """Let time pass in which nobody looked."""
        self.seen_ns, self.last = max(self.seen_ns, now_ns - SECOND_NS), None
        self.taken.clear()

    def minute(self, minute: int) -> tuple[Trade, ...]:
        """All trades of one minute; none where the market stood still."""
        if minute not in self._minutes:
            if len(self._minutes) >= KEPT_MINUTES:
                self._minutes.clear()
            told = self.recorded.minute if self.recorded else self._played
            self._minutes[minute] = told(minute)
        return self._minutes[minute]

    def _played(self, minute: int) -> tuple[Trade, ...]:
        open_ns = minute * MINUTE_NS
        bars = list(self.source.iter_bars(start_ns=open_ns, end_ns=open_ns + MINUTE_NS))
        return self._play(bars[0][0]) if bars else ()

    def _play(self, bar: np.void) -> tuple[Trade, ...]:
        open_ns = int(bar["open_ns"])
        first, high, low, close = (self.price(bar[n]) for n in ("open", "high", "low", "close"))
        turns = (low, high) if close >= first else (high, low)
        path = _walk((first, *turns, close), self.grid.tick_size)
        total = max(self.quantity(bar["volume"]), self.grid.lot_size * SECONDS)
        share = (total / SECONDS).quantize(self.grid.lot_size)
        number, trades = open_ns // SECOND_NS, []
        for second, price in enumerate(path):
            rest = total - share * (SECONDS - 1)
            quantity = rest if second == SECONDS - 1 else share
            at = open_ns + second * SECOND_NS + SECOND_NS // 2
            up = second > 0 and price >= path[second - 1]
            trades.append(Trade(number + second, at, price, quantity, up))
        return tuple(trades)

    def price(self, value: float) -> Decimal:
        ticks = round(float(value) / float(self.grid.tick_size))
        return max(ticks, 1) * self.grid.tick_size

    def quantity(self, value: float) -> Decimal:
        return Decimal(repr(float(value))).quantize(self.grid.lot_size)

    def candle(self, minute: int, now_ns: int) -> Candle | None:
        """The minute as its trades up to ``now_ns`` make it."""
        made = [trade for trade in self.minute(minute) if trade.time_ns <= now_ns]
        if not made:
            return None
        prices, volume = [t.price for t in made], sum((t.quantity for t in made), Decimal(0))
        cost = sum((t.price * t.quantity for t in made), Decimal(0))
        return Candle(
            open_ns=minute * MINUTE_NS,
            open=prices[0],
            high=max(prices),
            low=min(prices),
            close=prices[-1],
            volume=volume,
            vwap=(cost / volume).quantize(self.grid.tick_size),
            trades=len(made),
        )

    def candles(self, *, first: int, last: int, now_ns: int) -> list[Candle]:
        """Minutes ``first`` to ``last``, those that had trades."""
        found = (self.candle(minute, now_ns) for minute in range(first, last + 1))
        return [candle for candle in found if candle is not None]

    def last_price(self) -> Decimal:
        """Of the newest trade; before any, of the newest bar."""
        if self.last is not None:
            return self.last.price
        bars = self.source.tail(before_ns=self.seen_ns or MINUTE_NS, count=1)
        return self.price(bars["close"][-1]) if len(bars) else self.grid.tick_size

    def book(self, depth: int = LEVELS) -> tuple[list[Level], list[Level]]:
        """(bids, asks), best first: as recorded, and outwards tick by tick; else beside the last price."""
        told = self.recorded.book(self.seen_ns) if self.recorded else None
        bids, asks = told or ([], [])
        tick, deeper = self.grid.tick_size, depth + len(self.taken)
        sides = self._outwards(bids, -tick, deeper), self._outwards(asks, tick, deeper)
        return self._left(sides[0])[:depth], self._left(sides[1])[:depth]

    def _left(self, levels: list[Level]) -> list[Level]:
        """Without what was taken."""
        left = ((price, size - self.taken.get(price, Decimal(0))) for price, size in levels)
        return [level for level in left if level[1] > 0] if self.taken else levels

    def take(self, price: Decimal, quantity: Decimal) -> None:
        """Somebody takes this from the book; it is there again with the next trade."""
        self.taken[price] = self.taken.get(price, Decimal(0)) + quantity

    def bests(self, trade: Trade) -> tuple[Decimal, Decimal]:
        """The best bid and ask beside a trade."""
        told = self.recorded.book(trade.time_ns) if self.recorded else None
        bids, asks = told or ([], [])
        tick = self.grid.tick_size
        bid = bids[0][0] if bids else trade.price - tick
        return bid, asks[0][0] if asks else trade.price + tick

    def _outwards(self, known: list[Level], step: Decimal, depth: int) -> list[Level]:
        begin = known[-1][0] if known else self.last_price()
        more = (begin + step * k for k in range(1, depth - len(known) + 1))
        minute = self.seen_ns // MINUTE_NS
        return known[:depth] + [(price, self._size(price, minute)) for price in more if price > 0]

    def _size(self, price: Decimal, minute: int) -> Decimal:
        return _size(self.symbol, price, minute, self.grid.lot_size)


@lru_cache(maxsize=8192)
def _size(symbol: str, price: Decimal, minute: int, lot: Decimal) -> Decimal:
    """What rests at a price: the same for everybody who asks within a minute."""
    drawn = zlib.crc32(f"{symbol} {price} {minute}".encode()) % 10_000
    return (Decimal(2_000 + drawn * 3) / 1000).quantize(lot)


def _walk(corners: tuple[Decimal, ...], tick: Decimal) -> list[Decimal]:
    """Sixty prices through the corners, each met exactly, all on the tick."""
    stops = np.linspace(0, SECONDS - 1, len(corners)).round().astype(int).tolist()
    ticks = [int(corner / tick) for corner in corners]
    path = np.interp(range(SECONDS), stops, ticks).round().astype(int)
    return [int(one) * tick for one in path]
