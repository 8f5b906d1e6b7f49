"""One asyncio loop: start-up, step, drain, shutdown."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Any

from trading.engine.commands import obey
from trading.engine.errors import CannotTrade, NotLeader
from trading.engine.guards import BREAKER, DATA
from trading.engine.handler import Handler, Pace, Ports
from trading.engine.lag import Lag
from trading.engine.lost import LOST_COMMITS, take_back
from trading.engine.messages import AccountMoved, FeedChange
from trading.engine.slow import SlowJournal
from trading.engine.state import CoreState
from trading.engine.watch import Rhythm, Watch

KEEPER_SECONDS = 5.0
LAST_TURN_SECONDS = 5.0
BREATH = 64  # messages
RECONCILE = "RECONCILE"


class Outcome(StrEnum):
    """Why the loop ended."""

    STOPPED = "STOPPED"
    FINISHED = "FINISHED"
    LEADERSHIP_LOST = "LEADERSHIP_LOST"


WORDS = {
    Outcome.STOPPED: "stopped cleanly",
    Outcome.FINISHED: "every stored bar was replayed",
}


class HalfDone(Exception):
    """An earlier turn ended in the middle; what it left may not be built upon."""


class Runner:
    """The life of one engine: who may take a turn, and when it is over."""

    def __init__(
        self,
        *,
        core: CoreState,
        ports: Ports,
        pace: Pace | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        self._ports = ports
        self._pace = pace or Pace()
        self._handler = Handler(core=core, ports=ports, pace=self._pace)
        self._lock = asyncio.Lock()
        self._is_whole = True
        rhythm = rhythm or Rhythm()
        self._watch = Watch(self._handler, turn=self._turn, rhythm=rhythm)
        self._handler.pulse.most_seconds = rhythm.most_lag
        self._lag = Lag(self._handler, turn=self._turn)
        if ports.venue.has_account:
            self._handler.tempo.most_seconds = rhythm.most_commit
        self._slow = SlowJournal(self._handler, turn=self._turn)
        self._stop = asyncio.Event()
        self.has_led, self.handled = False, 0  # messages, but for those of a silence
        self._has_obeyed = asyncio.Event()  # what was ordered while nobody led, before any bar

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody takes a turn just now."""
        return not self._lock.locked()

    @property
    def has_unclear_orders(self) -> bool:
        """Whether the outcome of an order is not known."""
        return bool(self._handler.execution.unclear())

    @property
    def awaits_fills(self) -> bool:
        """Whether an order works that changes a position before long; resting stops do not count."""
        return self._handler.execution.awaits_fills

    @property
    def has_seen_account(self) -> bool:
        """Whether the first look at the account has come, or none is needed."""
        return self._watch.has_seen

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
        self.has_led = True
        keeper = asyncio.create_task(self._ports.lease.keep())
        try:
            await self._resume()
            outcome = await self._lead(keeper)
        except NotLeader:
            outcome = Outcome.LEADERSHIP_LOST
        except BaseException as error:
            words = str(error) if isinstance(error, CannotTrade) else type(error).__name__
            await self._ports.lease.report(observed="FAILED", detail=words)
            raise
        else:
            if outcome is not Outcome.LEADERSHIP_LOST:
                words = WORDS[outcome]
                await self._ports.lease.report(observed=outcome.value, detail=words)
                self._ports.live.ended(self._handler.core, observed=outcome.value, detail=words)
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

    async def _resume(self) -> None:
        async with self._turn():
            await self._handler.resume(await self._ports.ledger.load())
            for cause in self._handler.guards.strays():
                self._handler.hold(DATA, cause, "", open=False)
            if self._handler.guards.is_open(BREAKER, LOST_COMMITS):
                await take_back(self._handler)
            await self._handler.look_up()
        self._watch.begin()
        self._ports.live.epoch = self._ports.lease.epoch
        self._ports.live.holds(self._handler.core, self._handler.guards.bits)

    async def _lead(self, keeper: "asyncio.Task[None]") -> Outcome:
        pull = asyncio.create_task(self._pull())
        others = [
            asyncio.create_task(work)
            for work in (
                self._read_commands(),
                self._resolve(),
                self._watch.run(),
                self._lag.run(),
                self._slow.run(),
                self._stop.wait(),
            )
        ]
        try:
            done, _ = await asyncio.wait(
                {pull, keeper, *others}, return_when=asyncio.FIRST_COMPLETED
            )
            is_alone = await self._is_alone()  # nothing is half-handled while we are
        finally:  # also when we are cancelled ourselves: nobody may go on without us
            for task in (pull, *others):
                task.cancel()
            await asyncio.gather(pull, *others, return_exceptions=True)
        if is_alone:
            self._lock.release()
        failed = [error for task in done - {keeper} if (error := task.exception())]
        for error in sorted(failed, key=lambda error: isinstance(error, HalfDone)):
            raise error  # the cause, not who met what it left
        if keeper in done:
            return Outcome.LEADERSHIP_LOST
        async with self._turn():
            await self._handler.commit()
        return Outcome.FINISHED if pull in done else Outcome.STOPPED

    async def _is_alone(self) -> bool:
        """Take the lock; a turn that hangs with its database while the lease ends is given up."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_TURN_SECONDS):
                    return await self._lock.acquire()
            if not self._ports.lease.is_held():
                return False

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Alone with the handler. After a turn that raised there is no other: nothing may be
        committed on top of what it left half-done."""
        async with self._lock:
            if not self._is_whole:
                raise HalfDone
            self._is_whole = False
            yield
            self._is_whole = True

    async def _pull(self) -> None:
        handler = self._handler
        async for message in self._ports.venue.messages(after_ns=handler.core.cursors()):
            await self._has_obeyed.wait()
            if isinstance(message, AccountMoved):
                self._watch.notice()
                continue
            async with self._turn():
                await handler.handle(message)
            is_silence = isinstance(message, FeedChange) and not message.is_up
            self.handled += not is_silence
            if self.handled % BREATH == 0:
                await asyncio.sleep(0)  # at full speed the feed never waits: let the lease beat

    async def _read_commands(self) -> None:
        while True:
            for command in await self._ports.inbox.unfinished():
                if command.kind == RECONCILE:
                    self._watch.ask(command.id)
                    continue
                async with self._turn():
                    await obey(self._handler, command)
            self._has_obeyed.set()
            async with self._turn():
                await self._handler.commit_due()
            self._ports.live.beat(self._handler.core)
            await self._ports.clock.sleep(self._pace.command_poll_seconds)

    async def _resolve(self) -> None:
        """Ask the venue about orders without a clear outcome, until it has said what became of them."""
        while True:
            await self._ports.clock.sleep(self._pace.resolve_seconds)
            async with self._lock:  # in the middle of a turn every order is unclear for a moment
                unclear = self._handler.execution.unclear()
            await self._watch.note_unclear(unclear)
            for order in unclear:
                evidence = await self._ports.venue.lookup(order)
                async with self._turn():
                    await self._handler.judge(order, evidence)
