"""MarketFeed of Kraken: history by REST, candles by WebSocket, each held against the other."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

import numpy as np
import structlog

from trading.engine.messages import BarClosed, FeedChange, PriceTick
from trading.exchanges.kraken import names
from trading.exchanges.kraken.candles import Candles, Values, interval_of, rest_candles, ws_candles
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.sockets import Connected, Frame, Lost, listen
from trading.exchanges.venue_clock import VenueClock, read_stamp

log = structlog.get_logger(__name__)

CHANNEL, AUDIT = "candles", "candles_agree"
MOST_TOLD = 5000
LOOK_SECONDS = 0.1
AUDIT_SECONDS = 60.0
RETRY_SECONDS = 5.0


class KrakenFeed:
    """Closed candles of several pairs of one timeframe, as Kraken itself makes them."""

    def __init__(
        self,
        *,
        rest: KrakenRest,
        ws_url: str,
        symbols: Sequence[str],
        timeframe_ns: int,
        clock: VenueClock | None = None,
        with_ticks: bool = False,
    ) -> None:
        self._rest, self._ws_url = rest, ws_url
        self._symbols = tuple(symbols)
        self._timeframe_ns = timeframe_ns
        self._interval = interval_of(timeframe_ns)
        self._candles = Candles(timeframe_ns, len(symbols))
        self._queue: asyncio.Queue[FeedChange | PriceTick] = asyncio.Queue()
        self._pairs: dict[str, names.Pair] = {}
        self._asked: dict[int, int] = {}  # market -> last told open when REST was asked
        self._told: dict[tuple[int, int], Values] = {}
        self._is_doubted = False
        self._is_whole = False  # nothing is missing before what is told next
        self._with_ticks = with_ticks
        self.clock = clock or VenueClock()

    async def news(
        self, *, after_ns: Mapping[int, int]
    ) -> AsyncIterator[BarClosed | FeedChange | PriceTick]:
        """Bars after ``after_ns``; without one the newest that REST still has, for warming up.

        Raises:
            UnknownPair: Kraken does not list a pair.
        """
        self._candles.told_ns = {market: open_ns for market, open_ns in after_ns.items() if open_ns}
        task = asyncio.create_task(self._listen())
        audit = asyncio.create_task(self._audit())
        try:
            while True:
                while not self._queue.empty():
                    yield self._queue.get_nowait()
                if self._is_whole and await self._ask_about_holes():
                    for bar in self._candles.close(self.clock.now_ns()):
                        self._remember(bar)
                        yield bar
                for ended in (task, audit):
                    if ended.done():
                        ended.result()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for one in (task, audit):
                one.cancel()
            await asyncio.gather(task, audit, return_exceptions=True)

    def _remember(self, bar: BarClosed) -> None:
        """Keep the newest told bars until the next audit has compared them."""
        if len(self._told) > MOST_TOLD:
            self._told.clear()
        values = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        self._told[bar.market, bar.open_ns] = values

    async def _ask_about_holes(self) -> bool:
        """Ask REST about intervals the stream did not tell of; no bar is told after one unasked."""
        for market, told_ns in self._candles.holes():
            if self._asked.get(market) == told_ns:
                continue
            try:
                now_ns = await self._time_ns()
                bars = await self._committed(market, since_ns=told_ns, now_ns=now_ns)
            except FAILS as error:
                log.warning("hole_not_asked_about", market=market, why=str(error))
                return False
            self._put(market, bars)
            self._asked[market] = told_ns
        return True

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last committed candles that opened before a moment; at most the 720 Kraken keeps."""
        await self._list_pairs()
        bars = await self._committed(market, since_ns=0, now_ns=await self._time_ns())
        return bars[bars["open_ns"] < before_ns][-count:]

    async def _list_pairs(self) -> None:
        """The table of pairs; waited for, since nothing can be done without it."""
        while not self._pairs:
            try:
                told = await self._rest.public("AssetPairs")
                self._pairs = names.read_pairs(told)
            except FAILS as error:
                self._say(is_up=False, reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
        for symbol in self._symbols:
            names.choose(self._pairs, symbol)

    async def close(self) -> None:
        """Close the connections."""
        await self._rest.close()

    async def _time_ns(self) -> int:
        told = await self._rest.public("Time")
        now_ns = int(told["unixtime"]) * 1_000_000_000
        self.clock.hear(now_ns)
        return now_ns

    async def _committed(self, market: int, *, since_ns: int, now_ns: int) -> np.ndarray:
        pair = names.choose(self._pairs, self._symbols[market])
        since = since_ns // 1_000_000_000 or None
        params = {"pair": pair.altname, "interval": self._interval}
        result = await self._rest.public("OHLC", **params, **({"since": since} if since else {}))
        return rest_candles(result, now_ns=now_ns, timeframe_ns=self._timeframe_ns)

    def _say(self, *, is_up: bool, reason: str, channel: str = CHANNEL) -> None:
        self._queue.put_nowait(FeedChange(channel, is_up, reason))

    async def _requests(self) -> list[dict[str, Any]]:
        params = {"channel": "ohlc", "symbol": list(self._symbols), "interval": self._interval}
        return [{"method": "subscribe", "params": params}]

    async def _listen(self) -> None:
        """Candles as they change; after every connection what was missed is fetched by REST first."""
        await self._list_pairs()
        async with aclosing(listen(self._ws_url, self._requests)) as frames:
            async for frame in frames:
                await self._hear(frame)

    async def _hear(self, frame: Frame | Connected | Lost) -> None:
        if isinstance(frame, Lost):
            log.warning("feed_lost", why=frame.reason)
            self._is_whole = False
            self._say(is_up=False, reason=f"no candles from Kraken: {frame.reason}")
        elif isinstance(frame, Connected):
            await self._catch_up()
        elif frame["channel"] == "ohlc":
            self._take(frame)

    def _take(self, frame: Mapping[str, Any]) -> None:
        with suppress(ValueError):
            self.clock.hear(read_stamp(str(frame.get("timestamp", ""))))
        rows = frame.get("data")
        for symbol, open_ns, values in ws_candles(rows if isinstance(rows, list) else []):
            if symbol not in self._symbols:
                continue
            market = self._symbols.index(symbol)
            self._candles.put(market, open_ns, values)
            if self._with_ticks and frame.get("type") == "update":
                self._queue.put_nowait(PriceTick(market, self.clock.now_ns(), values[3]))

    async def _catch_up(self) -> None:
        """What was committed since the last told bar, of all markets together; then entries may go on."""
        while True:
            try:
                now_ns, told = await self._time_ns(), self._candles.told_ns
                missed = [
                    await self._committed(market, since_ns=told.get(market, 0), now_ns=now_ns)
                    for market in range(len(self._symbols))
                ]
            except FAILS as error:
                self._say(is_up=False, reason=f"no history from Kraken: {error}")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for market, bars in enumerate(missed):
                self._put(market, bars)
            self._is_whole = True
            self._say(is_up=True, reason="candles come again")
            return

    def _put(self, market: int, bars: np.ndarray) -> None:
        for open_ns, *values in bars.tolist():
            self._candles.put(market, open_ns, tuple(values))

    async def _audit(self) -> None:
        """Now and then, although all looks well: does REST have other bars than were told?

        A bar that was told is never taken back; entries wait until a look finds no difference.
        """
        while True:
            await asyncio.sleep(AUDIT_SECONDS)
            with suppress(*FAILS):
                now_ns = await self._time_ns()
                wrong = [await self._differs(m, now_ns) for m in range(len(self._symbols))]
                if any(wrong) or self._is_doubted:
                    self._is_doubted = any(wrong)
                    why = next(filter(None, wrong), "candles agree with Kraken's own again")
                    self._say(channel=AUDIT, is_up=not self._is_doubted, reason=why)

    async def _differs(self, market: int, now_ns: int) -> str:
        """What is wrong with the newest told bars of a market; empty: nothing."""
        mine = {open_ns: row for (m, open_ns), row in self._told.items() if m == market}
        self._told = {key: row for key, row in self._told.items() if key[0] != market}
        since = min(mine, default=self._candles.told_ns.get(market, 0)) - self._timeframe_ns
        bars = await self._committed(market, since_ns=max(since, 0), now_ns=now_ns)
        self._put(market, bars[bars["open_ns"] > self._candles.told_ns.get(market, 0)])
        for open_ns, *values in bars.tolist():
            if open_ns in mine and mine[open_ns] != tuple(values):
                return f"{self._symbols[market]}: a candle was told otherwise than Kraken has it"
        return ""
