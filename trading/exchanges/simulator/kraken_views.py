"""Rows of the public channels of the simulated venue."""

import zlib
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.market import MINUTE_NS, Grid, Level, PairMarket, Trade


def asset(name: str) -> dict[str, Any]:
    """One asset of the instrument channel."""
    return {
        "id": name,
        "status": "enabled",
        "precision": 10,
        "precision_display": 5,
        "borrowable": False,
        "collateral_value": words.raw(Decimal("1.0")),
    }


def instrument(symbol: str, status: str, grid: Grid) -> dict[str, Any]:
    """One pair of the instrument channel."""
    base, quote = symbol.split("/")
    return {
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "status": status,
        "qty_precision": grid.lot_decimals,
        "qty_increment": words.raw(grid.lot_size),
        "price_precision": grid.price_decimals,
        "price_increment": words.raw(grid.tick_size),
        "cost_precision": 5,
        "cost_min": words.raw(grid.min_notional),
        "qty_min": words.raw(grid.min_quantity),
        "marginable": False,
        "has_index": True,
    }


def ticker(market: PairMarket, *, now_ns: int) -> dict[str, Any]:
    """One entry of the ticker channel."""
    (bid, bid_size), (ask, ask_size) = (side[0] for side in market.book(1))
    last = words.raw(market.last_price())
    return {
        "symbol": market.symbol,
        "bid": words.raw(bid),
        "bid_qty": words.raw(bid_size),
        "ask": words.raw(ask),
        "ask_qty": words.raw(ask_size),
        **dict.fromkeys(("last", "vwap", "low", "high"), last),
        "volume": words.raw(Decimal("2400.0")),
        "change": words.raw(Decimal("0.0")),
        "change_pct": words.raw(Decimal("0.00")),
        "timestamp": words.stamp(now_ns),
    }


def candle(market: PairMarket, start: int, interval: int, *, now_ns: int) -> dict[str, Any] | None:
    """One entry of the ohlc channel: the interval from minute ``start``, as far as it has come."""
    made = market.candles(first=start, last=start + interval - 1, now_ns=now_ns)
    if not made:
        return None
    begin = start * MINUTE_NS
    return {
        "symbol": market.symbol,
        "open": words.raw(made[0].open),
        "high": words.raw(max(c.high for c in made)),
        "low": words.raw(min(c.low for c in made)),
        "close": words.raw(made[-1].close),
        "trades": sum(c.trades for c in made),
        "volume": words.raw(sum((c.volume for c in made), Decimal(0))),
        "vwap": words.raw(made[-1].vwap),
        "interval_begin": words.stamp(begin).replace(".000000Z", ".000000000Z"),
        "interval": interval,
        "timestamp": words.stamp(begin + interval * MINUTE_NS),
    }


def last_trades(market: PairMarket, count: int, *, now_ns: int) -> list[Trade]:
    """The newest of this minute and the one before, oldest first."""
    minute = now_ns // MINUTE_NS
    found = [one for at in (minute - 1, minute) for one in market.minute(at)]
    return [one for one in found if one.time_ns <= now_ns][-count:]


def trade(market: PairMarket, told: Trade) -> dict[str, Any]:
    """One entry of the trade channel."""
    return {
        "symbol": market.symbol,
        "side": "buy" if told.is_buy else "sell",
        "price": words.raw(told.price),
        "qty": words.raw(told.quantity),
        "ord_type": "market",
        "trade_id": told.number,
        "timestamp": words.stamp(told.time_ns),
    }


Window = dict[tuple[str, Decimal], Decimal]


def book(
    market: PairMarket, depth: int, before: Window, *, now_ns: int
) -> tuple[dict[str, Any], Window]:
    """(entry of the book channel, the window it leads to): what changed since ``before``.

    What falls out of the window is not told: who keeps a book cuts it to its depth.
    """
    bids, asks = (side[:depth] for side in market.book(max(depth, 25)))
    now = {("bids", p): q for p, q in bids} | {("asks", p): q for p, q in asks}
    worst = {"bids": bids[-1][0], "asks": asks[-1][0]}
    rows: dict[str, list[dict[str, Any]]] = {"bids": [], "asks": []}
    for side, price in before.keys() - now.keys():
        inside = price > worst["bids"] if side == "bids" else price < worst["asks"]
        if inside:
            rows[side].append(_level(market, price, Decimal(0)))
    for (side, price), size in now.items():
        if before.get((side, price)) != size:
            rows[side].append(_level(market, price, size))
    told = {
        "symbol": market.symbol,
        **rows,
        "checksum": checksum(market, bids, asks),
        "timestamp": words.stamp(now_ns),
    }
    return told, now


def _level(market: PairMarket, price: Decimal, size: Decimal) -> dict[str, Any]:
    quantity = size.quantize(market.grid.lot_size)
    return {"price": words.raw(price), "qty": words.raw(quantity)}


def checksum(market: PairMarket, bids: list[Level], asks: list[Level]) -> int:
    """CRC-32 over the ten best levels, as the venue's documents define it."""
    parts = []
    for price, size in (*asks[:10], *bids[:10]):
        for value, step in ((price, market.grid.tick_size), (size, market.grid.lot_size)):
            parts.append(f"{value.quantize(step):f}".replace(".", "").lstrip("0"))
    return zlib.crc32("".join(parts).encode())
