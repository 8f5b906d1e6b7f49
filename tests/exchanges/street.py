"""An engine with real orders at the simulated venue, over real sockets, at the pace of a test.

Everything is what runs in production but for the journal, which is in memory, and the venue's time,
which a conductor moves from bar to bar.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np

from tests.engine.fakes import ENGINE_ID, MemoryInbox, MemoryLease, MemoryLedger, MemorySink, spec
from trading.chaos.checker import Books, compare
from trading.chaos.conductor import Conductor, is_done, pace_of
from trading.chaos.venue import FUNDS, GRID, new_simulator
from trading.chaos.wires import KEY, KRAKEN, Wire
from trading.core.codes import Side
from trading.core.config.pipeline import PipelineParams
from trading.engine.batches import EngineState, OpenIntent
from trading.engine.clock import SystemClock
from trading.engine.handler import Pace, Ports
from trading.engine.live import Identity, LiveView
from trading.engine.messages import MarketSpec
from trading.engine.ports import MarketFeed
from trading.engine.runner import Outcome, Runner
from trading.engine.state import CoreState
from trading.engine.watch import Rhythm
from trading.exchanges.replay import ArrayBars
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.venue_clock import VenueClock

__all__ = ["FUNDS", "GRID", "KEY", "SECRET", "ArrayBars", "LiveStreet", "check_books"]

QUICK = Pace(
    decisions_per_commit=50, seconds_per_commit=1e9, resolve_seconds=0.01, settled_seconds=0.0
)
SECRET = KRAKEN.secret


class JournalWithNames(MemoryLedger):
    """Knows the venue's names of orders and the booked trades, as the real journal does."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[tuple[int, int], str] = {}

    async def load(self) -> EngineState:
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
    wire: Wire = KRAKEN
    ledger: JournalWithNames = field(default_factory=JournalWithNames)
    others: Sequence[MarketSpec] = field(default=(), kw_only=True)  # markets that no bars come of
    before_bar: Callable[[int], None] = lambda number: None
    rhythm: Rhythm | None = None
    wall_ns: Callable[[], int] | None = None
    around: Callable[[Ports], Ports] = lambda ports: ports
    around_feed: Callable[[MarketFeed], MarketFeed] = lambda feed: feed
    sink: MemorySink = field(default_factory=MemorySink)
    inbox: MemoryInbox = field(init=False)
    runner: Runner | None = None
    core: CoreState | None = None
    desk: Any = None

    def __post_init__(self) -> None:
        self.inbox = MemoryInbox(self.ledger)

    async def run(self) -> Outcome:
        specs = [spec(), *self.others]
        feed = Conductor(
            self.bars,
            self._advance,
            self._before_bar,
            self._heal,
            settles_seconds=self.wire.settles_seconds,
        )
        clock = SimulatedTime(self.simulator)
        venue, self.desk, close = self.wire.connect(
            address=self.simulator.address,
            specs=specs,
            clock=clock,
            feed=self.around_feed(feed),
            wall_ns=self.wall_ns,
        )
        self.core = CoreState(engine_id=ENGINE_ID, specs=specs, params=[self.params] * len(specs))
        system = SystemClock()
        identity = Identity(engine_id=ENGINE_ID, mode="LIVE", venue="simulator", currency="USD")
        self.runner = runner = Runner(
            core=self.core,
            ports=self.around(
                Ports(
                    venue=venue,
                    feed=feed,
                    ledger=self.ledger,
                    inbox=self.inbox,
                    lease=MemoryLease(),
                    live=LiveView(sink=self.sink, identity=identity, clock=system),
                    clock=system,
                )
            ),
            pace=QUICK,
            rhythm=self.rhythm,
        )
        feed.is_idle = lambda: venue.is_quiet and is_done(runner)
        feed.most_seconds = self.pace(runner)
        try:
            return await runner.run()
        finally:
            await close()

    def pace(self, runner: Runner) -> Callable[[], int]:
        """How many seconds of the venue's may pass at once."""
        return pace_of(runner)

    async def _advance(self, to_ns: int) -> float:
        self.simulator.clock.jump(to_ns)
        self.simulator.advance()
        market = next(iter(self.simulator.exchange.markets.values()))
        return float(market.last_price())

    async def _before_bar(self, number: int) -> None:
        self.before_bar(number)

    async def _heal(self) -> None:
        self.simulator.exchange.faults.armed.clear()


async def open_simulator(
    bars: np.ndarray, *, wire: Wire = KRAKEN, funds: Mapping[str, Decimal] = FUNDS
) -> Simulator:
    """A venue, listening, whose time stands at the beginning of these bars."""
    simulator = new_simulator(bars, wire=wire, funds=funds)
    await simulator.start()
    return simulator


def oracle(simulator: Simulator, kind: str) -> list[dict[str, Any]]:
    """What the venue remembers of one kind of event."""
    return [event for event in simulator.exchange.oracle if event["kind"] == kind]


def books_of(street: LiveStreet) -> Books:
    """What the journal in memory says."""
    assert street.core is not None
    lots = int(street.core.markets[0]["position"]["quantity_lots"])
    ledger = street.ledger
    return Books(
        states={order.client_order_id: state for order, state in ledger.intents.values()},
        epochs={},
        fills=[
            (
                fill.venue_trade_id,
                (
                    Side(fill.side).name,
                    fill.quantity_lots * GRID.lot_size,
                    spec().price_of(fill),
                    Decimal(fill.fee),
                ),
            )
            for fill in ledger.fills
        ],
        position=lots * GRID.lot_size,
        dust=sum(one.quantity_lots for one in ledger.write_offs) * GRID.lot_size,
    )


def differences(simulator: Simulator, street: LiveStreet) -> list[str]:
    """What the venue's own log and our journal do not agree on."""
    return compare(street.wire.as_told(simulator.exchange.oracle), books_of(street))


def check_books(simulator: Simulator, street: LiveStreet) -> None:
    """The venue's own log against our journal: nothing doubled, nothing lost, nothing naked."""
    found = differences(simulator, street)
    assert not found, found
    account = simulator.exchange.accounts[KEY]
    assert account.balances["BTC"] >= FUNDS["BTC"], "the customer's own coins were sold"


def purposes(street: LiveStreet) -> Sequence[int]:
    """What was planned."""
    return [int(order.purpose) for order, _ in street.ledger.intents.values()]
