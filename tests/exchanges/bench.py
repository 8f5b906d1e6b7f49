"""One adapter alone at its side of the simulator: orders by hand, news as they come."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from tests.engine.fakes import random_bars, spec
from tests.exchanges.street import FUNDS, SimulatedTime, open_simulator
from trading.chaos.wires import KEY, Close, Wire
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.batches import Evidence, Known
from trading.engine.messages import FillReport, MarketSpec, OrderRequest, PriceTick
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.wire_venue import WireVenue

BARS = random_bars(1, 60)
NS = 1_000_000_000
SETTLED_SECONDS = 40  # after that a venue may say that an order never came


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
class Bench:
    """One life of an adapter; ``seq`` counts its orders."""

    wire: Wire
    simulator: Simulator
    venue: WireVenue
    hang_up: Close
    heard: list[Any] = field(default_factory=list)
    seq: int = 0
    listening: "asyncio.Task[None] | None" = None

    @property
    def account(self) -> Account:
        return self.simulator.exchange.accounts[KEY]

    @property
    def working(self) -> list[Order]:
        """What rests at the venue."""
        return [order for order in self.account.orders.values() if order.is_open]

    @property
    def fills(self) -> list[FillReport]:
        """Fills that were told."""
        return [one for one in self.heard if isinstance(one, FillReport) and one.quantity_lots]

    @property
    def last_ticks(self) -> int:
        """The last price."""
        (market,) = self.simulator.exchange.markets.values()
        return int(market.last_price() / spec().tick_size)

    def order(self, purpose: Purpose, lots: int, **given: Any) -> OrderRequest:
        """An order of this life: entries buy, everything else sells."""
        self.seq += 1
        side = Side.BUY if purpose == Purpose.ENTRY else Side.SELL
        now = self.simulator.clock.now_ns()
        order = OrderRequest(
            market=0,
            seq=self.seq,
            client_order_id=f"00000000-0000-4000-8000-{self.seq:012d}",
            at_ns=now,
            purpose=purpose,
            side=side,
            quantity_lots=lots,
            price_ticks=0,
            expires_ns=0,
            replaces_seq=0,
            reason=ExitReason.NONE,
            deadline_ns=now + 60 * NS,
        )
        return msgspec.structs.replace(order, **given)

    async def listen(self) -> None:
        """Take the news up from now on, and know a price."""

        async def take() -> None:
            async for one in self.venue.messages(after_ns={}):
                self.heard.append(one)

        self.listening = asyncio.create_task(take())
        await self.until(lambda: self.venue.is_quiet and bool(self.heard))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for it, with whatever the listener raises."""
        async with asyncio.timeout(10):
            while not holds():
                if self.listening is not None and self.listening.done():
                    self.listening.result()
                await asyncio.sleep(0.005)

    async def bought(self, lots: int = 400) -> OrderRequest:
        """Hold so much."""
        order = self.order(Purpose.ENTRY, lots)
        await self.venue.submit(order)
        await self.until(lambda: sum(one.quantity_lots for one in self.fills) >= lots)
        return order

    async def protected(self, lots: int = 400, *, below: int = 2000) -> OrderRequest:
        """Hold so much, with a stop so many ticks below the market."""
        await self.bought(lots)
        stop = self.order(Purpose.PROTECT, lots, price_ticks=self.last_ticks - below)
        await self.venue.submit(stop)
        return stop

    def arm(self, kind: str, where: str, **given: Any) -> None:
        """Something goes wrong once."""
        self.simulator.exchange.faults.arm(Fault(kind, where, **given))

    def wait(self, seconds: float) -> None:
        """Let the venue's time pass."""
        clock = self.simulator.clock
        clock.jump(clock.now_ns() + int(seconds * NS))
        self.simulator.advance()

    async def settled(self, order: OrderRequest) -> Evidence:
        """The venue's word on an order once it can have one."""
        async with asyncio.timeout(10):
            while (evidence := await self.venue.lookup(order)).known is Known.UNDECIDED:
                self.wait(SETTLED_SECONDS)
        return evidence

    async def leave(self) -> None:
        """The end of this life."""
        if self.listening is not None:
            self.listening.cancel()
            await asyncio.gather(self.listening, return_exceptions=True)
        await self.hang_up()


def _sit(wire: Wire, simulator: Simulator, market: MarketSpec) -> Bench:
    (traded,) = simulator.exchange.markets.values()
    venue, _, hang_up = wire.connect(
        address=simulator.address,
        specs=[market],
        clock=SimulatedTime(simulator),
        feed=Prices(float(traded.last_price())),
    )
    return Bench(wire, simulator, venue, hang_up)


@asynccontextmanager
async def seat(wire: Wire, market: MarketSpec | None = None) -> AsyncIterator[Bench]:
    """An adapter that has not begun, at a venue of its own."""
    simulator = await open_simulator(BARS, wire=wire, funds=FUNDS)
    bench = _sit(wire, simulator, market or spec())
    try:
        yield bench
    finally:
        await bench.leave()
        await simulator.stop()
