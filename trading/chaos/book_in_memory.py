"""A venue in memory that outlives the engine's lives, and the port of one life to it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import numpy as np

from trading.chaos.dice import Dice
from trading.chaos.virtual import NS_PER_SECOND
from trading.core.codes import Purpose, Side
from trading.engine.batches import Evidence, Known, OpenIntent
from trading.engine.errors import NoSight, NotSent, OutcomeUnknown, Refused
from trading.engine.execution import end_of
from trading.engine.messages import BarClosed, FeedChange, FillReport, Message, OrderRequest
from trading.engine.ports import Clock
from trading.engine.sights import Sight, VenueOrder
from trading.exchanges.paper import PaperVenue, venue_order_id

STOPS = (Purpose.PROTECT, Purpose.MOVE_STOP)
LATE_SECONDS = 8.0
BELIEVED_ABSENT_NS = 30 * NS_PER_SECOND
SETTLE_SECONDS = 240


class Feed:
    """Bars of arrays, each told when it closes on the virtual clock."""

    def __init__(self, series: Sequence[np.ndarray], clock: Clock, *, step_ns: int) -> None:
        rows = [
            (int(bar["open_ns"]), m, bar.tolist()) for m, bars in enumerate(series) for bar in bars
        ]
        self._bars = [BarClosed(m, *row) for _, m, row in sorted(rows, key=lambda one: one[:2])]
        self._series, self._clock, self._step_ns = series, clock, step_ns

    async def news(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[BarClosed]:
        """Bars after the cursors, no earlier than they close."""
        for bar in self._bars:
            if bar.open_ns <= after_ns.get(bar.market, 0):
                continue
            wait_ns = bar.open_ns + self._step_ns - self._clock.now_ns()
            await asyncio.sleep(max(0.0, wait_ns / NS_PER_SECOND))
            yield bar

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last bars before a moment."""
        bars = self._series[market]
        found: np.ndarray = bars[bars["open_ns"] < before_ns][-count:]
        return found

    async def close(self) -> None:
        """Nothing is held."""


class Book:
    """The venue's own memory: what rests, what was placed under which id, what traded."""

    def __init__(self, paper: PaperVenue, clock: Clock) -> None:
        self.paper, self.clock = paper, clock
        self.placed: Counter[str] = Counter()
        self.on_the_way: set[str] = set()
        self.log: list[tuple[int, FillReport]] = []  # (told no earlier than, what)
        self.held: Counter[int] = Counter()
        self.oversold: list[str] = []
        self._stops: dict[int, int] = {}

    async def place(self, order: OrderRequest) -> str:
        """Take an order.

        Raises:
            Refused: it came too late, sells what is not there, or moves a stop that is gone.
        """
        if order.send_by_ns and self.clock.now_ns() > order.send_by_ns:
            raise Refused("deadline elapsed")
        if order.side == Side.SELL and order.quantity_lots > self.held[order.market]:
            raise Refused("insufficient funds")
        if order.purpose == Purpose.MOVE_STOP and not self._is_resting(order):
            raise Refused("unknown order")
        self.placed[order.client_order_id] += 1
        if order.purpose in STOPS:
            self._stops[order.market] = order.seq
        return await self.paper.submit(order)

    def _is_resting(self, move: OrderRequest) -> bool:
        return self._stops.get(move.market) == move.replaces_seq

    def trade(self, report: FillReport, *, delay: float) -> None:
        """The venue's matching has found this."""
        at_ns = self.clock.now_ns() + int(delay * NS_PER_SECOND)
        self.log.append((at_ns, report))
        if report.purpose != Purpose.ENTRY and report.final:
            self._stops.pop(report.market, None)
        sign = 1 if report.side == Side.BUY else -1
        self.held[report.market] += sign * report.quantity_lots
        if self.held[report.market] < 0:
            self.oversold.append(report.venue_trade_id)


class SimulatedVenue:
    """ports.Venue of one life: answers are lost, requests and news come late."""

    has_account = False

    def __init__(self, book: Book, dice: Dice) -> None:
        self._book, self._dice = book, dice
        self._told: set[str] = set()
        self._is_up = True

    def adopt(self, *, intents: Sequence[OpenIntent], booked_trades: frozenset[str]) -> None:
        """Fills that are booked are not told again."""
        self._told |= booked_trades

    def booked(self, report: FillReport) -> None:
        """Nothing: this venue refuses by itself what is not there."""

    def time_ns(self) -> int:
        """The venue's time."""
        return self._book.clock.now_ns()

    async def list_orders(self, *, since_ns: int) -> Sequence[VenueOrder]:
        """None: it has no order that is not in the journal."""
        return ()

    async def look(self) -> Sight:
        """Nobody else acts here.

        Raises:
            NoSight: always.
        """
        raise NoSight("the simulated account is ours alone")

    def snapshot(self) -> bytes:
        """A real venue remembers by itself."""
        return b""

    def restore(self, state: bytes) -> None:
        """It remembers by itself."""

    async def messages(self, *, after_ns: Mapping[int, int]) -> AsyncIterator[Message]:
        """Ticks, bars, silences; fills when they come through."""
        async for message in self._book.paper.messages(after_ns=after_ns):
            for change in self._silences():
                yield change
            if isinstance(message, FillReport):
                self._book.trade(message, delay=self._dice.delay())
            else:
                self._dice.note("told", message)
                yield message
            for report in self._news():
                yield report
        for _ in range(SETTLE_SECONDS):
            await asyncio.sleep(1.0)
            for report in self._news():
                yield report
        if not self._is_up:
            yield FeedChange("candles", True, "")

    def _silences(self) -> list[FeedChange]:
        if not self._dice.happens("silence", 0.002 if self._is_up else 0.2):
            return []
        self._is_up = not self._is_up
        change = FeedChange("candles", self._is_up, "drawn")
        self._dice.note("channel", change)
        return [change]

    def _news(self) -> list[FillReport]:
        """What is due and was not told."""
        now_ns, found = self.time_ns(), []
        for at_ns, report in self._book.log:
            if at_ns <= now_ns and (one := self._first_time(report)) is not None:
                self._dice.meet("news", 0.02)
                self._dice.note("fill", one)
                found.append(one)
        return found

    def _first_time(self, report: FillReport) -> FillReport | None:
        key = report.venue_trade_id
        if key in self._told:
            return None
        self._told.add(key)
        return report

    async def submit(self, order: OrderRequest) -> str:
        """Place an order, if the network lets it through.

        Raises:
            Refused, NotSent, OutcomeUnknown: as drawn.
        """
        self._dice.meet("before submit")
        fate = self._dice.fate()
        self._dice.note("submit", order, fate)
        await self._dice.take_time()
        match fate:
            case "refused":
                raise Refused("drawn")
            case "not sent":
                raise NotSent("drawn")
            case "request lost":
                raise OutcomeUnknown("no answer")
            case "request late":
                self._send_later(order)
                raise OutcomeUnknown("no answer")
        answer = await self._book.place(order)
        self._dice.meet("after submit")
        if fate == "answer lost":
            raise OutcomeUnknown("no answer")
        return answer

    def _send_later(self, order: OrderRequest) -> None:
        """The network keeps it for a while; that outlives the process."""
        self._book.on_the_way.add(order.client_order_id)

        async def arrive() -> None:
            await self._dice.take_time(LATE_SECONDS)
            self._book.on_the_way.discard(order.client_order_id)
            try:
                self._dice.note("late", await self._book.place(order))
            except Refused as error:
                self._dice.note("late", str(error))

        self._late = asyncio.get_running_loop().create_task(arrive())

    async def cancel(self, *, market: int, seq: int) -> bool:
        """Cancel a working order."""
        await self._dice.take_time()
        done = await self._book.paper.cancel(market=market, seq=seq)
        self._dice.note("cancel", market, seq, done)
        return done

    async def lookup(self, order: OrderRequest) -> Evidence:
        """The venue's word on an order."""
        self._dice.meet("before lookup")
        await self._dice.take_time()
        evidence = await self._look(order)
        told = msgspec.to_builtins(evidence)
        self._dice.note("lookup", order.market, order.seq, told)
        return evidence

    async def _look(self, order: OrderRequest) -> Evidence:
        key, name = order.client_order_id, venue_order_id(order.market, order.seq)
        if key in self._book.on_the_way:
            return Evidence(Known.UNDECIDED)
        if not self._book.placed[key]:
            is_over = self.time_ns() > order.at_ns + BELIEVED_ABSENT_NS
            return Evidence(Known.ABSENT if is_over else Known.UNDECIDED)
        if (await self._book.paper.lookup(order)).known is Known.WORKING:
            return Evidence(Known.WORKING, name)
        mine = [
            r for _, r in self._book.log if (r.market, r.intent_seq) == (order.market, order.seq)
        ]
        fresh = tuple(one for report in mine if (one := self._first_time(report)) is not None)
        last = end_of(order, time_ns=self.time_ns(), venue_order_id=name)
        is_told = any(report.final for report in mine)
        return Evidence(Known.OVER, name, fresh if is_told else (*fresh, last))
