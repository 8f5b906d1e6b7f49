"""An engine with real orders at the simulated venue, over real sockets, at the pace of a test.

The test moves the venue's time from bar to bar, so that a whole day passes in seconds and deadlines
mean what they mean; everything else is what runs in production, but for a journal in memory.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from tests.engine.fakes import (
    ENGINE_ID,
    MINUTE_NS,
    MemoryInbox,
    MemoryLease,
    MemoryLedger,
    MemorySink,
    spec,
)
from trading.core.config.pipeline import PipelineParams
from trading.engine.batches import EngineState
from trading.engine.clock import SystemClock
from trading.engine.handler import Pace, Ports
from trading.engine.live import Identity, LiveView
from trading.engine.messages import BarClosed, FeedChange, PriceTick
from trading.engine.runner import Outcome, Runner
from trading.engine.state import CoreState
from trading.exchanges.kraken.desk import KrakenDesk
from trading.exchanges.kraken.live import KrakenVenue
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.venue_clock import VenueClock

KEY = "key"
SECRET = base64.b64encode(bytes(range(64))).decode()
GRID = Grid(Decimal("0.1"), Decimal("0.0001"), Decimal("0.0001"), Decimal("0.5"))
FUNDS = {"USD": Decimal(10_000), "BTC": Decimal(3)}  # the three coins are the customer's own
AFTERWARDS_SECONDS = 30
QUICK = Pace(decisions_per_commit=50, seconds_per_commit=1e9, resolve_seconds=0.02)


@dataclass
class Bars:
    """A source of bars in memory."""

    bars: np.ndarray

    def iter_bars(self, *, start_ns: int, end_ns: int) -> Iterator[np.ndarray]:
        low, high = np.searchsorted(self.bars["open_ns"], [start_ns, end_ns])
        if high > low:
            yield self.bars[low:high]

    def tail(self, *, before_ns: int, count: int) -> np.ndarray:
        return self.bars[: np.searchsorted(self.bars["open_ns"], before_ns)][-count:]


@dataclass
class Conductor:
    """A feed that moves the venue's time: through each bar, then its close."""

    simulator: Simulator
    bars: np.ndarray
    before_bar: Callable[[int], None] = lambda number: None
    is_idle: Callable[[], bool] = lambda: True
    violations: list[int] = field(default_factory=list)
    steps: int = 3
    pause: float = 0.002

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[Any]:
        yield FeedChange("candles", is_up=True, reason="")
        for number, bar in enumerate(self.bars):
            open_ns = int(bar["open_ns"])
            if open_ns <= after_ns.get(0, 0):
                continue
            self.before_bar(number)
            for step in range(1, self.steps + 1):
                self.simulator.clock.jump(open_ns + MINUTE_NS * step // self.steps)
                market = self.simulator.exchange.advance()[0][0]
                yield PriceTick(0, self.simulator.clock.now_ns(), float(market.last_price()))
                await self._calm()
            yield BarClosed(0, open_ns, *(float(bar[n]) for n in bar.dtype.names[1:]))
        async for tick in self._afterwards():
            yield tick

    async def _afterwards(self) -> AsyncIterator[PriceTick]:
        """A minute more, in which what is unclear gets settled; the market stands still."""
        market = next(iter(self.simulator.exchange.markets.values()))
        for _ in range(AFTERWARDS_SECONDS):
            self.simulator.clock.jump(self.simulator.clock.now_ns() + 1_000_000_000)
            yield PriceTick(0, self.simulator.clock.now_ns(), float(market.last_price()))
            await self._calm()
            await asyncio.sleep(0.02)

    async def _calm(self) -> None:
        """Time goes on when the engine has done what there was to do."""
        await asyncio.sleep(self.pause)
        while not self.is_idle():
            await asyncio.sleep(self.pause)
        if oversold(self.simulator):
            self.violations.append(self.simulator.clock.now_ns())

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        return self.bars[self.bars["open_ns"] < before_ns][-count:]

    async def close(self) -> None:
        return None


class JournalWithNames(MemoryLedger):
    """Knows the venue's names of orders and the booked trades, as the real journal does."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[tuple[int, int], str] = {}
        self.reasons: dict[tuple[int, int], str] = {}

    async def load(self) -> EngineState:
        from dataclasses import replace

        from trading.engine.batches import OpenIntent

        state = await super().load()
        known = [
            OpenIntent(order, word, self.names.get(key, ""))
            for key, (order, word) in sorted(self.intents.items())
        ]
        open_ = ("PLANNED", "WORKING", "UNKNOWN")
        return replace(
            state,
            open_intents=tuple(one for one in known if one.state in open_),
            ended_intents=tuple(one for one in known if one.state not in open_),
            booked_trades=frozenset(f.venue_trade_id for f in self.fills),
        )

    async def commit(self, batch: Any) -> None:
        await super().commit(batch)
        for change in batch.intent_states:
            self.reasons[change.market, change.seq] = change.reason
            if change.venue_order_id:
                self.names[change.market, change.seq] = change.venue_order_id


class SimulatedTime(VenueClock):
    """The venue's time without the lag of its stamps."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__()
        self._simulator = simulator

    def now_ns(self) -> int:
        return self._simulator.clock.now_ns()


@dataclass
class LiveStreet:
    """One engine of one customer; ``run`` again is a restart."""

    simulator: Simulator
    params: PipelineParams
    bars: np.ndarray
    ledger: JournalWithNames = field(default_factory=JournalWithNames)
    before_bar: Callable[[int], None] = lambda number: None
    runner: Runner | None = None
    core: CoreState | None = None
    desk: KrakenDesk | None = None
    violations: list[int] = field(default_factory=list)

    async def run(self) -> Outcome:
        specs = [spec()]
        rest = KrakenRest(url=self.simulator.address, key=KEY, secret=SECRET)
        self.desk = KrakenDesk(rest=rest, specs=specs, clock=SimulatedTime(self.simulator))
        feed = Conductor(self.simulator, self.bars, self.before_bar, violations=self.violations)
        socket = f"ws://127.0.0.1:{self.simulator.port}/v2/auth"
        venue = KrakenVenue(desk=self.desk, feed=feed, ws_url=socket)
        self.core = CoreState(engine_id=ENGINE_ID, specs=specs, params=[self.params])
        clock = SystemClock()
        identity = Identity(engine_id=ENGINE_ID, mode="LIVE", venue="simulator", currency="USD")
        self.runner = Runner(
            core=self.core,
            ports=Ports(
                venue=venue,
                feed=feed,
                ledger=self.ledger,
                inbox=MemoryInbox(self.ledger),
                lease=MemoryLease(),
                live=LiveView(sink=MemorySink(), identity=identity, clock=clock),
                clock=clock,
            ),
            pace=QUICK,
        )
        runner = self.runner
        feed.is_idle = lambda: venue._queue.empty() and not runner._lock.locked()
        try:
            return await runner.run()
        finally:
            await rest.close()


def oversold(simulator: Simulator) -> bool:
    """Whether more is offered for sale than was bought."""
    account = simulator.exchange.accounts.get(KEY)
    if account is None:
        return False
    ours = [
        o
        for o in account.orders.values()
        if o.is_open and o.side == "sell" and o.client_id != "mine"
    ]
    return sum((o.left for o in ours), Decimal(0)) > account.balances["BTC"] - FUNDS["BTC"]


async def open_simulator(bars: np.ndarray, *, funds: Mapping[str, Decimal] = FUNDS) -> Simulator:
    """A venue whose time stands at the beginning of these bars."""
    began_ns = int(bars["open_ns"][0]) + 1_000_000_000  # after the first trade
    simulator = Simulator(start_ns=began_ns)
    simulator.clock.jump(began_ns)
    simulator.list_pair("BTC/USD", source=Bars(bars), grid=GRID)
    account = simulator.add_account(key=KEY, secret=SECRET, balances=funds)
    account.calls.most = 1e9  # a day passes in seconds
    await simulator.start()
    return simulator


def oracle(simulator: Simulator, kind: str) -> list[dict[str, Any]]:
    """What the venue remembers of one kind of event."""
    return [event for event in simulator.exchange.oracle if event["kind"] == kind]


def check_books(simulator: Simulator, street: LiveStreet, *, settled: bool = True) -> None:
    """The venue's own log against our journal: nothing doubled, nothing lost, nothing naked."""
    orders = oracle(simulator, "order")
    client_ids = [event["client_id"] for event in orders]
    planned = {order.client_order_id for order, _ in street.ledger.intents.values()}
    assert len(client_ids) == len(set(client_ids)), "an order was sent twice"
    assert set(client_ids) <= planned, "an order without a committed intent"
    taken = set(client_ids)
    denied = [
        (order.seq, state)
        for order, state in street.ledger.intents.values()
        if state in ("REFUSED", "EXPIRED") and order.client_order_id in taken
    ]
    assert denied == [], "the venue took what our journal says it refused"
    theirs = {event["trade_id"]: Decimal(event["quantity"]) for event in oracle(simulator, "fill")}
    ours = {fill.venue_trade_id: fill.quantity_lots * GRID.lot_size for fill in street.ledger.fills}
    assert street.violations == [], "more was offered than was bought"
    account = simulator.exchange.accounts[KEY]
    assert account.balances["BTC"] >= FUNDS["BTC"], "the customer's own coins were sold"
    if not settled:
        return
    assert ours == theirs, "fills differ"
    assert street.core is not None
    position = street.core.markets[0]["position"]
    held = int(position["quantity_lots"]) * GRID.lot_size
    assert account.balances["BTC"] - FUNDS["BTC"] == held, "the position differs"
    working = [order for order in account.orders.values() if order.is_open]
    covered = sum((o.left for o in working if o.kind == "stop-loss"), Decimal(0))
    assert covered == held, f"{held} held, {covered} covered"
    states = [state for _, state in street.ledger.intents.values()]
    assert "UNKNOWN" not in states


def purposes(street: LiveStreet) -> Sequence[int]:
    """What was planned."""
    return [int(order.purpose) for order, _ in street.ledger.intents.values()]
