"""Answers of a venue's REST for all engines of a host: asked for once, told as often as they hold."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from trading.exchanges.failures import FAILS
from trading.exchanges.public_rest import PublicRest
from trading.exchanges.shared import words
from trading.exchanges.shared.dialect import Dialect, NotShared, Params, Reuse
from trading.exchanges.venue_clock import VenueClock

SETTLE_NS = 2_000_000_000  # a candle by REST may lack its last trades for so long
AT_ONCE = 4
TIDY_SECONDS = 10.0
Key = tuple[str, tuple[tuple[str, str | int], ...]]


@dataclass(slots=True)
class Kept:
    """One answer, packed, or the wait for it."""

    asked_ns: int  # the venue's time was at least this when it was asked; 0: not known
    asked_at: float
    reuse: Reuse
    answer: "asyncio.Task[bytes]"
    table: Any = None  # the same unpacked, once somebody wants some of its rows

    def holds(self, *, now_ns: int, now: float) -> bool:
        """Whether a new one would say the same.

        Candles that are final now were so when it was asked, if it was asked after the newest end
        of an interval. ``now_ns`` must be no earlier than any time an engine was told.
        """
        if self.answer.done() and (self.answer.cancelled() or self.answer.exception()):
            return False
        length_ns = self.reuse.candle_ns
        if not length_ns:
            return now - self.asked_at < self.reuse.seconds
        return self.asked_ns >= now_ns - now_ns % length_ns + SETTLE_NS


class Answers:
    """Public reads of many engines, few of them to the venue."""

    def __init__(self, *, rest: PublicRest, dialect: Dialect, clock: VenueClock) -> None:
        self._rest, self._dialect, self._clock = rest, dialect, clock
        self._kept: dict[Key, Kept] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tidied_at = 0.0
        self.asked = self.passed_on = 0

    async def tell(self, ask: words.Ask) -> bytes:
        """The packed answer, or why there is none."""
        try:
            return await self._tell(ask, self._find(ask.path, ask.params))
        except FAILS as error:
            kind = next(failure.__name__ for failure in FAILS if isinstance(error, failure))
            return words.pack(words.Failed(kind, str(error)))
        except NotShared as error:
            return words.pack(words.Failed("ApiError", f"not shared: {error}"))

    async def _tell(self, ask: words.Ask, kept: Kept) -> bytes:
        answer: Any = msgspec.Raw(await asyncio.shield(kept.answer))
        if ask.symbols:
            if kept.table is None:
                kept.table = msgspec.msgpack.decode(answer)
            answer = self._dialect.rows(kept.table, ask.symbols)
        age_seconds = asyncio.get_running_loop().time() - kept.asked_at
        return words.pack(words.Told(answer, age_seconds))

    async def public(self, path: str, /, **params: Any) -> Any:
        """The answer, for the shared feed itself."""
        return msgspec.msgpack.decode(await asyncio.shield(self._find(path, params).answer))

    async def close(self) -> None:
        """Stop waiting, and close the connections."""
        for kept in self._kept.values():
            kept.answer.cancel()
        await asyncio.gather(*(k.answer for k in self._kept.values()), return_exceptions=True)
        await self._rest.close()

    def _find(self, path: str, params: Params) -> Kept:
        self.asked += 1
        key = (path, tuple(sorted(params.items())))
        now_ns, now = self._clock.now_ns(), asyncio.get_running_loop().time()
        self._tidy(now_ns=now_ns, now=now)
        kept = self._kept.get(key)
        if kept is None or not kept.holds(now_ns=now_ns, now=now):
            reuse = self._dialect.reuse(path, params)
            task = asyncio.create_task(self._ask(path, params))
            kept = self._kept[key] = Kept(now_ns if self._clock.has_heard else 0, now, reuse, task)
        return kept

    async def _ask(self, path: str, params: Params) -> bytes:
        async with self._turns:
            self.passed_on += 1
            answer = await self._rest.public(path, **params)
        told_ns = self._dialect.time_ns(path, answer)
        if told_ns:
            self._clock.hear(told_ns)
        return msgspec.msgpack.encode(answer)

    def _tidy(self, *, now_ns: int, now: float) -> None:
        """Forget what cannot be told again."""
        if now - self._tidied_at < TIDY_SECONDS:
            return
        self._tidied_at = now
        self._kept = {
            key: kept
            for key, kept in self._kept.items()
            if not kept.answer.done() or kept.holds(now_ns=now_ns, now=now)
        }
