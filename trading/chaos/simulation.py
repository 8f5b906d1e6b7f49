"""Whole lives of the real engine in one thread and no time: everything around it is drawn by seed."""

import asyncio
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.chaos.book_in_memory import Book, Feed, SimulatedVenue
from trading.chaos.dice import Dice, Died, Trace
from trading.chaos.memory import (
    Broken,
    Journal,
    NoPages,
    SimulatedInbox,
    SimulatedLease,
    SimulatedLedger,
)
from trading.chaos.stormy import FIRST_MINUTE, MINUTE_NS, stormy_bars
from trading.chaos.virtual import StoppedClock, VirtualClock, VirtualLoop, run_virtually
from trading.core.config.profiles import PROFILES
from trading.engine.handler import Pace, Ports
from trading.engine.live import Identity, LiveView
from trading.engine.messages import MarketSpec
from trading.engine.orders import State
from trading.engine.runner import Outcome, Runner
from trading.engine.state import CoreState
from trading.exchanges.paper import PaperVenue

ENGINE_ID = "5b7c3c58-52e4-4a0e-8f0d-3f7a3c2f6d21"
SYMBOLS = ("BTC/USD", "ETH/USD")
MOST_LIVES = 60
PACE = Pace(
    decisions_per_commit=16,
    seconds_per_commit=600.0,
    command_poll_seconds=30.0,
    resolve_seconds=5.0,
)
ACTIVE = PROFILES["active"]
# A part of a position sold while its stop rests for the whole needs a venue that shrinks the stop.
PARAMS = replace(ACTIVE, exits=replace(ACTIVE.exits, tier_1=0.0))


@dataclass(frozen=True, slots=True)
class Simulated:
    """One seed: what happened, in one hash, and which invariants did not hold."""

    seed: int
    digest: str
    events: int
    orders: int
    fills: int
    lives: int
    faults: dict[str, int]
    broken: tuple[str, ...]


def simulate(seed: int, *, bars: int = 300) -> Simulated:
    """Trade ``bars`` minutes of two markets through every fault the seed draws."""
    loop = VirtualLoop()
    try:
        return run_virtually(_Town(seed, bars, loop).live(), loop)
    finally:
        loop.close()


class _Town:
    """What outlives the engine: the venue, the journal, the people."""

    def __init__(self, seed: int, bars: int, loop: VirtualLoop) -> None:
        series = [stormy_bars(seed * 10 + m, bars, price=2e4 / 10**m) for m in range(len(SYMBOLS))]
        self.bars = sum(len(one) for one in series)
        self.clock = VirtualClock(loop, starts_ns=FIRST_MINUTE * MINUTE_NS)
        self.stopped = StoppedClock(loop, starts_ns=FIRST_MINUTE * MINUTE_NS)
        self.trace, self.journal, self.seed = Trace(), Journal(), seed
        self.dice = Dice(seed, trace=self.trace, clock=self.clock)
        self.specs = [_spec(m, symbol) for m, symbol in enumerate(SYMBOLS)]
        self.params = [PARAMS] * len(SYMBOLS)
        self.feed = Feed(series, self.clock, step_ns=MINUTE_NS)
        paper = PaperVenue(feed=self.feed, specs=self.specs, params=self.params)
        self.book = Book(paper, self.clock)
        self.inbox = SimulatedInbox(self.journal, self.dice)
        self.lives = 0
        self.broken: list[str] = []

    async def live(self) -> Simulated:
        """One life after the other, until the market's day is over."""
        while self.lives < MOST_LIVES:
            self.lives += 1
            core, outcome = await self._life()
            if outcome is Outcome.FINISHED:
                self._judge(core)
                break
            await self.dice.take_time(20.0)
        else:
            self.broken.append(f"not finished after {MOST_LIVES} lives")
        return Simulated(
            seed=self.seed,
            digest=self.trace.digest,
            events=self.trace.events,
            orders=len(self.journal.intents),
            fills=len(self.journal.fills),
            lives=self.lives,
            faults=dict(sorted(self.dice.faults.items())),
            broken=tuple(self.broken),
        )

    async def _life(self) -> tuple[CoreState, Outcome | None]:
        core = CoreState(engine_id=ENGINE_ID, specs=self.specs, params=self.params)
        lease = SimulatedLease(self.journal, self.dice, seconds=self._patience())
        epoch = self.journal.epoch + 1
        identity = Identity(engine_id=ENGINE_ID, mode="LIVE", venue="simulated", currency="USD")
        ports = Ports(
            venue=SimulatedVenue(self.book, self.dice),
            feed=self.feed,
            ledger=SimulatedLedger(self.journal, epoch=epoch, dice=self.dice),
            inbox=self.inbox,
            lease=lease,
            live=LiveView(sink=NoPages(), identity=identity, clock=self.stopped),
            clock=self.clock,
        )
        life = asyncio.ensure_future(_until_death(Runner(core=core, ports=ports, pace=PACE)))
        try:
            return core, await life
        except Broken as error:
            self.broken.append(str(error))
            return core, None

    def _patience(self) -> float:
        return 8 * 3600.0 if self.dice.happens("firm leadership", 0.7) else 4000.0

    def _judge(self, core: CoreState) -> None:
        """What must hold when the day is over."""
        journal, book = self.journal, self.book
        twice = sorted(key for key, count in book.placed.items() if count > 1)
        untold = [r.venue_trade_id for _, r in book.log if r.quantity_lots]
        unsettled = [
            key for key, (_, state, _) in journal.intents.items()
            if state in (State.PLANNED, State.UNKNOWN)
        ]  # fmt: skip
        naked = [
            spec.symbol
            for spec in core.specs
            if int(core.markets[spec.index]["position"]["quantity_lots"])
            != book.held[spec.index] - journal.dust[spec.index]
        ]
        found = {
            "orders placed twice": twice,
            "trades not booked": sorted(set(untold) - journal.fills.keys()),
            "trades nobody made": sorted(journal.fills.keys() - set(untold)),
            "more sold than held": book.oversold,
            "orders without an outcome": unsettled,
            "positions unlike the venue's": naked,
        }
        self.broken += [f"{words}: {which}" for words, which in found.items() if which]
        if len(journal.decisions) != self.bars:
            self.broken.append(f"{len(journal.decisions)} decisions on {self.bars} bars")


async def _until_death(runner: Runner) -> Outcome | None:
    """The engine's own end, or None where it died."""
    try:
        return await runner.run()
    except Died:
        return None


def _spec(index: int, symbol: str) -> MarketSpec:
    base, quote = symbol.split("/")
    return MarketSpec(
        index=index,
        bot_id=f"bot{index}",
        revision_id=f"revision{index}",
        instrument_id=index + 1,
        venue="simulated",
        symbol=symbol,
        base=base,
        quote=quote,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.0001"),
        min_quantity=Decimal("0.0001"),
        min_notional=Decimal(5),
        timeframe_ns=MINUTE_NS,
    )
