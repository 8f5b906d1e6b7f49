"""MarketFeed of a venue that ccxt knows: closed candles by polling, with the promises of a stream."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from trading.core.records import BAR
from trading.exchanges.ccxt.candles import SETTLE_NS, closed_candles
from trading.exchanges.ccxt.client import CcxtClient
from trading.exchanges.failures import FAILS
from trading.exchanges.sockets import Connected, Frame, Lost
from trading.exchanges.venue_clock import VenueClock
from trading.exchanges.wire_feed import WireFeed
from trading.marketdata.download import Span
from trading.marketdata.timeframes import NS, format_timeframe

WARM_BARS = 900
LATE_BARS = 5  # before anything was told: how far back a look goes
QUICKEST_SECONDS, SLOWEST_SECONDS = 5.0, 30.0


class CcxtFeed(WireFeed):
    """Closed candles of several pairs of one timeframe; all pairs of a look are told together."""

    settle_ns = SETTLE_NS

    def __init__(
        self,
        *,
        client: CcxtClient,
        symbols: Sequence[str],
        timeframe_ns: int,
        clock: VenueClock | None = None,
        poll_seconds: float = 0.0,
    ) -> None:
        """
        Raises:
            ValueError: the venue has no candles of the timeframe.
        """
        client.check_timeframe(format_timeframe(timeframe_ns // NS))
        super().__init__(symbols=symbols, timeframe_ns=timeframe_ns, clock=clock)
        self.venue, self._client = client.name, client
        twelfth = timeframe_ns / NS / 12
        self._poll_seconds = poll_seconds or min(max(twelfth, QUICKEST_SECONDS), SLOWEST_SECONDS)
        self._is_listed = False

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last committed candles that opened before a moment, as many as the venue gives."""
        await self._opened()
        now_ns = await self._time_ns()
        since_ns = min(before_ns, now_ns) - (count + WARM_BARS) * self._timeframe_ns
        bars = await self._committed(market, since_ns=max(since_ns, 1), now_ns=now_ns)
        return bars[bars["open_ns"] < before_ns][-count:]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _open(self) -> None:
        if not self._is_listed:
            for symbol in self._symbols:
                await self._client.market(symbol)
            self._is_listed = True

    async def _time_ns(self) -> int:
        now_ns = await self._client.time_ns()
        self.clock.hear(now_ns)
        return now_ns

    async def _committed(self, market: int, *, since_ns: int, now_ns: int) -> np.ndarray:
        start_ns = since_ns or now_ns - WARM_BARS * self._timeframe_ns
        pages = closed_candles(
            self._client,
            self._symbols[market],
            timeframe_ns=self._timeframe_ns,
            span=Span(start_ns // self._timeframe_ns * self._timeframe_ns, now_ns),
            until_ns=now_ns - SETTLE_NS,
        )
        return np.concatenate([np.empty(0, BAR), *[page.bars async for page in pages]])

    async def _frames(self) -> AsyncGenerator[Frame | Connected | Lost, None]:
        """A look now and then; one that fails is a lost connection, until one succeeds."""
        is_up = False
        while True:
            try:
                looked = await self._look()
            except FAILS as error:
                is_up = False
                yield Lost(str(error))
            else:
                if not is_up:
                    is_up = True
                    yield Connected()
                yield {"bars": looked}
            await asyncio.sleep(self._poll_seconds)

    async def _look(self) -> list[np.ndarray]:
        """What was committed since the last told bar, of each market."""
        now_ns, told = await self._time_ns(), self._candles.told_ns
        earliest_ns = now_ns - LATE_BARS * self._timeframe_ns
        return [
            await self._committed(market, since_ns=told.get(market) or earliest_ns, now_ns=now_ns)
            for market in range(len(self._symbols))
        ]

    def _take(self, frame: Frame) -> None:
        for market, bars in enumerate(frame["bars"]):
            self._candles.put_all(market, bars)
