"""MarketFeed of Kraken: candles as Kraken itself makes them."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from trading.engine.messages import PriceTick
from trading.exchanges.failures import reading
from trading.exchanges.kraken import instruments, names
from trading.exchanges.kraken.candles import interval_of, rest_candles, ws_candles
from trading.exchanges.kraken.instruments import Instruments
from trading.exchanges.kraken.sockets import Subscriptions
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.sockets import Frame, Heard, Listen, listen
from trading.exchanges.venue_clock import VenueClock, read_stamp
from trading.exchanges.wire_feed import WireFeed

NS = 1_000_000_000


class KrakenFeed(WireFeed):
    """Closed candles of several pairs of one timeframe."""

    venue = "Kraken"

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
    ) -> None:
        super().__init__(
            symbols=symbols, timeframe_ns=timeframe_ns, clock=clock, with_ticks=with_ticks
        )
        self._rest, self._ws_url, self._listen_to = rest, ws_url, listen
        self._instruments = instruments  # None: nobody asks for the pairs' terms
        self._interval = interval_of(timeframe_ns)
        self._pairs: dict[str, names.Pair] = {}
        self._stream_ns = 0  # the venue's time when the newest frame was sent

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last committed candles that opened before a moment; at most the 720 Kraken keeps."""
        await self._opened()
        bars = await self._committed(market, since_ns=0, now_ns=await self._time_ns())
        return bars[bars["open_ns"] < before_ns][-count:]

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def _open(self) -> None:
        if not self._pairs:
            with reading("Kraken's table of pairs"):
                self._pairs = names.read_pairs(await self._rest.public("AssetPairs"))
        for symbol in self._symbols:
            names.choose(self._pairs, symbol)

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
        params = {"channel": "ohlc", "symbol": list(self._symbols), "interval": self._interval}
        extra = [instruments.request()] if self._instruments else []
        return [{"method": "subscribe", "params": params}, *extra]

    def _frames(self) -> Heard:
        return self._listen_to(self._ws_url, lambda: Subscriptions(self._requests))

    def _begin(self, now_ns: int) -> None:
        super()._begin(now_ns)
        self._stream_ns = 0

    def _heard_until_ns(self) -> int:
        """The stream's own time: a candle that it did not tell to its end is not final, whatever REST
        says the time is. Frames come in order, and a heartbeat each second when there is nothing else.
        """
        return min(self._stream_ns, self.clock.now_ns())

    def _take(self, frame: Frame) -> None:
        if frame["channel"] == "heartbeat":
            self._stream_ns = max(self._stream_ns, self.clock.now_ns())
        if frame["channel"] == instruments.CHANNEL and self._instruments:
            self._instruments.tell(instruments.rows_of(frame))
        if frame["channel"] != "ohlc":
            return
        with suppress(ValueError):
            stamp_ns = read_stamp(str(frame.get("timestamp", "")))
            self._stream_ns = max(self._stream_ns, stamp_ns)
            self.clock.hear(stamp_ns)
        rows = frame.get("data")
        for symbol, open_ns, values in ws_candles(rows if isinstance(rows, list) else []):
            if symbol not in self._symbols:
                continue
            market = self._symbols.index(symbol)
            self._candles.put(market, open_ns, values)
            if self._with_ticks and frame.get("type") == "update":
                self._queue.put_nowait(PriceTick(market, self.clock.now_ns(), values[3]))
