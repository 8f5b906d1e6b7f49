"""A journal whose commits take long: told, and nothing is entered until they are quick again."""

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog

from trading.engine.guards import BREAKER
from trading.engine.handler import Handler

log = structlog.get_logger(__name__)

SLOW = "slow journal"
LOOK_SECONDS = 0.5

Turn = Callable[[], AbstractAsyncContextManager[None]]


class SlowJournal:
    """Looks after one journal; while it is slow it is given something to keep at each look."""

    def __init__(self, handler: Handler, *, turn: Turn) -> None:
        self._handler, self._turn, self._tempo = handler, turn, handler.tempo
        self._is_told = False

    async def run(self) -> None:
        """Until cancelled."""
        if self._tempo.most_seconds == math.inf:
            await asyncio.Event().wait()
        while True:
            await self._handler.ports.clock.sleep(LOOK_SECONDS)
            is_waiting = self._tempo.waited() > self._tempo.most_seconds
            if is_waiting:
                self._tell()  # also where that commit never ends
            if self._tempo.is_slow() or self._handler.guards.is_open(BREAKER, SLOW):
                async with self._turn():
                    await self._judge()
            elif not is_waiting:
                self._is_told = False  # quick again before it became a hold

    async def _judge(self) -> None:
        is_open = self._handler.guards.is_open(BREAKER, SLOW)
        if self._tempo.is_slow() and not is_open:
            self._tell()
            words = f"{self._tempo.words}; entries wait, stops and exits run as late as that"
            self._handler.hold(BREAKER, SLOW, words, open=True)
        elif is_open and not self._tempo.is_slow():
            self._is_told = False
            self._handler.hold(BREAKER, SLOW, "", open=False)
            log.info("journal_quick")
        await self._handler.commit()

    def _tell(self) -> None:
        """At once, once, and without the journal."""
        if not self._is_told:
            self._is_told = True
            self._handler.ports.live.alert(SLOW, self._tempo.words)
            log.error("journal_slow", why=self._tempo.words)
