"""MarketFeed of Coinbase: candles are made of its trades, since its channel has five-minute ones only."""

from collections.abc import Sequence
from contextlib import aclosing, suppress
from functools import partial

import numpy as np

from trading.core.records import BAR
from trading.engine.messages import PriceTick
from trading.engine.quotes import Quotes
from trading.exchanges.coinbase import names
from trading.exchanges.coinbase.candles import granularity_of, rest_candles, trades_of
from trading.exchanges.coinbase.rest import read_time_ns, segment
from trading.exchanges.coinbase.sockets import Subscriptions, events_of
from trading.exchanges.listings import keep_tradable
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.sockets import Frame, Heard, Listen, Lost, listen
from trading.exchanges.trade_candles import Trade, TradeCandles
from trading.exchanges.venue_clock import VenueClock, read_stamp
from trading.exchanges.wire_feed import WireFeed

NS = 1_000_000_000
SETTLE_NS = 2 * NS  # a candle by REST may lack its last trades for so long
WINDOW = 300  # intervals asked for at once; the venue gives at most 350
WARM_BARS = 900


class CoinbaseFeed(WireFeed):
    """Closed candles of several products of one timeframe."""

    venue = "Coinbase"
    settle_ns = SETTLE_NS

    def __init__(
        self,
        *,
        rest: PublicRest,
        ws_url: str,
        symbols: Sequence[str],
        timeframe_ns: int,
        clock: VenueClock | None = None,
        with_ticks: bool = False,
        listen: Listen = listen,
        quotes: Quotes | None = None,
    ) -> None:
        super().__init__(
            symbols=symbols, timeframe_ns=timeframe_ns, clock=clock, with_ticks=with_ticks
        )
        self._rest, self._ws_url, self._listen_to = rest, ws_url, listen
        self._quotes = quotes  # None: nobody asks for prices between bars
        self._granularity = granularity_of(timeframe_ns)
        self._products: dict[int, names.Product] = {}
        self._made: list[TradeCandles] = []
        self._stream_ns = 0  # the stamp of the newest frame

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last committed candles that opened before a moment; quiet intervals are no bars."""
        await self._opened()
        if market not in self._listed:
            return _joined([])
        until_ns = await self._time_ns() - SETTLE_NS
        end_ns, pieces, have = min(before_ns, until_ns), list[np.ndarray](), 0
        for _ in range(2 * -(-count // WINDOW) + 1):  # sparse markets: twice as far, then enough
            bars = await self._window(market, end_ns - WINDOW * self._timeframe_ns, until_ns)
            pieces.insert(0, bars[bars["open_ns"] < end_ns])
            have += len(pieces[0])
            end_ns -= WINDOW * self._timeframe_ns
            if have >= count:
                break
        return _joined(pieces)[-count:]

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def _open(self) -> None:
        if not self._products:
            told = await self._rest.public("/market/products")
            listed = names.read_list(told)
            keep_tradable(self._symbols, partial(names.choose, listed))
            self._listed = [at for at, one in enumerate(self._symbols) if one in listed]
            self._products = {market: listed[self._symbols[market]] for market in self._listed}

    async def _time_ns(self) -> int:
        now_ns = read_time_ns(await self._rest.public("/time"))
        self.clock.hear(now_ns)
        return now_ns

    def _begin(self, now_ns: int) -> None:
        """The interval that runs now is heard in part only, and what REST lacks, too."""
        super()._begin(now_ns)
        self._candles.drop()
        self._stream_ns = 0
        self._made = [TradeCandles(self._timeframe_ns) for _ in self._symbols]
        self._partial_until_ns = now_ns - now_ns % self._timeframe_ns + self._timeframe_ns

    def _heard_until_ns(self) -> int:
        """The stream's own time: trades that are late on it are not overtaken by what REST says."""
        return min(self._stream_ns, self.clock.now_ns())

    async def _committed(self, market: int, *, since_ns: int, now_ns: int) -> np.ndarray:
        until_ns, span_ns = now_ns - SETTLE_NS, WINDOW * self._timeframe_ns
        start_ns = since_ns or until_ns - until_ns % self._timeframe_ns - (
            WARM_BARS * self._timeframe_ns
        )
        pieces = [
            await self._window(market, at_ns, until_ns)
            for at_ns in range(start_ns, until_ns, span_ns)
        ]
        return _joined(pieces)

    async def _window(self, market: int, start_ns: int, until_ns: int) -> np.ndarray:
        """Candles of one window, whether the venue counts its end in or not."""
        start_s = max(0, start_ns) // NS
        end_s = start_s + WINDOW * self._timeframe_ns // NS
        told = await self._rest.public(
            f"/market/products/{segment(self._products[market].product_id)}/candles",
            start=start_s,
            end=end_s,
            granularity=self._granularity,
        )
        rows = told.get("candles")
        return rest_candles(
            rows if isinstance(rows, list) else [],
            until_ns=until_ns,
            timeframe_ns=self._timeframe_ns,
        )

    def _converse(self) -> Subscriptions:
        return Subscriptions("market_trades", [one.product_id for one in self._products.values()])

    async def _frames(self) -> Heard:
        async with aclosing(self._listen_to(self._ws_url, self._converse)) as frames:
            async for frame in frames:
                if self._quotes:
                    (self._quotes.lose if isinstance(frame, Lost) else self._quotes.hear)()
                yield frame

    def _take(self, frame: Frame) -> None:
        with suppress(ValueError):
            stamp_ns = read_stamp(str(frame.get("timestamp", "")))
            self._stream_ns = max(self._stream_ns, stamp_ns)
            self.clock.hear(stamp_ns)
        if frame["channel"] != "market_trades":
            return
        for event in events_of(frame):
            is_update = event.get("type") == "update"
            for product_id, trade in trades_of(event):
                for market, product in self._products.items():
                    if product_id in (product.product_id, product.alias):
                        self._add(market, trade, is_update=is_update)

    def _add(self, market: int, trade: Trade, *, is_update: bool) -> None:
        if self._made and trade.time_ns >= self._partial_until_ns:
            made = self._made[market].add(trade)
            if made is not None:
                self._candles.put(market, *made)
        if self._quotes:
            self._quotes.trade(market, float(trade.price))
        if self._with_ticks and is_update:
            self._queue.put_nowait(PriceTick(market, self.clock.now_ns(), float(trade.price)))


def _joined(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """Bars of windows that touch, each once."""
    bars = np.concatenate([np.zeros(0, BAR), *pieces])
    _, first = np.unique(bars["open_ns"], return_index=True)
    return bars[first]
