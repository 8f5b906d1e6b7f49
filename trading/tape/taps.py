"""Taps on everything that speaks to an engine: its core's doors, venue, inbox; the journal flushes."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from trading.core.codes import ExitReason
from trading.engine.batches import EngineState, Evidence, LedgerBatch
from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.engine.handler import Ports
from trading.engine.messages import (
    BarClosed,
    BookSeen,
    Command,
    FeedChange,
    FillReport,
    Message,
    OrderRequest,
    PriceTick,
    StopChanged,
)
from trading.engine.ports import Inbox, Ledger, Venue
from trading.engine.state import CoreState
from trading.tape.entries import (
    BarTold,
    BookTold,
    ChannelTold,
    CommandTold,
    DustLeft,
    ExitAsked,
    FillTold,
    OrderAnswered,
    OrderLookedUp,
    StopTold,
    TickTold,
)
from trading.tape.recorder import CoreBytes, Owner, TapeRecorder, deflate


class TapedCore(CoreState):
    """A core that notes all it is told; a segment begins with each state it is given."""

    def __init__(self, *, owner: Owner, tape: TapeRecorder) -> None:
        super().__init__(engine_id=owner.engine_id, specs=owner.specs, params=owner.params)
        self._tape = tape

    def fund(self, cash: float) -> None:
        """Begin with this much quote currency and nothing held."""
        super().fund(cash)
        self.begin_segment()

    def load(self, *, markets: bytes, account: bytes) -> None:
        """Take back what ``dump`` gave."""
        super().load(markets=markets, account=account)
        self.begin_segment()

    def rebuild(self, saved: dict[str, object], history: Sequence[object]) -> None:
        """Carry positions and account over to another core."""
        super().rebuild(saved, history)  # type: ignore[arg-type]
        self.begin_segment()

    def begin_segment(self) -> None:
        """Let a segment begin here."""
        self._tape.begin(self.pack())

    def pack(self) -> CoreBytes:
        """The state a segment starts from."""
        markets, account = self.dump()
        return CoreBytes(deflate(markets), account, tuple(self.cursors().values()))

    def on_bar(self, bar: BarClosed, *, holds: int) -> tuple[bytes, list[OrderRequest]]:
        """Decide on a closed bar."""
        self._tape.note(BarTold(self._tape.now_ns(), bar, holds))
        return super().on_bar(bar, holds=holds)

    def on_book(self, seen: BookSeen) -> bool:
        """Let the next decisions of a market know its book."""
        self._tape.note(BookTold(self._tape.now_ns(), seen))
        return super().on_book(seen)

    def on_tick(self, tick: PriceTick) -> list[OrderRequest]:
        """Let exits see a price."""
        self._tape.note(TickTold(self._tape.now_ns(), tick))
        return super().on_tick(tick)

    def on_fill(self, report: FillReport) -> list[OrderRequest]:
        """Move position and account."""
        self._tape.note(FillTold(self._tape.now_ns(), report))
        return super().on_fill(report)

    def on_stop(self, changed: StopChanged) -> list[OrderRequest]:
        """The resting stop is another than was asked for."""
        self._tape.note(StopTold(self._tape.now_ns(), changed))
        return super().on_stop(changed)

    def on_dust(self, market: int, time_ns: int) -> int:
        """Write off what no order may sell."""
        self._tape.note(DustLeft(self._tape.now_ns(), market, time_ns))
        return super().on_dust(market, time_ns)

    def request_exit(self, market: int, reason: ExitReason) -> bool:
        """Ask for a position to be closed."""
        self._tape.note(ExitAsked(self._tape.now_ns(), market, int(reason)))
        return super().request_exit(market, reason)


class TapedVenue:
    """A venue whose silences, answers and words on unclear orders are noted."""

    def __init__(self, venue: Venue, tape: TapeRecorder) -> None:
        self._venue, self._tape = venue, tape
        self.adopt, self.time_ns, self.cancel = venue.adopt, venue.time_ns, venue.cancel
        self.snapshot, self.restore = venue.snapshot, venue.restore
        self.has_account, self.look = venue.has_account, venue.look
        self.list_orders, self.booked = venue.list_orders, venue.booked

    async def messages(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[Message]:
        """News as it happens."""
        async for message in self._venue.messages(after_ns=after_ns):
            if isinstance(message, FeedChange):
                self._tape.note(ChannelTold(self._tape.now_ns(), message))
            yield message

    async def submit(self, order: OrderRequest) -> str:
        """Place an order; the answer is noted, also when it is an error."""
        try:
            venue_id = await self._venue.submit(order)
        except (Refused, NotSent, OutcomeUnknown) as error:
            self._answered(order, type(error).__name__, str(error))
            raise
        self._answered(order, "Placed", venue_id)
        return venue_id

    async def lookup(self, order: OrderRequest) -> Evidence:
        """What became of an order."""
        evidence = await self._venue.lookup(order)
        self._tape.note(OrderLookedUp(self._tape.now_ns(), order.market, order.seq, evidence))
        return evidence

    def _answered(self, order: OrderRequest, answer: str, words: str) -> None:
        told = OrderAnswered(self._tape.now_ns(), order.market, order.seq, answer, words)
        self._tape.note(told)


class TapedInbox:
    """An inbox each of whose commands is noted once."""

    def __init__(self, inbox: Inbox, tape: TapeRecorder) -> None:
        self._inbox, self._tape = inbox, tape
        self._open: frozenset[str] = frozenset()

    async def unfinished(self) -> Sequence[Command]:
        """Commands not yet finished."""
        commands = await self._inbox.unfinished()
        for command in commands:
            if command.id not in self._open:
                self._tape.note(CommandTold(self._tape.now_ns(), command))
        self._open = frozenset(command.id for command in commands)
        return commands


class TapedLedger:
    """A journal that commits nothing whose inputs are not on the tape."""

    def __init__(self, ledger: Ledger, tape: TapeRecorder, core: TapedCore) -> None:
        self._ledger, self._tape, self._core = ledger, tape, core

    async def load(self) -> EngineState:
        """State as last committed."""
        return await self._ledger.load()

    async def commit(self, batch: LedgerBatch) -> None:
        """The tape first, then the journal; a new segment only while no order waits to be sent."""
        self._tape.flush()
        await self._ledger.commit(batch)
        if self._tape.is_due() and not batch.intents:
            self._tape.begin(await asyncio.to_thread(self._core.pack))


def tap(ports: Ports, *, tape: TapeRecorder, core: TapedCore) -> Ports:
    """The same ports, listened to."""
    return replace(
        ports,
        venue=TapedVenue(ports.venue, tape),
        inbox=TapedInbox(ports.inbox, tape),
        ledger=TapedLedger(ports.ledger, tape, core),
    )
