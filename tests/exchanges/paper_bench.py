"""The same seat on paper: a feed that makes a bar whenever one is waited for."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from tests.engine.fakes import spec
from tests.exchanges.bench import BARS, NS, Bench
from trading.core.config.pipeline import PipelineParams
from trading.engine.messages import BarClosed
from trading.exchanges.paper import PaperVenue, venue_order_id

FIRST_NS, MINUTE_NS = 1_000_000 * 60 * NS, 60 * NS
PRICE, VOLUME = 20_000.0, 1e6
LIMIT, STOP, MARKET = "limit", "stop", "market"


class Bars:
    """A feed of what a test puts there."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[BarClosed] = asyncio.Queue()

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[BarClosed]:
        while True:
            yield await self.waiting.get()

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        return BARS[:0]

    async def close(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class InTheBook:
    """An order that works in the simulated book."""

    order_id: str
    left: Decimal
    price: Decimal | None = None
    stop: Decimal | None = None


@dataclass
class PaperBench(Bench):
    """The paper venue, at a price that does not move."""

    feed: Bars = field(default_factory=Bars)
    opens_ns: int = FIRST_NS
    spoilt: Counter[str] = field(default_factory=Counter)
    venue: PaperVenue = field(init=False)

    def __post_init__(self) -> None:
        self.venue = PaperVenue(feed=self.feed, specs=[spec()], params=[PipelineParams()])

    @property
    def now_ns(self) -> int:
        return self.opens_ns

    @property
    def last_ticks(self) -> int:
        return int(Decimal(PRICE) / spec().tick_size)

    @property
    def working(self) -> list[InTheBook]:
        (book,) = json.loads(self.venue.snapshot())
        found = []
        for kind in (MARKET, STOP, LIMIT):
            if seq := book[f"{kind}_seq"]:
                left = book[f"{kind}_lots"] * spec().lot_size
                ticks = book.get(f"{kind}_ticks", 0) * spec().tick_size
                prices = {"stop": ticks} if kind == STOP else {"price": ticks or None}
                found.append(InTheBook(venue_order_id(0, seq), left, **prices))
        return found

    @property
    def is_quiet(self) -> bool:
        return self.feed.waiting.empty()

    def arm(self, kind: str, where: str, **given: Any) -> None:
        self.spoilt[kind] = given.get("times", 1)

    def wait(self, seconds: float) -> None:
        self.opens_ns += int(seconds * NS)

    def tell_bar(self, *, low: float = PRICE) -> None:
        """The next minute; spoilt ones come twice, or never."""
        self.opens_ns += MINUTE_NS
        bar = BarClosed(0, self.opens_ns, PRICE, PRICE, low, PRICE, VOLUME)
        copies = 2 if self.spoilt["duplicate"] > 0 else 0 if self.spoilt["drop"] > 0 else 1
        self.spoilt -= Counter(["duplicate", "drop"])
        for _ in range(copies):
            self.feed.waiting.put_nowait(bar)

    async def step(self) -> None:
        if self.feed.waiting.empty():
            self.tell_bar()
        await asyncio.sleep(0)

    def fill_resting(self) -> None:
        (rests,) = self.working
        assert rests.price is not None
        self.tell_bar(low=float(rests.price - spec().tick_size))

    async def open_again(self) -> None:
        self.__post_init__()


@asynccontextmanager
async def paper_seat() -> AsyncIterator[PaperBench]:
    """A paper venue that has not begun."""
    bench = PaperBench("paper")
    try:
        yield bench
    finally:
        await bench.end_life()
