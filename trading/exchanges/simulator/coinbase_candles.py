"""Candles of the simulated Coinbase: closed minutes from their bars, the running one from its trades."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from trading.exchanges.simulator.coinbase_words import text
from trading.exchanges.simulator.market import MINUTE_NS, SECONDS, Candle, PairMarket

NS = 1_000_000_000
GRANULARITIES = {
    "ONE_MINUTE": 1,
    "FIVE_MINUTE": 5,
    "FIFTEEN_MINUTE": 15,
    "THIRTY_MINUTE": 30,
    "ONE_HOUR": 60,
    "TWO_HOUR": 120,
    "FOUR_HOUR": 240,
    "SIX_HOUR": 360,
    "ONE_DAY": 1440,
}


def rows(
    market: PairMarket, minutes: int, *, first_s: int, last_s: int, now_ns: int
) -> list[dict[str, Any]]:
    """Candles that begin from ``first_s`` to ``last_s``, oldest first; empty ones are missing."""
    step_ns = minutes * MINUTE_NS
    start_ns = first_s * NS
    end_ns = min((last_s * NS // step_ns + 1) * step_ns, now_ns + 1)
    running = now_ns // MINUTE_NS
    made = _closed(market, start_ns, min(end_ns, running * MINUTE_NS), step_ns)
    candle = market.candle(running, now_ns) if start_ns <= running * MINUTE_NS < end_ns else None
    if candle is not None:
        _add(made, candle, candle.open_ns // step_ns * step_ns)
    return [
        {
            "start": str(one.open_ns // NS),
            "low": text(one.low),
            "high": text(one.high),
            "open": text(one.open),
            "close": text(one.close),
            "volume": text(one.volume),
        }
        for one in made.values()
    ]


@dataclass(frozen=True, slots=True)
class Whole:
    """Some minutes as one candle."""

    open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def _closed(market: PairMarket, start_ns: int, end_ns: int, step_ns: int) -> dict[int, Whole]:
    """Closed minutes from their bars, by the moment at which the candle of so many begins."""
    if end_ns <= start_ns:
        return {}
    found = market.source.iter_bars(start_ns=start_ns, end_ns=end_ns)
    pieces = [piece for piece in found if len(piece)]
    if not pieces:
        return {}
    bars, lot = np.concatenate(pieces), market.grid.lot_size
    begins = bars["open_ns"] // step_ns * step_ns
    firsts = np.flatnonzero(np.r_[True, begins[1:] != begins[:-1]])
    lasts = np.r_[firsts[1:], len(bars)] - 1
    lots = np.maximum(np.rint(bars["volume"] / float(lot)), SECONDS).astype(np.int64)
    columns = (
        begins[firsts],
        bars["open"][firsts],
        np.maximum.reduceat(bars["high"], firsts),
        np.minimum.reduceat(bars["low"], firsts),
        bars["close"][lasts],
        np.add.reduceat(lots, firsts),
    )
    price = market.price
    return {
        begin: Whole(begin, price(first), price(high), price(low), price(close), volume * lot)
        for begin, first, high, low, close, volume in zip(
            *(column.tolist() for column in columns), strict=True
        )
    }


def _add(made: dict[int, Whole], candle: Candle, begin: int) -> None:
    """The running minute to the candle it belongs to."""
    whole = made.get(begin)
    if whole is None:
        made[begin] = Whole(
            begin, candle.open, candle.high, candle.low, candle.close, candle.volume
        )
        return
    high, low = max(whole.high, candle.high), min(whole.low, candle.low)
    volume = whole.volume + candle.volume
    made[begin] = Whole(begin, whole.open, high, low, candle.close, volume)
