"""MarketFeed over a venue's wire: history by REST, candles by WebSocket, each held against the other."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress

import numpy as np
import structlog

from trading.engine.messages import BarClosed, FeedChange, PriceTick
from trading.exchanges.candles import Candles
from trading.exchanges.failures import FAILS
from trading.exchanges.sockets import Connected, Frame, Lost
from trading.exchanges.told_bars import ToldBars
from trading.exchanges.venue_clock import VenueClock

log = structlog.get_logger(__name__)

CHANNEL, AUDIT = "candles", "candles_agree"
LOOK_SECONDS = 0.1
AUDIT_SECONDS = 60.0
RETRY_SECONDS = 5.0


async def set_again(event: asyncio.Event) -> None:
    """Now and then: time alone may have closed a bar, or a task ended."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        event.set()


def raise_failed(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Raises what a task ended with."""
    for task in tasks:
        if task.done():
            task.result()


class WireFeed(ABC):
    """Closed candles of several symbols of one timeframe; a venue adds how it is asked."""

    venue: str  # as sentences name it
    settle_ns = 0  # a candle by REST may still change for so long after its end

    def __init__(
        self,
        *,
        symbols: Sequence[str],
        timeframe_ns: int,
        clock: VenueClock | None = None,
        with_ticks: bool = False,
    ) -> None:
        self._symbols, self._timeframe_ns = tuple(symbols), timeframe_ns
        self._candles, self._told = Candles(timeframe_ns, len(symbols)), ToldBars()
        self._queue, self._heard = asyncio.Queue[FeedChange | PriceTick](), asyncio.Event()
        self._asked: dict[int, int] = {}  # market -> last told open when REST was asked
        self._partial_until_ns = 0  # what opened before was heard in part only; REST has it whole
        self._is_doubted = self._is_whole = False  # whole: nothing is missing before what is next
        self._with_ticks, self.clock = with_ticks, clock or VenueClock()
        self._listed: Sequence[int] = range(len(symbols))  # markets of which candles can come

    @abstractmethod
    async def _open(self) -> None:
        """Read what must be known of the symbols; those that are not listed are left out.

        Raises:
            ApiError, Unreached, NoAnswer: not now. CannotTrade: no symbol is listed.
        """

    @abstractmethod
    async def _time_ns(self) -> int:
        """The venue's time, which its clock hears, too."""

    @abstractmethod
    async def _committed(self, market: int, *, since_ns: int, now_ns: int) -> np.ndarray:
        """Candles that cannot change any more, from ``since_ns`` on; 0: enough for warming up."""

    @abstractmethod
    def _frames(self) -> AsyncGenerator[Frame | Connected | Lost, None]:
        """The connection with the candles' channel."""

    @abstractmethod
    def _take(self, frame: Frame) -> None:
        """Put a frame's candles, and say its price."""

    @abstractmethod
    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last committed candles that opened before a moment, as many as the venue gives."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""

    def _begin(self, now_ns: int) -> None:
        """A connection begins to tell at this moment."""
        self._asked.clear()

    def _heard_until_ns(self) -> int:
        """The venue's time up to which nothing is on its way any more, but for a moment's grace."""
        return self.clock.now_ns()

    async def news(
        self, *, after_ns: Mapping[int, int]
    ) -> AsyncIterator[BarClosed | FeedChange | PriceTick]:
        """Bars after ``after_ns``; without one the newest that REST has, for warming up.

        Raises:
            Exception: the venue lists no symbol.
        """
        self._candles.told_ns = {market: open_ns for market, open_ns in after_ns.items() if open_ns}
        works = (self._listen(), self._audit(), set_again(self._heard))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            while True:
                while not self._queue.empty():
                    yield self._queue.get_nowait()
                if self._is_whole and await self._ask_about_holes():
                    for bar in self._candles.close(self._heard_until_ns()):
                        self._told.add(bar)
                        yield bar
                raise_failed(tasks)
                await self._heard.wait()
                self._heard.clear()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask_about_holes(self) -> bool:
        """Ask REST about intervals the stream did not tell of; no bar is told after one unasked."""
        settled_ns = self.clock.now_ns() - self.settle_ns
        if 0 < self._partial_until_ns <= settled_ns:
            for market in self._listed:
                if not await self._fill(market, since_ns=self._candles.told_ns.get(market, 0)):
                    return False
            self._partial_until_ns = 0
        for market, told, next_ns in self._candles.holes():
            if self._asked.get(market) == told or self._is_quiet(market, told, next_ns):
                continue
            if self.settle_ns and next_ns > settled_ns:
                return False
            if not await self._fill(market, since_ns=told):
                return False
            self._asked[market] = told
        return True

    def _is_quiet(self, market: int, told_ns: int, next_ns: int) -> bool:
        """Whether it is known without asking that nobody traded in between."""
        return False

    async def _fill(self, market: int, *, since_ns: int) -> bool:
        """Put what REST has; False when it does not answer."""
        try:
            now_ns = await self._time_ns()
            bars = await self._committed(market, since_ns=since_ns, now_ns=now_ns)
            self._candles.put_all(market, bars)
        except FAILS as error:
            log.warning("hole_not_asked_about", market=market, why=str(error))
            return False
        return True

    async def _opened(self) -> None:
        """Waited for, since nothing can be done without it."""
        while True:
            try:
                return await self._open()
            except FAILS as error:
                self._say(is_up=False, reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    def _say(self, *, is_up: bool, reason: str, channel: str = CHANNEL) -> None:
        self._queue.put_nowait(FeedChange(channel, is_up, reason))

    async def _listen(self) -> None:
        """Candles as they change; after every connection what was missed is fetched by REST first."""
        await self._opened()
        async with aclosing(self._frames()) as frames:
            async for frame in frames:
                await self._hear(frame)
                self._heard.set()

    async def _hear(self, frame: Frame | Connected | Lost) -> None:
        if isinstance(frame, Lost):
            log.warning("feed_lost", why=frame.reason)
            self._is_whole = False
            self._candles.drop()  # what was heard in part is heard anew, or REST has it whole
            self._say(is_up=False, reason=f"no candles from {self.venue}: {frame.reason}")
        elif isinstance(frame, Connected):
            await self._catch_up()
        else:
            self._take(frame)

    async def _catch_up(self) -> None:
        """What was committed since the last told bar, of all markets together; then entries may go on."""
        has_begun, told, listed = False, self._candles.told_ns, self._listed
        while True:
            try:
                now_ns = await self._time_ns()
                if not has_begun:
                    self._begin(now_ns)
                    has_begun = True
                missed = [
                    await self._committed(m, since_ns=told.get(m, 0), now_ns=now_ns) for m in listed
                ]
            except FAILS as error:
                self._say(is_up=False, reason=f"no history from {self.venue}: {error}")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                break
        for market, bars in zip(listed, missed, strict=True):
            self._candles.put_all(market, bars)
        self._candles.begun_ns = self.clock.now_ns()  # the stream's own news waited as long
        self._is_whole = True
        self._say(is_up=True, reason="candles come again")

    async def _audit(self) -> None:
        """Now and then, although all looks well: does REST have other bars than were told?

        A bar that was told is never taken back; entries wait until a look finds no difference.
        """
        while True:
            await asyncio.sleep(AUDIT_SECONDS)
            with suppress(*FAILS):
                now_ns = await self._time_ns()
                wrong = [await self._differs(m, now_ns) for m in self._listed]
                if any(wrong) or self._is_doubted:
                    self._is_doubted = any(wrong)
                    why = next(filter(None, wrong), f"candles agree with {self.venue}'s own again")
                    self._say(channel=AUDIT, is_up=not self._is_doubted, reason=why)

    async def _differs(self, market: int, now_ns: int) -> str:
        """What is wrong with the newest told bars of a market; empty: nothing."""
        last_ns = self._candles.told_ns.get(market, 0)
        since_ns = self._told.first_ns(market, otherwise=last_ns) - self._timeframe_ns
        bars = await self._committed(market, since_ns=max(since_ns, 0), now_ns=now_ns)
        self._candles.put_all(market, bars[bars["open_ns"] > last_ns])
        wrong = self._told.compare(market, bars)
        return wrong and f"{self._symbols[market]}: {wrong} from {self.venue}'s own"
