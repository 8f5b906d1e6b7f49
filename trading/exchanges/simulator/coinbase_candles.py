"""Candles of the simulated Coinbase: closed minutes from their bars, the running one from its trades."""

from typing import Any

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
    end_ns = min((last_s * NS // step_ns + 1) * step_ns, (now_ns // MINUTE_NS + 1) * MINUTE_NS)
    made: dict[int, dict[str, Any]] = {}
    for minute in _minutes(market, start_ns, end_ns, now_ns):
        begin = minute["open_ns"] // step_ns * step_ns
        if begin in made:
            whole = made[begin]
            whole["high"] = max(whole["high"], minute["high"])
            whole["low"] = min(whole["low"], minute["low"])
            whole["close"] = minute["close"]
            whole["volume"] += minute["volume"]
        else:
            made[begin] = minute
    names = ("low", "high", "open", "close", "volume")
    return [
        {"start": str(begin // NS), **{name: text(candle[name]) for name in names}}
        for begin, candle in made.items()
    ]


def _minutes(market: PairMarket, start_ns: int, end_ns: int, now_ns: int) -> list[dict[str, Any]]:
    """Every minute that had trades, as numbers on the market's grid."""
    running = now_ns // MINUTE_NS
    least = market.grid.lot_size * SECONDS
    told: list[dict[str, Any]] = []
    closed_ns = min(end_ns, running * MINUTE_NS)
    for bars in market.source.iter_bars(start_ns=start_ns, end_ns=closed_ns):
        for bar in bars:
            prices = {name: market.price(bar[name]) for name in ("open", "high", "low", "close")}
            volume = max(market.quantity(bar["volume"]), least)
            told.append({"open_ns": int(bar["open_ns"]), **prices, "volume": volume})
    candle = market.candle(running, now_ns) if start_ns <= running * MINUTE_NS < end_ns else None
    return [*told, _numbers(candle)] if candle is not None else told


def _numbers(candle: Candle) -> dict[str, Any]:
    names = ("open_ns", "open", "high", "low", "close", "volume")
    return {name: getattr(candle, name) for name in names}
