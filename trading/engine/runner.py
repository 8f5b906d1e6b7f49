"""One asyncio loop: start-up, step, drain, shutdown."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
import structlog

from trading.core.codes import ExitReason, Purpose
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.batches import (
    CommandDone,
    DecisionRow,
    EngineState,
    HoldChange,
    IntentState,
    LedgerBatch,
    PositionView,
    Snapshot,
)
from trading.engine.errors import NotLeader
from trading.engine.execution import Execution, ended_without_fill
from trading.engine.guards import Guards
from trading.engine.live import LiveView
from trading.engine.messages import (
    BarClosed,
    Command,
    FillReport,
    Message,
    OrderRequest,
    PriceTick,
)
from trading.engine.ports import Clock, Inbox, Lease, Ledger, MarketFeed, Venue
from trading.engine.restore import restore
from trading.engine.state import CoreState

log = structlog.get_logger(__name__)

OPERATOR_CAUSE = "operator"
KEEPER_SECONDS = 5.0


class Outcome(StrEnum):
    """Why the loop ended."""

    STOPPED = "STOPPED"
    FINISHED = "FINISHED"
    LEADERSHIP_LOST = "LEADERSHIP_LOST"


WORDS = {
    Outcome.STOPPED: "stopped cleanly",
    Outcome.FINISHED: "every stored bar was replayed",
}


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
    """How much is gathered before it is written, and how often commands are read."""

    decisions_per_commit: int = 500
    seconds_per_commit: float = 0.25
    command_poll_seconds: float = 0.25
    history_bars: int = 3000


class Runner:
    """Handles one message at a time; owns all state of its engine."""

    def __init__(self, *, core: CoreState, ports: Ports, pace: Pace | None = None) -> None:
        self._core = core
        self._ports = ports
        self._pace = pace or Pace()
        self._execution = Execution(venue=ports.venue)
        self._guards = Guards()
        self._batch = LedgerBatch()
        self._sequence = 0
        self._committed_at = 0.0
        self._turn = asyncio.Lock()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask the loop to end after the message at hand."""
        self._stop.set()

    async def run(self) -> Outcome:
        """Lead, resume, handle messages until the feed ends, leadership is lost or ``stop``.

        Raises:
            Exception: whatever an adapter raised; the supervisor restarts, and start-up recovers.
        """
        acquired = await self._race(self._ports.lease.acquire())
        if not acquired:
            return Outcome.STOPPED
        keeper = asyncio.create_task(self._ports.lease.keep())
        try:
            await self._resume(await self._ports.ledger.load())
            outcome = await self._lead(keeper)
        except NotLeader:
            outcome = Outcome.LEADERSHIP_LOST
        except BaseException as error:
            await self._ports.lease.report(observed="FAILED", detail=type(error).__name__)
            raise
        else:
            if outcome is not Outcome.LEADERSHIP_LOST:
                await self._ports.lease.report(observed=outcome.value, detail=WORDS[outcome])
                self._ports.live.ended(self._core, observed=outcome.value, detail=WORDS[outcome])
        finally:
            await self._ports.lease.release()
            await asyncio.wait({keeper}, timeout=KEEPER_SECONDS)
        return outcome

    async def _race(self, waiting: Coroutine[Any, Any, None]) -> bool:
        """Await something unless ``stop`` comes first; False when it did."""
        task = asyncio.create_task(waiting)
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return False
        task.result()
        return True

    async def _lead(self, keeper: "asyncio.Task[None]") -> Outcome:
        pull = asyncio.create_task(self._pull())
        commands = asyncio.create_task(self._read_commands())
        stop = asyncio.create_task(self._stop.wait())
        tasks: set[asyncio.Task[Any]] = {pull, commands, stop, keeper}
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        async with self._turn:  # nothing is half-handled while we hold the turn
            for task in (pull, commands, stop):
                task.cancel()
        await asyncio.gather(pull, commands, stop, return_exceptions=True)
        for ended in done - {keeper}:
            ended.result()
        if keeper in done:
            return Outcome.LEADERSHIP_LOST
        await self._commit()
        return Outcome.FINISHED if pull in done else Outcome.STOPPED

    async def _resume(self, state: EngineState) -> None:
        self._guards = Guards(state.holds)
        if state.snapshot is None:
            self._core.fund(state.cash_units / FEE_UNITS_PER_QUOTE)
        else:
            self._sequence = state.snapshot.sequence
            restore(
                state,
                state.snapshot,
                core=self._core,
                venue=self._ports.venue,
                feed=self._ports.feed,
                history_bars=self._pace.history_bars,
            )
        self._execution.adopt(state.open_intents)
        orders = {(o.order.market, o.order.seq): o.order for o in state.open_intents}
        changes = await self._execution.resolve(market_ns=self._core.market_ns())
        await self._settle(changes, orders)
        await self._commit()
        self._ports.live.epoch = self._ports.lease.epoch
        self._ports.live.holds(self._core, self._guards.bits)
        log.info("engine_resumed", sequence=self._sequence, market_ns=self._core.market_ns())

    async def _pull(self) -> None:
        handled = 0
        async for message in self._ports.venue.messages(after_ns=self._core.cursors()):
            async with self._turn:
                await self._handle(message)
            handled += 1
            if handled % 64 == 0:
                await asyncio.sleep(0)  # at full speed the feed never waits: let the lease beat

    async def _handle(self, message: Message) -> None:
        if not self._ports.lease.is_held():
            raise NotLeader("no heartbeat reached the database in time")
        self._sequence += 1
        match message:
            case BarClosed():
                record, orders = self._core.on_bar(message, holds=self._guards.bits)
                self._batch.decisions.append(DecisionRow(message.market, record))
                self._ports.live.bar(message, self._core)
            case PriceTick():
                orders = self._core.on_tick(message)
            case FillReport():
                orders = self._book(message)
        await self._act(orders, must_commit=isinstance(message, FillReport))

    def _book(self, report: FillReport) -> list[OrderRequest]:
        self._batch.intent_states += self._execution.report(report)
        if report.quantity_lots:
            self._batch.fills.append(report)
        orders = self._core.on_fill(report)
        self._note_position(report.market)
        self._ports.live.fill(report, self._core)
        return orders

    async def _act(self, orders: list[OrderRequest], *, must_commit: bool = False) -> None:
        """Journal what the core asks for, commit, and only then send it."""
        planned = [order for order in orders if self._guards.allows(order)]
        for order in orders:
            if order not in planned:
                await self._drop(order)
        for order in planned:
            self._execution.planned(order)
            self._batch.intents.append(order)
            if order.purpose == Purpose.MOVE_STOP:
                self._note_position(order.market)
        if planned or must_commit or self._is_due():
            await self._commit()
        for order in planned:
            changes = await self._execution.send(order)
            await self._settle(changes, {(order.market, order.seq): order})

    async def _drop(self, order: OrderRequest) -> None:
        """Tell the core that an entry was denied beside the journal."""
        denied = IntentState(order.market, order.seq, "REFUSED", "held")
        end = ended_without_fill(order, denied, time_ns=order.at_ns)
        if end is not None:
            self._core.on_fill(end)

    async def _settle(
        self, changes: list[IntentState], orders: dict[tuple[int, int], OrderRequest]
    ) -> None:
        """Note what became of orders, and tell the core which will not fill."""
        self._batch.intent_states += changes
        self._guards.unresolved = self._execution.unresolved
        for change in changes:
            order = orders.get((change.market, change.seq))
            end = order and ended_without_fill(order, change, time_ns=self._core.market_ns())
            if end:
                await self._act(self._core.on_fill(end), must_commit=True)

    def _note_position(self, market: int) -> None:
        position = self._core.markets[market]["position"]
        view = PositionView(market, int(position["quantity_lots"]), int(position["stop_ticks"]))
        self._batch.positions = [p for p in self._batch.positions if p.market != market] + [view]

    def _is_due(self) -> bool:
        waited = self._ports.clock.monotonic() - self._committed_at
        return (
            len(self._batch.decisions) >= self._pace.decisions_per_commit
            or waited >= self._pace.seconds_per_commit
        )

    async def _commit(self) -> None:
        batch, self._batch = self._batch, LedgerBatch()
        markets, account = self._core.dump()
        batch.snapshot = Snapshot(
            sequence=self._sequence,
            markets=markets,
            account=account,
            venue=self._ports.venue.snapshot(),
            portable=msgspec.json.encode(self._core.portable()),
        )
        await self._ports.ledger.commit(batch)
        self._committed_at = self._ports.clock.monotonic()

    async def _read_commands(self) -> None:
        while True:
            for command in await self._ports.inbox.unfinished():
                async with self._turn:
                    await self._obey(command)
            self._ports.live.beat(self._core)
            await self._ports.clock.sleep(self._pace.command_poll_seconds)

    async def _obey(self, command: Command) -> None:
        self._sequence += 1
        match command.kind:
            case "PAUSE":
                outcome = await self._pause(command)
            case "RESUME":
                outcome = self._resume_entries(command)
            case "CLOSE_ALL":
                await self._pause(command)
                specs, close = self._core.specs, self._core.request_exit
                asked = [one.symbol for one in specs if close(one.index, ExitReason.OPERATOR)]
                outcome = f"closing {', '.join(asked)}" if asked else "nothing was open"
            case other:
                outcome = f"unknown command {other}"
        self._batch.commands.append(CommandDone(command.id, outcome))
        await self._commit()
        self._ports.live.holds(self._core, self._guards.bits)
        log.info("command_done", kind=command.kind, outcome=outcome)

    async def _pause(self, command: Command) -> str:
        if self._guards.is_open("OPERATOR", OPERATOR_CAUSE):
            return "already paused"
        self._guards.place("OPERATOR", OPERATOR_CAUSE)
        reason = command.reason or "paused by a person"
        self._batch.holds.append(
            HoldChange("OPERATOR", OPERATOR_CAUSE, reason, open=True, command_id=command.id)
        )
        for order in self._execution.working_entries():
            changes = await self._execution.cancel(order, reason="entries are held")
            await self._settle(changes, {(order.market, order.seq): order})
        return "entries paused; exits and stops keep running"

    def _resume_entries(self, command: Command) -> str:
        if not self._guards.is_open("OPERATOR", OPERATOR_CAUSE):
            return "was not paused"
        self._guards.lift("OPERATOR", OPERATOR_CAUSE)
        self._batch.holds.append(
            HoldChange("OPERATOR", OPERATOR_CAUSE, "", open=False, command_id=command.id)
        )
        return "entries resumed"
