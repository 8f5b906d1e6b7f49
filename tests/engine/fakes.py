"""Ports of the engine in memory: a journal that keeps only what was committed, a feed of arrays."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from typing import Any

import numpy as np

from trading.chaos.stormy import stormy_bars
from trading.core.config.pipeline import PipelineParams
from trading.core.jit import CORE_HASH
from trading.core.records import BAR, FEE_UNITS_PER_QUOTE
from trading.engine.batches import EngineState, LedgerBatch, OpenIntent, WriteOff
from trading.engine.errors import NotLeader
from trading.engine.handler import Pace, Ports
from trading.engine.live import Identity, LiveView
from trading.engine.messages import BarClosed, Command, FillReport, MarketSpec, OrderRequest
from trading.engine.runner import Runner
from trading.engine.sights import Stranger
from trading.engine.state import CoreState, layout_hash
from trading.exchanges.paper import PaperVenue

MINUTE_NS = 60_000_000_000
random_bars = stormy_bars
ENGINE_ID = "7a1f7f0e-6a3a-4b55-9a58-0d5a8f5f7c11"


def spec(index: int = 0, *, symbol: str = "BTC/USD", bot: str = "bot") -> MarketSpec:
    """A market on a grid like a real one."""
    base, quote = symbol.split("/")
    return MarketSpec(
        index=index,
        bot_id=bot,
        revision_id="revision",
        instrument_id=index + 1,
        venue="replay",
        symbol=symbol,
        base=base,
        quote=quote,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.0001"),
        min_quantity=Decimal("0.0001"),
        min_notional=Decimal(5),
        timeframe_ns=MINUTE_NS,
    )


class ManualClock:
    """Time that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_ns(self) -> int:
        return int(self.seconds * 1e9)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class ArrayFeed:
    """Bars of arrays, merged in (open time, market) order."""

    def __init__(self, series: Sequence[np.ndarray]) -> None:
        self.series = list(series)

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[BarClosed]:
        rows = [
            (int(bar["open_ns"]), market, bar)
            for market, bars in enumerate(self.series)
            for bar in bars
            if int(bar["open_ns"]) > after_ns.get(market, 0)
        ]
        for open_ns, market, bar in sorted(rows, key=lambda row: row[:2]):
            yield BarClosed(
                market,
                open_ns,
                *(float(bar[name]) for name in BAR.names or () if name != "open_ns"),
            )

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        bars = self.series[market]
        return bars[bars["open_ns"] < before_ns][-count:]

    async def close(self) -> None:
        return None


class Crash(BaseException):
    """The process dies here."""


class MemoryLedger:
    """A journal in memory; ``crash_at`` dies before or after the n-th commit."""

    def __init__(self, *, cash: int = 10_000) -> None:
        self.cash = cash
        self.decisions: list[tuple[int, bytes]] = []
        self.fills: list[FillReport] = []
        self.write_offs: list[WriteOff] = []
        self.intents: dict[tuple[int, int], tuple[OrderRequest, str]] = {}
        self.holds: set[tuple[str, str]] = set()
        self.strangers: list[tuple[Stranger, ...]] = []
        self.reasons: list[str] = []
        self.outcomes: dict[str, str] = {}
        self.snapshot: Any = None
        self.core_hash = CORE_HASH
        self.commits = 0
        self.crash_before: int | None = None
        self.crash_after: int | None = None
        self.leader = True

    async def load(self) -> EngineState:
        open_states = ("PLANNED", "WORKING", "UNKNOWN")
        return EngineState(
            cash_units=self.cash * FEE_UNITS_PER_QUOTE,
            snapshot=self.snapshot,
            snapshot_core_hash=self.core_hash,
            snapshot_layout_hash=layout_hash(),
            open_intents=tuple(
                OpenIntent(order, state)
                for order, state in self.intents.values()
                if state in open_states
            ),
            holds=tuple(sorted(self.holds)),
        )

    async def commit(self, batch: LedgerBatch) -> None:
        if not self.leader:
            raise NotLeader("another epoch")
        self.commits += 1
        if self.commits == self.crash_before:
            raise Crash
        batch = deepcopy(batch)
        self.decisions += [(row.market, row.record) for row in batch.decisions]
        for order in batch.intents:
            key = (order.market, order.seq)
            assert key not in self.intents, f"intent {key} planned twice"
            self.intents[key] = (order, "PLANNED")
        for change in batch.intent_states:
            order, _ = self.intents[change.market, change.seq]
            self.intents[change.market, change.seq] = (order, change.state)
        for report in batch.fills:
            assert report.venue_trade_id not in {f.venue_trade_id for f in self.fills}
            self.fills.append(report)
        self.write_offs += batch.write_offs
        for hold in batch.holds:
            (self.holds.add if hold.open else self.holds.discard)((hold.kind, hold.cause))
        self.reasons += [change.reason for change in batch.intent_states]
        if batch.strangers is not None:
            self.strangers.append(batch.strangers)
        for done in batch.commands:
            self.outcomes[done.command_id] = done.outcome
        self.snapshot = batch.snapshot.onto(self.snapshot) if batch.snapshot else self.snapshot
        if self.commits == self.crash_after:
            raise Crash


class MemoryInbox:
    """Commands given by the test, handed out until the journal says they are done."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self.ledger = ledger
        self.commands: list[Command] = []

    async def unfinished(self) -> Sequence[Command]:
        return [c for c in self.commands if c.id not in self.ledger.outcomes]


class MemoryLease:
    """Leadership that is always granted."""

    epoch = 1

    def __init__(self) -> None:
        self.reports: list[tuple[str, str]] = []
        self.held = True
        self.released = asyncio.Event()

    def is_held(self) -> bool:
        return self.held

    async def acquire(self) -> None:
        return None

    async def keep(self) -> None:
        await self.released.wait()

    async def report(self, *, observed: str, detail: str) -> None:
        self.reports.append((observed, detail))

    async def release(self) -> None:
        self.released.set()


class MemorySink:
    """Latest value of each key."""

    def __init__(self) -> None:
        self.latest: dict[str, Mapping[str, Any]] = {}

    def publish(self, key: str, value: Mapping[str, Any]) -> None:
        self.latest[key] = value


class Street:
    """One engine over arrays and memory; a second one over the same journal is a restart."""

    def __init__(
        self,
        series: Sequence[np.ndarray],
        params: PipelineParams,
        *,
        ledger: MemoryLedger | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.specs = [
            spec(index, symbol=symbol, bot=f"bot{index}")
            for index, symbol in enumerate(["BTC/USD", "ETH/USD", "SOL/USD"][: len(series)])
        ]
        self.params = [params] * len(series)
        self.ledger = ledger or MemoryLedger()
        self.inbox = MemoryInbox(self.ledger)
        self.lease = MemoryLease()
        self.sink = MemorySink()
        clock = ManualClock()
        feed = ArrayFeed(series)
        self.venue = PaperVenue(feed=feed, specs=self.specs, params=self.params)
        self.core = CoreState(engine_id=ENGINE_ID, specs=self.specs, params=self.params)
        identity = Identity(engine_id=ENGINE_ID, mode="PAPER", venue="replay", currency="USD")
        self.runner = Runner(
            core=self.core,
            ports=Ports(
                venue=self.venue,
                feed=feed,
                ledger=self.ledger,
                inbox=self.inbox,
                lease=self.lease,
                live=LiveView(sink=self.sink, identity=identity, clock=clock),
                clock=clock,
            ),
            pace=pace or Pace(decisions_per_commit=50, seconds_per_commit=1e9),
        )
