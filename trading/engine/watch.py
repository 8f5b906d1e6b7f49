"""Breakers: looks at the whole account now and then; what does not fit is a hold of its own cause."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from decimal import Decimal

import structlog

from trading.engine import changed, reconcile
from trading.engine.batches import CommandDone
from trading.engine.changed import CHANGED
from trading.engine.errors import NoSight
from trading.engine.guards import BREAKER
from trading.engine.handler import Handler
from trading.engine.messages import OrderRequest
from trading.engine.reconcile import CLOCK, DRIFT, UNKNOWN_ORDER
from trading.engine.sights import Sight, Stranger

log = structlog.get_logger(__name__)

NOT_SEEN = "the account was not looked at yet"
UNKNOWN_SECONDS = 60.0

Needs = Mapping[str, Decimal]
Turn = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between two looks, and before a second one that must confirm what the first found.

    A loop that stands still for more than ``most_lag`` seconds is told, and, with real orders, a
    commit that takes more than ``most_commit``.
    """

    look: float = 60.0
    confirm: float = 5.0
    most_lag: float = math.inf
    most_commit: float = math.inf


class Watch:
    """What one engine knows of its account beside its own orders.

    What one look finds is a doubt, which keeps entries back; what the next one finds as well is a hold,
    lifted by the first look that does not find it. So a fill on its way is no drift.
    """

    def __init__(self, handler: Handler, *, turn: Turn, rhythm: Rhythm) -> None:
        self._handler, self._turn, self._rhythm = handler, turn, rhythm
        self._venue = handler.ports.venue
        self._asked: set[str] = set()
        self._is_asked = asyncio.Event()
        self._has_moved = False  # since the last look began
        self._unclear_since: dict[tuple[int, int], float] = {}
        self._strangers: tuple[Stranger, ...] | None = None

    def begin(self) -> None:
        """Nothing is entered before the first look."""
        if self._venue.has_account:
            self._handler.guards.doubts = {NOT_SEEN}

    @property
    def has_seen(self) -> bool:
        """Whether the first look has come."""
        return NOT_SEEN not in self._handler.guards.doubts

    def ask(self, command_id: str) -> None:
        """A person wants a look now; the outcome is written when it was taken."""
        if command_id not in self._asked:
            self._asked.add(command_id)
            self._is_asked.set()

    def notice(self) -> None:
        """Something moved that is not ours: a look is due now, or after the one that confirms a doubt."""
        self._has_moved = True
        if not self._handler.guards.doubts:
            self._is_asked.set()

    async def run(self) -> None:
        """Look at the start, then every so often, and whenever somebody asks."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(await self._look()):
                    await self._is_asked.wait()
            self._is_asked.clear()

    async def _look(self) -> float | None:
        """Seconds until the next look; None: when somebody asks."""
        if not self._venue.has_account:
            await self._answer_alone("a paper account: its books are the venue's own")
            return None
        async with self._turn():
            before, self._has_moved = self._books(), False
        try:
            sight = await self._venue.look()
        except NoSight as error:
            log.warning("account_not_seen", why=str(error))
            await self._answer_alone(f"the venue does not say: {error}")
            return self._rhythm.confirm
        async with self._turn():
            if self._handler.execution.unclear() or before != self._books():
                return self._rhythm.confirm  # something moved meanwhile: this look proves nothing
            await self._judge(before, sight)
        open_ = self._handler.guards.causes(BREAKER)
        is_changed = any(cause.startswith(CHANGED) for cause in open_)
        is_soon = self._handler.guards.doubts or self._has_moved or is_changed
        return self._rhythm.confirm if is_soon else self._rhythm.look

    def _books(self) -> Needs:
        core = self._handler.core
        return reconcile.needs(specs=core.specs, markets=core.markets, account=core.account)

    async def _judge(self, needed: Needs, sight: Sight) -> None:
        """Doubts, holds and strangers as this look leaves them; journalled when anything changed."""
        handler = self._handler
        quote = handler.core.specs[0].quote
        found = reconcile.find_drift(needed, sight.holdings, quote=quote)
        found |= reconcile.find_skew(sight)
        changes = changed.find(
            sight.resting, specs=handler.core.specs, markets=handler.core.markets
        )
        found |= {one.cause: one.words for one in changes if one.words}
        handler.guards.doubts, doubted = set(found), handler.guards.doubts
        for cause in handler.guards.causes(BREAKER):
            if cause not in found and (cause == CLOCK or cause.startswith((DRIFT, CHANGED))):
                self._lift(cause)
        for cause, words in found.items():
            if cause in doubted:
                self._trip(cause, words)
        handler.guards.doubts -= handler.guards.causes(BREAKER)
        if sight.strangers != self._strangers:
            self._strangers = handler.batch.strangers = sight.strangers
        self._answer(reconcile.in_words(needed, sight, found))
        if not handler.batch.is_empty:
            await handler.commit()
        for one in changes:
            if one.cause not in handler.guards.doubts:  # certain by now, or nothing to be told
                await changed.put_right(handler, one)

    def _trip(self, cause: str, words: str) -> None:
        handler = self._handler
        if handler.guards.is_open(BREAKER, cause):
            return
        handler.hold(BREAKER, cause, words, open=True)
        handler.ports.live.alert(cause, words)
        log.error("breaker_tripped", cause=cause, why=words)

    def _lift(self, cause: str) -> None:
        self._handler.hold(BREAKER, cause, "", open=False)
        log.info("breaker_lifted", cause=cause)

    async def note_unclear(self, unclear: Sequence[OrderRequest]) -> None:
        """An order whose outcome nobody knows for long is a hold until the venue has said."""
        now, since = self._handler.ports.clock.monotonic(), self._unclear_since
        keys = [(order.market, order.seq) for order in unclear]
        self._unclear_since = {key: since.get(key, now) for key in keys}
        old = [key for key, at in self._unclear_since.items() if now - at >= UNKNOWN_SECONDS]
        if bool(old) == self._handler.guards.is_open(BREAKER, UNKNOWN_ORDER):
            return
        async with self._turn():
            if old:
                symbols = sorted({self._handler.core.specs[market].symbol for market, _ in old})
                words = f"{len(old)} of our orders in {', '.join(symbols)} without an outcome for"
                self._trip(UNKNOWN_ORDER, f"{words} {UNKNOWN_SECONDS:g} s")
            else:
                self._lift(UNKNOWN_ORDER)
            await self._handler.commit()

    def _answer(self, words: str) -> None:
        asked, self._asked = self._asked, set()
        self._handler.batch.commands += [CommandDone(one, words) for one in sorted(asked)]

    async def _answer_alone(self, words: str) -> None:
        if self._asked:
            async with self._turn():
                self._answer(words)
                await self._handler.commit()
