"""MarketFeed of Kraken: candles as Kraken itself makes them."""

from collections.abc import Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import numpy as np
import structlog

from trading.core.records import BAR
from trading.engine.messages import PriceTick
from trading.engine.quotes import Quotes
from trading.exchanges.candles import GRACE_NS
from trading.exchanges.failures import FAILS, reading
from trading.exchanges.kraken import instruments, names, tickers, trades
from trading.exchanges.kraken.candles import interval_of, rest_candles, ws_candles
from trading.exchanges.kraken.instruments import Instruments
from trading.exchanges.kraken.sockets import Subscriptions, refused_symbol
from trading.exchanges.kraken.stream_time import Timed, rows_of, sent_ns
from trading.exchanges.kraken.trades import Trail
from trading.exchanges.listings import keep_tradable
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.sockets import Frame, Heard, Listen, Lost, listen
from trading.exchanges.told_bars import agree
from trading.exchanges.venue_clock import VenueClock
from trading.exchanges.wire_feed import WireFeed

log = structlog.get_logger(__name__)

NS = 1_000_000_000


class KrakenFeed(WireFeed):
    """Closed candles of several pairs of one timeframe."""

    venue = "Kraken"
    settle_ns = GRACE_NS  # for so long the trades may tell that an interval was empty

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
        instruments: Instruments | None = None,
        quotes: Quotes | None = None,
    ) -> None:
        super().__init__(
            symbols=symbols, timeframe_ns=timeframe_ns, clock=clock, with_ticks=with_ticks
        )
        self._rest, self._ws_url, self._listen_to = rest, ws_url, listen
        self._instruments = instruments  # None: nobody asks for the pairs' terms
        self._quotes = quotes  # None: nobody asks for prices between bars
        self._interval = interval_of(timeframe_ns)
        self._pairs: dict[str, names.Pair] = {}
        self._trails = [Trail(timeframe_ns) for _ in symbols]
        self._markets = {symbol: self._symbols.index(symbol) for symbol in symbols}
        self._stream_ns = 0  # the venue's time when the newest frame was sent, as it says itself

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last committed candles that opened before a moment; at most the 720 Kraken keeps."""
        await self._opened()
        if market not in self._listed:
            return np.zeros(0, BAR)
        bars = await self._committed(market, since_ns=0, now_ns=await self._time_ns())
        return bars[bars["open_ns"] < before_ns][-count:]

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def _open(self) -> None:
        if not self._pairs or len(self._listed) < len(self._symbols):
            with reading("Kraken's table of pairs"):
                self._pairs |= names.read_pairs(await self._rest.public("AssetPairs"))
        keep_tradable(self._symbols, partial(names.choose, self._pairs))
        self._listed = [at for at, one in enumerate(self._symbols) if one in self._pairs]

    async def _time_ns(self) -> int:
        with reading("Kraken's time"):
            now_ns = int((await self._rest.public("Time"))["unixtime"]) * NS
        self.clock.hear(now_ns)
        return now_ns

    async def _committed(self, market: int, *, since_ns: int, now_ns: int) -> np.ndarray:
        pair = names.choose(self._pairs, self._symbols[market])
        since = since_ns // NS or None
        params = {"pair": pair.altname, "interval": self._interval}
        result = await self._rest.public("OHLC", **params, **({"since": since} if since else {}))
        with reading("Kraken's candles"):
            return rest_candles(result, now_ns=now_ns, timeframe_ns=self._timeframe_ns)

    async def _requests(self) -> list[dict[str, Any]]:
        with suppress(*FAILS):  # what was not listed may be by now
            await self._open()
        symbols = [self._symbols[market] for market in self._listed]
        params = {"channel": "ohlc", "symbol": symbols, "interval": self._interval}
        terms = [instruments.request()] if self._instruments else []
        prices = [tickers.request(symbols)] if self._quotes else []
        traded = trades.request(symbols)
        return [{"method": "subscribe", "params": params}, *terms, traded, *prices]

    def _leave(self, refusal: Frame) -> bool:
        """Whether one pair alone was refused, which is done without until a connection is made anew."""
        symbol = refused_symbol(refusal, self._symbols)
        left = [market for market in self._listed if self._symbols[market] != symbol]
        if not left or not symbol:
            return False
        self._listed = left
        return True

    async def _frames(self) -> Heard:
        """All but prices and trades, which close no bar: they wake nobody."""
        talk = partial(Subscriptions, self._requests, leave=self._leave)
        heard = self._listen_to(self._ws_url, lambda: Timed(talk()))
        async with aclosing(heard) as frames:
            async for frame in frames:
                if self._quotes:
                    (self._quotes.lose if isinstance(frame, Lost) else self._quotes.hear)()
                if not isinstance(frame, dict) or not self._take_aside(frame):
                    yield frame

    def _take_aside(self, frame: Frame) -> bool:
        """Whether a frame was one of prices or trades; where such come, no heartbeat does."""
        if frame["channel"] not in (tickers.CHANNEL, trades.CHANNEL):
            return False
        if frame["channel"] == trades.CHANNEL:
            for symbol, trade in trades.read_trades(rows_of(frame)):
                if symbol in self._markets:
                    self._trails[self._markets[symbol]].add(trade)
        elif self._quotes:
            for symbol, quote in tickers.read_quotes(rows_of(frame)):
                if symbol in self._markets:
                    self._quotes.tell(self._markets[symbol], quote)
        self._hear_time(frame)
        return True

    def _begin(self, now_ns: int) -> None:
        super()._begin(now_ns)
        self._stream_ns = 0
        for trail in self._trails:
            trail.is_believed = True

    def _heard_until_ns(self) -> int:
        """The stream's own time, never a clock's: a candle that it did not tell to its end is not
        final, however late we read. Channels overtake each other by less than the grace.
        """
        return self._stream_ns

    def _is_quiet(self, market: int, told_ns: int, next_ns: int) -> bool:
        return self._trails[market].is_quiet(told_ns, next_ns)

    async def _ask_about_holes(self) -> bool:
        """Also about candles that differ from their own trades."""
        return await super()._ask_about_holes() and await self._ask_about_doubted()

    async def _ask_about_doubted(self) -> bool:
        """Ask REST before such a candle is told; trades that REST contradicts are not believed."""
        for market, open_ns, values in self._candles.final(self._heard_until_ns()):
            trail = self._trails[market]
            made = trail.whole(open_ns)
            if made is None or agree(values, made):
                continue
            log.warning("candle_differs_from_trades", symbol=self._symbols[market], at=open_ns)
            if not await self._fill(market, since_ns=self._candles.told_ns.get(market, 0)):
                return False
            trail.forget(open_ns)
            trail.is_believed = self._candles.find(market, open_ns) != values
        return True

    def _hear_time(self, frame: Frame) -> None:
        """What the stream tells from now on is no older."""
        stamp_ns = sent_ns(frame)
        self._stream_ns = max(self._stream_ns, stamp_ns)
        self.clock.hear(stamp_ns)

    def _take(self, frame: Frame) -> None:
        self._hear_time(frame)
        if frame["channel"] == instruments.CHANNEL and self._instruments:
            self._instruments.tell(instruments.rows_of(frame))
        if frame["channel"] != "ohlc":
            return
        for symbol, open_ns, values in ws_candles(rows_of(frame)):
            if symbol not in self._markets:
                continue
            market = self._markets[symbol]
            self._candles.put(market, open_ns, values)
            if frame.get("type") == "update":
                self._tell_price(market, values[3])

    def _tell_price(self, market: int, price: float) -> None:
        if self._with_ticks:
            self._queue.put_nowait(PriceTick(market, self.clock.now_ns(), price))
        if self._quotes:
            self._quotes.trade(market, price)
