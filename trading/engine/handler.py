"""One message at a time: core -> journal -> venue; owns what is not committed yet."""

from dataclasses import dataclass

import msgspec
import structlog
from msgspec.structs import replace

from trading.core.codes import HoldBit, Purpose
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.batches import (
    DecisionRow,
    EngineState,
    Evidence,
    HoldChange,
    IntentState,
    LedgerBatch,
    PositionView,
    Snapshot,
    WriteOff,
)
from trading.engine.errors import NotLeader
from trading.engine.execution import SEND_WITHIN_NS, Execution, ended_without_fill
from trading.engine.guards import DATA, Guards
from trading.engine.live import LiveView
from trading.engine.memory import JournaledMarkets
from trading.engine.messages import (
    BarClosed,
    BookSeen,
    FeedChange,
    FillReport,
    Message,
    OrderRequest,
    PriceTick,
)
from trading.engine.orders import State
from trading.engine.ports import Clock, Inbox, Lease, Ledger, MarketFeed, Venue
from trading.engine.pulse import Pulse
from trading.engine.restore import restore
from trading.engine.state import CoreState
from trading.engine.tempo import Tempo
from trading.engine.unheld import only_held

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside the engine that it acts through."""

    venue: Venue
    feed: MarketFeed
    ledger: Ledger
    inbox: Inbox
    lease: Lease
    live: LiveView
    clock: Clock


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is gathered before it is written, and how often is looked after the rest."""

    decisions_per_commit: int = 500
    seconds_per_commit: float = 0.25
    command_poll_seconds: float = 0.25
    resolve_seconds: float = 1.0
    settled_seconds: float = 30.0  # what another process has sent has come to the venue by then
    history_bars: int = 3000


class Handler:
    """The engine's state and what it does with one message; never called twice at the same time."""

    def __init__(self, *, core: CoreState, ports: Ports, pace: Pace) -> None:
        self.core, self.ports, self.pace = core, ports, pace
        self.guards = Guards(symbols=core.symbols)
        self.tempo = Tempo(ports.clock)
        self.execution = Execution(venue=ports.venue, clock=ports.clock, tempo=self.tempo)
        self.batch = LedgerBatch()
        self.sequence = 0
        self.pulse = Pulse(ports.clock)
        self._committed_at, self._committed_sequence = 0.0, 0
        self._journaled = JournaledMarkets()

    async def resume(self, state: EngineState) -> None:
        """Take over where the journal ends; ``look_up`` comes before anything is handled."""
        self.guards = Guards(state.holds, symbols=self.core.symbols)
        if state.snapshot is None:
            self.core.fund(state.cash_units / FEE_UNITS_PER_QUOTE)
        else:
            self.sequence = state.snapshot.sequence
            self._journaled = await restore(
                state,
                state.snapshot,
                core=self.core,
                venue=self.ports.venue,
                feed=self.ports.feed,
                history_bars=self.pace.history_bars,
            )
        self.execution.adopt(state.open_intents)
        self.ports.venue.adopt(
            intents=(*state.ended_intents, *state.open_intents), booked_trades=state.booked_trades
        )

    async def look_up(self) -> None:
        """Ask what became of the orders without a clear outcome, then write what the start led to."""
        for order in self.execution.unclear():
            await self.judge(order, await self.ports.venue.lookup(order))
        await self.commit()
        log.info("engine_resumed", sequence=self.sequence, market_ns=self.core.market_ns())

    def now_ns(self) -> int:
        """The later of the newest bar's close and the venue's time."""
        return max(self.core.market_ns(), self.ports.venue.time_ns())

    async def handle(self, message: Message) -> None:
        """Decide, journal, send.

        Raises:
            NotLeader: our time to act may be over.
        """
        _must_lead(self.ports.lease)
        self.sequence += 1
        self.pulse.step = message
        orders: list[OrderRequest] = []
        match message:
            case BarClosed():
                is_held = message.late or message.blind or self.pulse.is_late()
                holds = self.guards.bits_of(message.market) | (HoldBit.DATA if is_held else 0)
                record, orders = self.core.on_bar(message, holds=holds)
                self.batch.decisions.append(DecisionRow(message.market, record))
                self.ports.live.bar(message, self.core)
            case BookSeen():
                self.core.on_book(message)
            case PriceTick():
                orders = self.core.on_tick(message)
            case FillReport():
                orders = self.book(message)
            case FeedChange():
                self._hear(message)
        is_news = isinstance(message, FillReport | FeedChange)
        await self.act(orders, must_commit=is_news)
        if isinstance(message, FillReport | BarClosed):
            await self._write_off(message.market)
        self.pulse.step = None

    def book(self, report: FillReport) -> list[OrderRequest]:
        """Let core and journal know a piece of news; what the core asks for."""
        self.ports.venue.booked(report)
        alert = self.ports.live.alert
        report = only_held(report, self.core, self.guards, hold=self.hold, alert=alert)
        self.batch.intent_states += self.execution.report(report)
        if report.quantity_lots:
            self.batch.fills.append(report)
        orders = self.core.on_fill(report)
        self.note_position(report.market)
        self.guards.unresolved = self.execution.unresolved
        self.ports.live.fill(report, self.core)
        return orders

    async def _write_off(self, market: int) -> None:
        """What no order may sell leaves the books; nothing of the market can be sold meanwhile."""
        if not self.core.has_dust(market) or self.execution.has_open(market):
            return
        at_ns = self.now_ns()
        lots = self.core.on_dust(market, at_ns)
        self.batch.write_offs.append(WriteOff(market, at_ns, lots))
        self.ports.live.dust(market, self.core)
        await self.commit()
        log.info("dust_written_off", symbol=self.core.specs[market].symbol, lots=lots)

    def _hear(self, change: FeedChange) -> None:
        if change.is_up == (not self.guards.is_open(DATA, change.channel)):
            return
        self.hold(DATA, change.channel, change.reason, open=not change.is_up)
        log.warning("channel", channel=change.channel, up=change.is_up, reason=change.reason)

    def hold(self, kind: str, cause: str, reason: str, *, open: bool, command_id: str = "") -> None:
        """Place or lift a hold, in memory now and in the journal with the next commit."""
        (self.guards.place if open else self.guards.lift)(kind, cause)
        self.batch.holds.append(HoldChange(kind, cause, reason, open, command_id))
        self.ports.live.holds(self.core, self.guards.bits)

    async def act(self, orders: list[OrderRequest], *, must_commit: bool = False) -> None:
        """Journal what the core asks for, commit, and only then send it.

        Raises:
            NotLeader: another may lead by now; what was not sent is the next leader's to judge.
        """
        planned, is_late = [], self.pulse.is_late() or self.tempo.is_slow()
        for order in orders:
            is_stale = order.purpose == Purpose.ENTRY and is_late
            if self.guards.allows(order) and not is_stale:
                planned.append(replace(order, send_by_ns=self.now_ns() + SEND_WITHIN_NS))
            else:
                self.drop(order)
        for order in planned:
            self.execution.planned(order)
            self.batch.intents.append(order)
            if order.purpose == Purpose.MOVE_STOP:
                self.note_position(order.market)
        if planned or must_commit or self._is_due():
            await self.commit()
        for order in planned:
            changes = await self.execution.send(order, now_ns=_leading_ns(self))
            await self.settle(order, changes)

    def drop(self, order: OrderRequest) -> None:
        """Tell the core that an order was denied beside the journal."""
        denied = IntentState(order.market, order.seq, "REFUSED", "held")
        end = ended_without_fill(order, denied, time_ns=order.at_ns)
        if end is not None:
            self.core.on_fill(end)

    async def judge(self, order: OrderRequest, evidence: Evidence) -> None:
        """Act on the venue's word about an unclear order, or its news alone. Raises: NotLeader."""
        if self.execution.is_unclear(order):
            changes = await self.execution.settle(order, evidence, market_ns=_leading_ns(self))
            await self.settle(order, changes)
        for report in evidence.news:
            await self.act(self.book(report), must_commit=True)

    async def settle(self, order: OrderRequest, changes: list[IntentState]) -> None:
        """Note what became of an order, and tell the core when it will not fill."""
        self.batch.intent_states += changes
        self.guards.unresolved = self.execution.unresolved
        for change in changes:
            if change.seq != order.seq:
                continue
            if change.state == State.WORKING and _is_orphan(order, self.core):
                self.batch.intent_states += await self.execution.cancel(order, reason="flat by now")
                continue
            end = ended_without_fill(order, change, time_ns=self.now_ns())
            if end:
                await self.act(self.core.on_fill(end), must_commit=True)

    def note_position(self, market: int) -> None:
        """Let the journal have it as the core does."""
        position = self.core.markets[market]["position"]
        view = PositionView(market, int(position["quantity_lots"]), int(position["stop_ticks"]))
        self.batch.positions = [p for p in self.batch.positions if p.market != market] + [view]

    def _is_due(self) -> bool:
        waited = self.ports.clock.monotonic() - self._committed_at
        is_full = len(self.batch.decisions) >= self.pace.decisions_per_commit
        return is_full or waited >= self.pace.seconds_per_commit

    async def commit_due(self) -> None:
        """Write what has waited long enough, although nothing more was told."""
        is_written = self.sequence == self._committed_sequence and self.batch.is_empty
        if not is_written and self._is_due():
            await self.commit()

    async def commit(self) -> None:
        """Write everything since the last commit, with what of the state it changed."""
        batch, self.batch = self.batch, LedgerBatch()
        changed = self._journaled.changed(self.core)
        batch.snapshot = Snapshot(
            sequence=self.sequence,
            markets=changed,
            account=self.core.account.tobytes(),
            venue=self.ports.venue.snapshot(),
            portable=msgspec.json.encode(self.core.portable_account()),
        )
        with self.tempo.measured():
            await self.ports.ledger.commit(batch)
        self._journaled.note(changed, self.core)
        self._committed_at = self.ports.clock.monotonic()
        self._committed_sequence = batch.snapshot.sequence


def _must_lead(lease: Lease) -> None:
    if not lease.is_held():
        raise NotLeader("no heartbeat reached the database in time")


def _leading_ns(handler: Handler) -> int:
    """A moment at which we led: whoever hangs after it sends nothing late. Raises: NotLeader."""
    now_ns = handler.now_ns()
    _must_lead(handler.ports.lease)
    return now_ns


def _is_orphan(order: OrderRequest, core: CoreState) -> bool:
    """Whether a stop rests for a position that has ended meanwhile: it would open another."""
    held = core.markets[order.market]["position"]["quantity_lots"]
    return order.purpose in (Purpose.PROTECT, Purpose.MOVE_STOP) and bool(held == 0)
