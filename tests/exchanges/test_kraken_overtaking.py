"""However Kraken's channels overtake each other and however late we read: bars are the candles as finally made."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.engine.messages import BarClosed
from trading.exchanges import wire_feed as feed_module
from trading.exchanges.candles import GRACE_NS
from trading.exchanges.kraken.feed import KrakenFeed
from trading.exchanges.sockets import Connected, Frame
from trading.exchanges.venue_clock import VenueClock

NS, MINUTE_NS = 1_000_000_000, 60_000_000_000
BEGIN_NS = 29_460_000 * MINUTE_NS
SYMBOLS = ("BTC/USD", "ETH/USD")
MINUTES, END_NS = 6, BEGIN_NS + 60 * MINUTE_NS
SECONDS = st.sampled_from([0.0, 0.001, 1.0, 20.0, 40.0, 57.0, 58.4, 58.6, 59.5, 59.9, 59.999])
MOMENTS = st.builds(
    lambda minute, second: BEGIN_NS + minute * MINUTE_NS + int(second * NS),
    st.integers(0, MINUTES - 1),
    SECONDS,
)
LAGS = st.sampled_from([0, 0, NS // 10, NS, GRACE_NS - 1])
PAUSES_NS = st.sampled_from([0, 0, NS, 5 * NS, 70 * NS, 200 * NS])


def stamp(at_ns: int) -> str:
    second = datetime.fromtimestamp(at_ns // NS, UTC)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{at_ns % NS:09d}Z"


@dataclass(frozen=True)
class Deal:
    at_ns: int
    market: int
    price: int
    size: int

    @property
    def open_ns(self) -> int:
        return self.at_ns - self.at_ns % MINUTE_NS


@dataclass
class Venue:
    """What happened, and what of it REST and the stream tell."""

    deals: list[Deal]
    now_ns: int = BEGIN_NS

    def candle(self, market: int, open_ns: int, until_ns: int) -> tuple[float, ...]:
        mine = [d for d in self.deals if (d.market, d.open_ns) == (market, open_ns)]
        told = [d for d in mine if d.at_ns <= until_ns]
        prices = [float(d.price) for d in told]
        return prices[0], max(prices), min(prices), prices[-1], float(sum(d.size for d in told))

    def opens(self, market: int, until_ns: int) -> list[int]:
        return sorted({d.open_ns for d in self.deals if d.market == market and d.at_ns <= until_ns})

    async def public(self, path: str, /, **params: Any) -> Any:
        if path == "Time":
            return {"unixtime": self.now_ns // NS}
        if path == "AssetPairs":
            return {name: pair(name) for name in SYMBOLS}
        market = SYMBOLS.index(params["pair"])
        rows: list[list[Any]] = []
        for open_ns in self.opens(market, self.now_ns):
            *prices, volume = self.candle(market, open_ns, self.now_ns)
            rows.append([open_ns // NS, *map(str, prices), "0", str(volume), 1])
        since = params.get("since", 0)
        return {"pair": [row for row in rows if row[0] >= since], "last": 0}

    async def close(self) -> None:
        return

    def ohlc(self) -> list[tuple[int, Frame]]:
        frames = []
        for deal in self.deals:
            names = ("open", "high", "low", "close", "volume")
            values = dict(
                zip(names, self.candle(deal.market, deal.open_ns, deal.at_ns), strict=True)
            )
            row = {"symbol": SYMBOLS[deal.market], "interval_begin": stamp(deal.open_ns), **values}
            told = {"channel": "ohlc", "type": "update", "timestamp": stamp(deal.at_ns)}
            frames.append((deal.at_ns, {**told, "data": [row]}))
        return frames

    def trade(self) -> list[tuple[int, Frame]]:
        frames, numbers = [], dict.fromkeys(range(len(SYMBOLS)), 0)
        for deal in self.deals:
            numbers[deal.market] += 1
            row = {"symbol": SYMBOLS[deal.market], "trade_id": numbers[deal.market],
                   "price": str(deal.price), "qty": str(deal.size),
                   "timestamp": stamp(deal.at_ns)}  # fmt: skip
            frames.append((deal.at_ns, {"channel": "trade", "type": "update", "data": [row]}))
        return frames


def pair(name: str) -> dict[str, Any]:
    base, quote = name.split("/")
    decimals = {"pair_decimals": 1, "lot_decimals": 8}
    return {"altname": name, "wsname": name, "base": base, "quote": quote, **decimals}


def ticker(at_ns: int) -> Frame:
    row = {"symbol": SYMBOLS[0], "bid": "1", "ask": "2", "timestamp": stamp(at_ns)}
    return {"channel": "ticker", "type": "update", "data": [row]}


def beat(at_ns: int, *, is_stamped: bool) -> Frame:
    return {"channel": "heartbeat"} | ({"timestamp": stamp(at_ns)} if is_stamped else {})


@dataclass
class Read:
    """The wire as we read it: frames when they arrived, and how long we stood still before each."""

    frames: list[tuple[int, Frame]]
    pauses: list[int] = field(default_factory=list)


@st.composite
def lives(draw: Any) -> tuple[Venue, Read]:
    deals = sorted(
        draw(
            st.lists(
                st.builds(Deal, MOMENTS, st.integers(0, 1), st.integers(1, 9), st.integers(1, 9)),
                max_size=14,
                unique_by=lambda deal: (deal.at_ns, deal.market),
            )
        ),
        key=lambda deal: (deal.at_ns, deal.market),
    )
    venue = Venue(deals)
    tickers = [(at_ns, ticker(at_ns)) for at_ns in sorted(draw(st.lists(MOMENTS, max_size=6)))]
    beats = [
        (at_ns, beat(at_ns, is_stamped=draw(st.booleans())))
        for at_ns in sorted(draw(st.lists(MOMENTS, max_size=6)))
    ]
    arrived = []
    for channel in (venue.ohlc(), venue.trade(), tickers, beats):
        late = accumulate((at_ns + draw(LAGS) for at_ns, _ in channel), max)
        arrived += [(at, frame) for at, (_, frame) in zip(late, channel, strict=True)]
    arrived.sort(key=lambda one: one[0])
    last = [(END_NS, beat(END_NS, is_stamped=True))]
    pauses = [draw(PAUSES_NS) for _ in arrived]
    return venue, Read(arrived + last, [*pauses, 0])


class Hasty(VenueClock):
    """Ours, which has gone on while we stood still."""

    ahead_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.ahead_ns


async def told_of(venue: Venue, read: Read) -> list[BarClosed]:
    clock, is_over = Hasty(), asyncio.Event()

    async def listen(url: str, converse: Any) -> AsyncIterator[Any]:
        yield Connected()
        for (at_ns, frame), pause_ns in zip(read.frames, read.pauses, strict=True):
            if pause_ns:  # everything else goes on with what was read so far
                clock.ahead_ns, venue.now_ns = pause_ns, max(venue.now_ns, at_ns + pause_ns)
                for _ in range(12):
                    await asyncio.sleep(0)
                await asyncio.sleep(0.002)
            venue.now_ns, clock.ahead_ns = max(venue.now_ns, at_ns), 0
            yield frame
        await asyncio.sleep(0.01)
        is_over.set()
        await asyncio.Event().wait()

    feed = KrakenFeed(
        rest=venue, ws_url="", symbols=SYMBOLS, timeframe_ns=MINUTE_NS, clock=clock, listen=listen
    )
    bars = list[BarClosed]()

    async def hear() -> None:
        async for one in feed.news(after_ns={}):
            if isinstance(one, BarClosed):
                bars.append(one)

    hearing = asyncio.create_task(hear())
    await asyncio.wait(
        {asyncio.ensure_future(is_over.wait()), hearing}, timeout=10, return_when="FIRST_COMPLETED"
    )
    if hearing.done():
        hearing.result()
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    return bars


@pytest.fixture(autouse=True, scope="module")
def quick() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed_module, "LOOK_SECONDS", 0.0005)
        yield


@settings(max_examples=120, deadline=None)
@given(life=lives())
def test_bars_are_the_candles_as_finally_made(life: tuple[Venue, Read]) -> None:
    venue, read = life

    bars = asyncio.run(told_of(venue, read))

    told = [(b.open_ns, b.market, (b.open, b.high, b.low, b.close, b.volume)) for b in bars]
    made = sorted(
        (open_ns, market, venue.candle(market, open_ns, END_NS))
        for market in range(len(SYMBOLS))
        for open_ns in venue.opens(market, END_NS)
    )
    assert told == made
