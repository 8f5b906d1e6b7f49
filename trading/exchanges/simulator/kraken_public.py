"""Kraken's public REST methods of the simulated venue."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.market import MINUTE_NS, PairMarket
from trading.exchanges.simulator.rules import Rejected

NS = 1_000_000_000
MOST_CANDLES = 720
MOST_SPREADS, SPREAD_MINUTES = 200, 3
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
Asked = Mapping[str, str]


class PublicMethods:
    """What anybody may ask."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.known: dict[str, Callable[[Asked], Any]] = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._pairs,
            "Ticker": self._ticker,
            "OHLC": self._candles,
            "Depth": self._depth,
            "Trades": self._trades,
            "Spread": self._spread,
        }

    def markets(self, asked: Asked) -> list[PairMarket]:
        """The pairs a request names; all where it names none.

        Raises:
            Rejected: one is unknown.
        """
        markets = self._exchange.markets
        if not asked.get("pair"):
            return list(markets.values())
        found = []
        for name in asked["pair"].split(","):
            fitting = [m for m in markets.values() if name in words.pair_names(m.symbol)]
            if not fitting:
                raise Rejected("EQuery:Unknown asset pair")
            found += fitting
        return found

    def _time(self, _: Asked) -> Any:
        seconds = self._exchange.clock.now_ns() // NS
        at = datetime.fromtimestamp(seconds, UTC)
        return {"unixtime": seconds, "rfc1123": f"{at:%a, %d %b %y %H:%M:%S +0000}"}

    def _status(self, _: Asked) -> Any:
        now = words.stamp(self._exchange.clock.now_ns())
        return {"status": self._exchange.mode, "timestamp": now}

    def _assets(self, _: Asked) -> Any:
        names = {a for symbol in self._exchange.markets for a in symbol.split("/")}
        return {
            words.asset_key(name): {
                "aclass": "currency",
                "altname": words.altname(name),
                "decimals": 10,
                "display_decimals": 5,
                "status": "enabled",
            }
            for name in sorted(names)
        }

    def _pairs(self, asked: Asked) -> Any:
        return {
            words.pair_key(m.symbol): words.pair_facts(m, self._exchange.status_of(m.symbol))
            for m in self.markets(asked)
        }

    def _ticker(self, asked: Asked) -> Any:
        told = {}
        for market in self.markets(asked):
            (bid, bid_size), (ask, ask_size) = (side[0] for side in market.book(1))
            last = words.text(market.last_price())
            told[words.pair_key(market.symbol)] = {
                "a": [words.text(ask), "1", words.text(ask_size)],
                "b": [words.text(bid), "1", words.text(bid_size)],
                "c": [last, "0.1"],
                "v": ["100.0", "2400.0"],
                "p": [last, last],
                "t": [60, 86_400],
                "l": [last, last],
                "h": [last, last],
                "o": last,
            }
        return told

    def _candles(self, asked: Asked) -> Any:
        (market,) = self.markets(asked)
        try:
            interval, since = int(asked.get("interval", "1")), int(asked.get("since", "0"))
        except ValueError:
            raise Rejected("EGeneral:Invalid arguments") from None
        if interval not in INTERVALS:
            raise Rejected("EGeneral:Invalid arguments")
        now = self._exchange.clock.now_ns()
        last = now // MINUTE_NS // interval * interval
        first = max(last - interval * (MOST_CANDLES - 1), since // 60 + (1 if since else 0))
        rows = [self._row(market, start, interval, now) for start in range(
            -(-first // interval) * interval, last + 1, interval)]  # fmt: skip
        told = [row for row in rows if row is not None]
        return {words.pair_key(market.symbol): told, "last": (last - interval) * 60}

    def _row(self, market: PairMarket, start: int, interval: int, now: int) -> list[Any] | None:
        made = market.candles(first=start, last=start + interval - 1, now_ns=now)
        if not made:
            return None
        volume = sum((c.volume for c in made), Decimal(0))
        vwap = sum((c.vwap * c.volume for c in made), Decimal(0)) / volume
        values = (made[0].open, max(c.high for c in made), min(c.low for c in made), made[-1].close,
                  vwap.quantize(market.grid.tick_size), volume)  # fmt: skip
        return [start * 60, *map(words.text, values), sum(c.trades for c in made)]

    def _depth(self, asked: Asked) -> Any:
        (market,) = self.markets(asked)
        bids, asks = market.book(min(int(asked.get("count", "100")), 500))
        now = self._exchange.clock.now_ns() // NS
        rows = {"asks": asks, "bids": bids}
        return {
            words.pair_key(market.symbol): {
                side: [[words.text(price), words.text(size), now] for price, size in levels]
                for side, levels in rows.items()
            }
        }

    def _trades(self, asked: Asked) -> Any:
        (market,) = self.markets(asked)
        now, since = self._exchange.clock.now_ns(), int(asked.get("since") or 0)
        most = min(int(asked.get("count") or 1000), 1000)
        first = since // MINUTE_NS if since else now // MINUTE_NS - 16
        rows: list[list[Any]] = []
        last = since
        for minute in self._minutes(market, first, now // MINUTE_NS):
            for trade in market.minute(minute):
                if since < trade.time_ns <= now and len(rows) < most:
                    side = "b" if trade.is_buy else "s"
                    rows.append([words.text(trade.price), words.text(trade.quantity),
                                 words.seconds(trade.time_ns), side, "m", "", trade.number])  # fmt: skip
                    last = trade.time_ns
            if len(rows) >= most:
                break
        return {words.pair_key(market.symbol): rows, "last": str(last)}

    def _spread(self, asked: Asked) -> Any:
        """The best prices beside the newest trades; ``since`` is one of the seconds told before."""
        (market,) = self.markets(asked)
        now = self._exchange.clock.now_ns()
        since = words.whole(asked.get("since"), "since", most=now)
        first, last = now // MINUTE_NS - SPREAD_MINUTES, now // MINUTE_NS
        trades = [one for at in range(first, last + 1) for one in market.minute(at)]
        rows = [
            [trade.time_ns // NS, *map(words.text, market.bests(trade))]
            for trade in trades
            if trade.time_ns <= now and trade.time_ns // NS >= since
        ]
        return {words.pair_key(market.symbol): rows[-MOST_SPREADS:],
                "last": rows[-1][0] if rows else since}  # fmt: skip

    def _minutes(self, market: PairMarket, first: int, last: int) -> Iterator[int]:
        """The minutes in which a market traded."""
        found = market.source.iter_bars(start_ns=first * MINUTE_NS, end_ns=(last + 1) * MINUTE_NS)
        for bars in found:
            yield from (bars["open_ns"] // MINUTE_NS).tolist()
