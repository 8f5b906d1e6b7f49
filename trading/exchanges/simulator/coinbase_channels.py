"""Market channels of the simulated Coinbase: what each tells at first, and as trades happen."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import coinbase_words as words
from trading.exchanges.simulator.coinbase_candles import rows
from trading.exchanges.simulator.coinbase_market import last_trades, trade_row
from trading.exchanges.simulator.coinbase_outlet import Outlet, Window
from trading.exchanges.simulator.coinbase_words import product_of, stamp, text
from trading.exchanges.simulator.market import PairMarket, Trade

NS = 1_000_000_000
MARKET = ("candles", "market_trades", "status", "ticker", "ticker_batch", "level2")
CANDLE_MINUTES, SNAPSHOT_CANDLES, SNAPSHOT_TRADES = 5, 30, 50
SIDES = {"bids": "bid", "asks": "offer"}


def snapshot(outlet: Outlet, channel: str, market: PairMarket) -> None:
    """What a subscription begins with."""
    now, name = outlet.desk.exchange.clock.now_ns(), product_of(market.symbol)
    if channel == "level2":
        outlet.books[name] = {}
        tell_book(outlet, market, "snapshot")
    elif channel == "market_trades":
        found = last_trades(market, start_ns=0, end_ns=now, most=SNAPSHOT_TRADES)
        outlet.trades[name] = []
        tell_trades(outlet, market, found, "snapshot")
    elif channel in ("ticker", "ticker_batch"):
        outlet.tell(channel, [{"type": "snapshot", "tickers": [ticker(market, channel)]}])
    elif channel == "candles":
        told = candles(market, SNAPSHOT_CANDLES, now_ns=now)
        outlet.told[channel, name] = told[:1]
        outlet.tell(channel, [{"type": "snapshot", "candles": told}])
    elif channel == "status":
        told = [status(market, outlet.desk.exchange.mode)]
        outlet.told[channel, name] = told
        outlet.tell(channel, [{"type": "snapshot", "products": told}])


def on_trades(outlet: Outlet, market: PairMarket, trades: list[Trade]) -> None:
    """What the market did since the last look; trades wait for their batch."""
    if not trades:
        return
    name = product_of(market.symbol)
    if name in outlet.channels.get("market_trades", ()):
        outlet.trades.setdefault(name, []).extend(trades)
    if name in outlet.channels.get("ticker", ()):
        outlet.tell("ticker", [{"type": "update", "tickers": [ticker(market, "ticker")]}])
    if name in outlet.channels.get("level2", ()):
        tell_book(outlet, market, "update")


def tell_trades(outlet: Outlet, market: PairMarket, trades: Iterable[Trade], kind: str) -> None:
    """Trades, newest first."""
    told = [trade_row(market, one) for one in trades]
    outlet.tell("market_trades", [{"type": kind, "trades": told}])


def tell_book(outlet: Outlet, market: PairMarket, kind: str) -> None:
    """What changed in the book since it was last told; at first, all of it."""
    name = product_of(market.symbol)
    before, now_ns = outlet.books.get(name, {}), outlet.desk.exchange.clock.now_ns()
    bids, asks = market.book()
    now: Window = {("bids", p): q for p, q in bids} | {("asks", p): q for p, q in asks}
    gone = [(key, Decimal(0)) for key in before if key not in now]
    changed = [(key, size) for key, size in now.items() if before.get(key) != size]
    outlet.books[name] = now
    at = "1970-01-01T00:00:00Z" if kind == "snapshot" else stamp(now_ns)
    updates = [
        {"side": SIDES[side], "event_time": at, "price_level": text(price),
         "new_quantity": text(size)}
        for (side, price), size in (*gone, *changed)
    ]  # fmt: skip
    if updates:
        outlet.tell("l2_data", [{"type": kind, "product_id": name, "updates": updates}])


def candles(market: PairMarket, most: int, *, now_ns: int) -> list[dict[str, Any]]:
    """Five-minute candles, newest first."""
    step = CANDLE_MINUTES * 60
    last = now_ns // NS // step * step
    name = product_of(market.symbol)
    told = rows(
        market, CANDLE_MINUTES, first_s=last - step * (most - 1), last_s=last, now_ns=now_ns
    )
    return [{**row, "product_id": name} for row in reversed(told)]


def ticker(market: PairMarket, channel: str) -> dict[str, Any]:
    """One entry of a ticker channel; the batch has no best bid and ask."""
    last = text(market.last_price())
    told = {
        "type": "ticker",
        "product_id": product_of(market.symbol),
        "price": last,
        "volume_24_h": "2400",
        **dict.fromkeys(("low_24_h", "high_24_h", "low_52_w", "high_52_w"), last),
        "price_percent_chg_24_h": "0",
    }
    if channel == "ticker_batch":
        return told
    (bid, bid_size), (ask, ask_size) = (side[0] for side in market.book(1))
    return told | {
        "best_bid": text(bid),
        "best_bid_quantity": text(bid_size),
        "best_ask": text(ask),
        "best_ask_quantity": text(ask_size),
    }


def status(market: PairMarket, mode: str) -> dict[str, Any]:
    """One entry of the status channel."""
    name = product_of(market.symbol)
    told = words.product(market, name, mode=mode)
    return {
        "product_type": "SPOT",
        "id": name,
        "base_currency": told["base_currency_id"],
        "quote_currency": told["quote_currency_id"],
        "base_increment": told["base_increment"],
        "quote_increment": told["quote_increment"],
        "display_name": told["display_name"],
        "status": told["status"],
        "status_message": "",
        "min_market_funds": told["quote_min_size"],
    }
