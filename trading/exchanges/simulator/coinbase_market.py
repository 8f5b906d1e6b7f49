"""Market data of the simulated Coinbase over REST."""

from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import coinbase_words as words
from trading.exchanges.simulator.coinbase_asked import Asked, HttpRefusal, bad_argument
from trading.exchanges.simulator.coinbase_candles import GRANULARITIES, rows
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.market import MINUTE_NS, Level, PairMarket, Trade

NS = 1_000_000_000
MOST_CANDLES, MOST_TRADES, MOST_LEVELS = 350, 1000, 1000
FOREVER_S = 10**11


class MarketMethods:
    """What anybody may ask of the market."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def time(self, _: Asked) -> dict[str, Any]:
        """``/time``."""
        now = self._exchange.clock.now_ns()
        return {
            "iso": words.stamp(now),
            "epochSeconds": str(now // NS),
            "epochMillis": str(now // 1_000_000),
        }

    def products(self, asked: Asked) -> dict[str, Any]:
        """``/products``: every market, and its aliases after it."""
        wanted, kind = asked.many("product_ids"), asked.one("product_type", "SPOT")
        names = [
            (market, name)
            for market in self._exchange.markets.values()
            for name in (words.product_of(market.symbol), *words.aliases_of(market.symbol))
        ]
        told = [
            words.product(market, name, mode=self._exchange.mode)
            for market, name in names
            if kind == "SPOT" and (not wanted or name in wanted)
        ]
        first = asked.integer("offset", 0, most=10_000)
        limit = asked.integer("limit", len(told), most=10_000) or len(told)
        return {"products": told[first : first + limit], "num_products": len(told)}

    def product(self, asked: Asked) -> dict[str, Any]:
        """``/products/{product_id}``."""
        name = asked.named["product_id"]
        return words.product(self._market(name), name, mode=self._exchange.mode)

    def _market(self, product_id: str) -> PairMarket:
        market = words.find_market(self._exchange.markets, product_id)
        if market is None:
            told = "valid product_id is required"
            raise HttpRefusal(404, {"error": "NOT_FOUND", "error_details": told, "message": told})
        return market

    def candles(self, asked: Asked) -> dict[str, Any]:
        """``/products/{product_id}/candles``: newest first."""
        market = self._market(asked.named["product_id"])
        minutes = GRANULARITIES.get(asked.one("granularity"))
        if minutes is None:
            accepted = ", ".join(GRANULARITIES)
            raise bad_argument(f"granularity {asked.one('granularity')!r}: accepted is {accepted}")
        start = asked.integer("start", FOREVER_S + 1, most=FOREVER_S)
        end = asked.integer("end", FOREVER_S + 1, most=FOREVER_S)
        if max(start, end) > FOREVER_S or end < start:
            raise bad_argument("start and end: accepted are seconds, start not after end")
        step = minutes * 60
        if (end - start) / step > MOST_CANDLES:
            raise bad_argument(
                f"start and end argument is invalid - number of candles requested should be less "
                f"than {MOST_CANDLES}"
            )
        now = self._exchange.clock.now_ns()
        told = rows(market, minutes, first_s=-(-start // step) * step, last_s=end, now_ns=now)
        return {"candles": told[:MOST_CANDLES][::-1]}

    def ticker(self, asked: Asked) -> dict[str, Any]:
        """``/products/{product_id}/ticker``: the last trades, newest first."""
        market = self._market(asked.named["product_id"])
        now = self._exchange.clock.now_ns()
        end = min(asked.integer("end", now // NS + 1, most=FOREVER_S) * NS, now)
        start = asked.integer("start", 0, most=FOREVER_S) * NS
        limit = asked.integer("limit", 100, most=MOST_TRADES) or 100
        bid, ask = (side[0][0] for side in market.book(1))
        found = last_trades(market, start_ns=start, end_ns=end, most=limit)
        return {
            "trades": [{**trade_row(market, one), "exchange": ""} for one in found],
            "best_bid": words.text(bid),
            "best_ask": words.text(ask),
        }

    def book(self, asked: Asked) -> dict[str, Any]:
        """``/product_book``."""
        market = self._market(asked.one("product_id"))
        limit = asked.integer("limit", MOST_LEVELS, most=MOST_LEVELS) or MOST_LEVELS
        bid, ask = (side[0][0] for side in market.book(1))
        middle = (bid + ask) / 2
        return {
            "pricebook": self._book(market, limit),
            "last": words.text(market.last_price()),
            "mid_market": words.text(middle),
            "spread_bps": words.text(((ask - bid) / middle * 10_000).quantize(Decimal("0.0001"))),
            "spread_absolute": words.text(ask - bid),
        }

    def bests(self, asked: Asked) -> dict[str, Any]:
        """``/best_bid_ask``."""
        wanted = asked.many("product_ids")
        markets = [self._market(one) for one in wanted] or self._exchange.markets.values()
        return {"pricebooks": [self._book(market, 1) for market in markets]}

    def _book(self, market: PairMarket, limit: int) -> dict[str, Any]:
        bids, asks = market.book()

        def told(levels: list[Level]) -> list[dict[str, str]]:
            return [{"price": words.text(p), "size": words.text(q)} for p, q in levels[:limit]]

        return {
            "product_id": words.product_of(market.symbol),
            "bids": told(bids),
            "asks": told(asks),
            "time": words.stamp(self._exchange.clock.now_ns()),
        }


def last_trades(market: PairMarket, *, start_ns: int, end_ns: int, most: int) -> list[Trade]:
    """Trades of a span, newest first; at most as many as asked, from at most as many minutes."""
    found: list[Trade] = []
    minute = end_ns // MINUTE_NS
    for back in range(most + 1):
        if len(found) >= most or (minute - back + 1) * MINUTE_NS <= start_ns:
            break
        made = market.minute(minute - back)
        found += [one for one in reversed(made) if start_ns <= one.time_ns <= end_ns]
    return found[:most]


def trade_row(market: PairMarket, one: Trade) -> dict[str, Any]:
    """A trade; its side is the maker's."""
    return {
        "trade_id": str(one.number),
        "product_id": words.product_of(market.symbol),
        "price": words.text(one.price),
        "size": words.text(one.quantity),
        "time": words.stamp(one.time_ns),
        "side": "SELL" if one.is_buy else "BUY",
    }
