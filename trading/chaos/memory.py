"""The journal, its fence and the inbox in memory, with the same constraints as the real ones."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from trading.chaos.dice import Dice
from trading.core.jit import CORE_HASH
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.batches import EngineState, LedgerBatch, OpenIntent, Snapshot
from trading.engine.errors import NotLeader
from trading.engine.messages import Command, FillReport, OrderRequest
from trading.engine.orders import OPEN_STATES, TRANSITIONS, State
from trading.engine.state import layout_hash

CASH = 10_000
KINDS = ("PAUSE", "RESUME", "RESUME", "CLOSE_ALL", "KILL", "REVIVE", "REVIVE")
LEGAL = frozenset((before, after) for (before, _), after in TRANSITIONS.items())


class Broken(Exception):
    """A constraint of the journal would not have taken this."""


class Journal:
    """What was committed, over all lives; ``epoch`` is the fence."""

    def __init__(self) -> None:
        self.epoch = 0
        self.decisions: list[tuple[int, bytes]] = []
        self.fills: dict[str, FillReport] = {}
        self.dust: Counter[int] = Counter()  # lots by market
        self.intents: dict[tuple[int, int], tuple[OrderRequest, str, str]] = {}
        self.holds: dict[tuple[str, str], None] = {}
        self.outcomes: dict[str, str] = {}
        self.snapshot: Snapshot | None = None

    def apply(self, batch: LedgerBatch) -> None:
        """All of it.

        Raises:
            Broken: a constraint says no.
        """
        self.decisions += [(row.market, row.record) for row in batch.decisions]
        for order in batch.intents:
            key = (order.market, order.seq)
            if key in self.intents:
                raise Broken(f"intent {key} was planned twice")
            self.intents[key] = (order, State.PLANNED, "")
        for change in batch.intent_states:
            key = (change.market, change.seq)
            order, before, venue_id = self.intents[key]
            if (before, change.state) not in LEGAL:
                raise Broken(f"intent {key} went from {before} to {change.state}")
            self.intents[key] = (order, change.state, change.venue_order_id or venue_id)
        for report in batch.fills:
            if report.venue_trade_id in self.fills:
                raise Broken(f"trade {report.venue_trade_id} was booked twice")
            self.fills[report.venue_trade_id] = report
        self.dust.update({one.market: one.quantity_lots for one in batch.write_offs})
        for hold in batch.holds:
            if hold.open:
                self.holds[hold.kind, hold.cause] = None
            else:
                self.holds.pop((hold.kind, hold.cause), None)
        self.outcomes |= {done.command_id: done.outcome for done in batch.commands}
        if batch.snapshot is not None:
            self.snapshot = batch.snapshot.onto(self.snapshot)


class SimulatedLedger:
    """ports.Ledger of one life: slow, and where a process likes to die."""

    def __init__(self, journal: Journal, *, epoch: int, dice: Dice) -> None:
        self._journal, self._epoch, self._dice = journal, epoch, dice

    async def load(self) -> EngineState:
        """State, open intents and holds as last committed."""
        await self._dice.take_time()
        journal = self._journal
        known = [OpenIntent(*one) for _, one in sorted(journal.intents.items())]
        return EngineState(
            cash_units=CASH * FEE_UNITS_PER_QUOTE,
            snapshot=journal.snapshot,
            snapshot_core_hash=CORE_HASH,
            snapshot_layout_hash=layout_hash(),
            open_intents=tuple(one for one in known if one.state in OPEN_STATES),
            ended_intents=tuple(one for one in known if one.state not in OPEN_STATES),
            holds=tuple(journal.holds),
            booked_trades=frozenset(journal.fills),
        )

    async def commit(self, batch: LedgerBatch) -> None:
        """Write all of the batch or nothing.

        Raises:
            NotLeader: another life has begun.
        """
        self._dice.meet("before commit", 0.004)
        await self._dice.take_time(0.02)
        if self._journal.epoch != self._epoch:
            raise NotLeader(f"epoch {self._epoch} is over")
        self._journal.apply(batch)
        kept = self._journal.snapshot
        state = ([one.record for one in kept.markets], kept.account) if kept else ()
        told = msgspec.to_builtins(replace(batch, snapshot=None), builtin_types=(bytes,))
        self._dice.note("commit", self._epoch, told, state)
        self._dice.meet("after commit", 0.004)


class SimulatedLease:
    """ports.Lease: whoever comes leads, and may lose it."""

    def __init__(self, journal: Journal, dice: Dice, *, seconds: float) -> None:
        self._journal, self._dice, self._seconds = journal, dice, seconds
        self._released = asyncio.Event()
        self.epoch = 0

    def is_held(self) -> bool:
        """Whether nobody came after us."""
        return self.epoch == self._journal.epoch

    async def acquire(self) -> None:
        """Lead from now on."""
        await self._dice.take_time()
        self._journal.epoch += 1
        self.epoch = self._journal.epoch

    async def keep(self) -> None:
        """Until it is given back, or lost to the next leader after a drawn time."""
        try:
            await asyncio.wait_for(self._released.wait(), self._seconds)
        except TimeoutError:
            self._dice.faults["leadership lost"] += 1
            self._journal.epoch += 1

    async def report(self, *, observed: str, detail: str) -> None:
        """The last word."""
        self._dice.note("report", self.epoch, observed, detail)

    async def release(self) -> None:
        """Give it back."""
        self._released.set()


class SimulatedInbox:
    """ports.Inbox: people change their minds."""

    def __init__(self, journal: Journal, dice: Dice) -> None:
        self._journal, self._dice = journal, dice
        self._given: list[Command] = []

    async def unfinished(self) -> Sequence[Command]:
        """Commands not yet finished; now and then there is a new one."""
        await self._dice.take_time()
        if self._dice.happens("command", 0.003):
            number = self._dice.faults["command"]
            self._given.append(Command(f"{number}", KINDS[number % len(KINDS)], "drawn"))
        return [one for one in self._given if one.id not in self._journal.outcomes]


class NoPages:
    """ports.EventSink without anybody looking."""

    def publish(self, key: str, value: Mapping[str, Any]) -> None:
        """Nobody looks."""
