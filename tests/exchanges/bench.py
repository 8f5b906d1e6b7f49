"""A seat at a venue for one adapter: what conformance is tried with, over each wire and on paper."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import msgspec
import numpy as np

from tests.engine.fakes import random_bars, spec
from tests.exchanges.street import FUNDS, SimulatedTime, open_simulator
from trading.chaos.wires import KEY, Close, Wire
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.batches import Evidence, Known, OpenIntent
from trading.engine.messages import FillReport, MarketSpec, OrderRequest, PriceTick
from trading.engine.ports import Venue
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.wire_venue import WireVenue

BARS = random_bars(1, 60)
NS = 1_000_000_000
SETTLED_SECONDS = 40  # after that a venue may say that an order never came


class Resting(Protocol):
    """An order that works at the venue; ``stop`` is the trigger where ``price`` is not."""

    @property
    def order_id(self) -> str: ...

    @property
    def price(self) -> Decimal | None: ...

    @property
    def stop(self) -> Decimal | None: ...

    @property
    def left(self) -> Decimal: ...


class Prices:
    """A feed that tells one price and is silent afterwards."""

    def __init__(self, price: float) -> None:
        self.price = price

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[PriceTick]:
        yield PriceTick(0, 1, self.price)
        await asyncio.Event().wait()

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        return BARS[:0]

    async def close(self) -> None:
        return None


@dataclass
class Bench(ABC):
    """The lives of an adapter; ``seq`` counts its orders, ``names`` are those the venue gave them."""

    name: str
    heard: list[Any] = field(default_factory=list, kw_only=True)
    seq: int = field(default=0, kw_only=True)
    names: dict[int, tuple[OrderRequest, str]] = field(default_factory=dict, kw_only=True)
    listening: "asyncio.Task[None] | None" = field(default=None, kw_only=True)

    venue: Venue

    @property
    @abstractmethod
    def now_ns(self) -> int:
        """The venue's time."""

    @property
    @abstractmethod
    def last_ticks(self) -> int:
        """The last price."""

    @property
    @abstractmethod
    def working(self) -> Sequence[Resting]:
        """What rests at the venue."""

    @property
    @abstractmethod
    def is_quiet(self) -> bool:
        """Whether all news has been told."""

    @abstractmethod
    def arm(self, kind: str, where: str, **given: Any) -> None:
        """Something goes wrong."""

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Let the venue's time pass."""

    @abstractmethod
    async def step(self) -> None:
        """Let happen what happens by itself."""

    @abstractmethod
    def fill_resting(self) -> None:
        """The market takes the one limit that rests."""

    @abstractmethod
    async def open_again(self) -> None:
        """Another adapter in the place of the last one."""

    @property
    def fills(self) -> list[FillReport]:
        """Fills that were told."""
        return [one for one in self.heard if isinstance(one, FillReport) and one.quantity_lots]

    @property
    def filled(self) -> int:
        """Lots of them."""
        return sum(one.quantity_lots for one in self.fills)

    def order(self, purpose: Purpose, lots: int, **given: Any) -> OrderRequest:
        """An order of this bench: entries buy, everything else sells."""
        self.seq += 1
        side = Side.BUY if purpose == Purpose.ENTRY else Side.SELL
        order = OrderRequest(
            market=0,
            seq=self.seq,
            client_order_id=f"00000000-0000-4000-8000-{self.seq:012d}",
            at_ns=self.now_ns,
            purpose=purpose,
            side=side,
            quantity_lots=lots,
            price_ticks=0,
            expires_ns=0,
            replaces_seq=0,
            reason=ExitReason.NONE,
            deadline_ns=self.now_ns + 60 * NS,
        )
        return msgspec.structs.replace(order, **given)

    async def submit(self, order: OrderRequest) -> str:
        """Place it, and remember it as a journal would."""
        name = await self.venue.submit(order)
        self.names[order.seq] = (order, name)
        return name

    async def listen(self) -> None:
        """Take the news up from now on."""
        before = len(self.heard)

        async def take() -> None:
            async for one in self.venue.messages(after_ns={}):
                self.heard.append(one)
                if isinstance(one, FillReport):
                    self.venue.booked(one)

        self.listening = asyncio.create_task(take())
        await self.until(lambda: self.is_quiet and len(self.heard) > before)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it, with whatever the listener raises."""
        async with asyncio.timeout(10):
            while not holds():
                if self.listening is not None and self.listening.done():
                    self.listening.result()
                await self.step()

    async def bought(self, lots: int = 400) -> OrderRequest:
        """Hold so much."""
        order = self.order(Purpose.ENTRY, lots)
        await self.submit(order)
        await self.until(lambda: self.filled >= lots)
        return order

    async def protected(self, lots: int = 400, *, below: int = 2000) -> OrderRequest:
        """Hold so much, with a stop so many ticks below the market."""
        await self.bought(lots)
        stop = self.order(Purpose.PROTECT, lots, price_ticks=self.last_ticks - below)
        await self.submit(stop)
        return stop

    async def settled(self, order: OrderRequest) -> Evidence:
        """The venue's word on an order once it can have one."""
        async with asyncio.timeout(10):
            while (evidence := await self.venue.lookup(order)).known is Known.UNDECIDED:
                self.wait(SETTLED_SECONDS)
        for report in evidence.news:
            self.venue.booked(report)
        return evidence

    async def end_life(self) -> None:
        """Hear no more."""
        if self.listening is not None:
            self.listening.cancel()
            await asyncio.gather(self.listening, return_exceptions=True)

    async def begin_life(self) -> None:
        """Another adapter, with what the journal of the last one says."""
        kept = self.venue.snapshot()
        await self.open_again()
        self.venue.restore(kept)
        ended = {one.intent_seq for one in self.heard if isinstance(one, FillReport) and one.final}
        self.venue.adopt(
            intents=[
                OpenIntent(order, "DONE" if seq in ended else "WORKING", name)
                for seq, (order, name) in self.names.items()
            ],
            booked_trades=frozenset(one.venue_trade_id for one in self.fills),
        )
        await self.listen()


@dataclass
class WireBench(Bench):
    """An adapter at the simulated venue."""

    wire: Wire
    simulator: Simulator
    market: MarketSpec
    venue: WireVenue = field(init=False)
    hang_up: Close = field(init=False)

    def __post_init__(self) -> None:
        (traded,) = self.simulator.exchange.markets.values()
        self.venue, _, self.hang_up = self.wire.connect(
            address=self.simulator.address,
            specs=[self.market],
            clock=SimulatedTime(self.simulator),
            feed=Prices(float(traded.last_price())),
        )

    @property
    def now_ns(self) -> int:
        return self.simulator.clock.now_ns()

    @property
    def account(self) -> Account:
        return self.simulator.exchange.accounts[KEY]

    @property
    def working(self) -> list[Order]:
        return [order for order in self.account.orders.values() if order.is_open]

    @property
    def last_ticks(self) -> int:
        (market,) = self.simulator.exchange.markets.values()
        return int(market.last_price() / spec().tick_size)

    @property
    def is_quiet(self) -> bool:
        return self.venue.is_quiet

    def arm(self, kind: str, where: str, **given: Any) -> None:
        self.simulator.exchange.faults.arm(Fault(kind, where, **given))

    def wait(self, seconds: float) -> None:
        clock = self.simulator.clock
        clock.jump(clock.now_ns() + int(seconds * NS))
        self.simulator.advance()

    async def step(self) -> None:
        await asyncio.sleep(0.005)

    def fill_resting(self) -> None:
        (rests,) = self.working
        self.simulator.exchange.fill_rest(self.account, rests)

    async def open_again(self) -> None:
        await self.hang_up()
        self.__post_init__()

    async def leave(self) -> None:
        """The end."""
        await self.end_life()
        await self.hang_up()


@asynccontextmanager
async def seat(wire: Wire, market: MarketSpec | None = None) -> AsyncIterator[WireBench]:
    """An adapter that has not begun, at a venue of its own."""
    simulator = await open_simulator(BARS, wire=wire, funds=FUNDS)
    bench = WireBench(wire.name, wire, simulator, market or spec())
    try:
        yield bench
    finally:
        await bench.leave()
        await simulator.stop()
