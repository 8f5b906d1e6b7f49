"""Kraken's ticker channel: best prices as they change, the last trade, and the last 24 hours."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from trading.engine.quotes import Quote
from trading.exchanges.sockets import Frame

CHANNEL = "ticker"
TRIGGER = "bbo"  # by trade alone, a market that moves without one would look as if it stood


def request(symbols: Sequence[str]) -> Frame:
    """What subscribes."""
    params = {"channel": CHANNEL, "symbol": list(symbols), "event_trigger": TRIGGER}
    return {"method": "subscribe", "params": params}


def read_quotes(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, Quote]]:
    """(symbol, quote) of the entries of a message; what no market can be quoted at is left out."""
    found = []
    for row in rows:
        try:
            last, bid, ask, volume, percent = (
                float(row[name]) for name in ("last", "bid", "ask", "volume", "change_pct")
            )
            quote = Quote(last=last, bid=bid, ask=ask, change=percent / 100, volume=volume)
            if isfinite(bid + ask + volume + percent) and 0 < last < float("inf"):
                found.append((str(row["symbol"]), quote))
        except (KeyError, ValueError, TypeError):
            continue
    return found
