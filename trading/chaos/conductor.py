"""A feed that moves the venue's time from bar to bar, so that a day passes in seconds.

Deadlines, expiries and rate limits mean at the venue what they always mean; time goes on when the
engine has done what there was to do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np

from trading.engine.messages import BarClosed, FeedChange, PriceTick
from trading.engine.runner import Runner

BAR_VALUES = ("open", "high", "low", "close", "volume")
MINUTE_NS = 60_000_000_000
SECOND_NS = 1_000_000_000
STEPS_PER_BAR = 3
STEP_NS = MINUTE_NS // STEPS_PER_BAR
PAUSE_SECONDS = 0.001
SECOND_SECONDS = 0.02  # how long a second lasts while the venue is being asked
SETTLING_SECONDS = 5  # of the venue's time that pass at once while everything settles


def pace_of(runner: Runner) -> Callable[[], int]:
    """Seconds at a time while an order is unclear or should fill, so that the venue can be asked."""

    def most_seconds() -> int:
        if runner.has_unclear_orders:
            return 1
        return 5 if runner.awaits_fills else STEP_NS // SECOND_NS

    return most_seconds


def is_done(runner: Runner) -> bool:
    """Whether the engine has done what there was to do at this moment of the venue's time.

    An account with an unclear order cannot be judged, and the order becomes clear as time goes on.
    """
    return runner.is_at_rest and (runner.has_seen_account or runner.has_unclear_orders)


async def no_trouble(*_: int) -> None:
    """Nothing happens, and nothing is to be mended."""


@dataclass
class Conductor:
    """Bars of one market; ``advance`` moves the venue's time and tells the last price there.

    ``most_seconds`` says how much of its time may pass at once.
    """

    bars: np.ndarray
    advance: Callable[[int], Awaitable[float]]
    before_bar: Callable[[int], Awaitable[None]] = no_trouble
    heal: Callable[[], Awaitable[None]] = no_trouble
    is_idle: Callable[[], bool] = lambda: True
    most_seconds: Callable[[], int] = lambda: STEP_NS // SECOND_NS
    settles_seconds: int = 30

    @property
    def is_quiet(self) -> bool:
        """What it has to tell is told as it comes."""
        return True

    async def news(
        self, *, after_ns: Mapping[int, int]
    ) -> AsyncIterator[BarClosed | FeedChange | PriceTick]:
        """Each bar as prices on its way and then as closed; at the end, time for what is unclear."""
        yield FeedChange("candles", is_up=True, reason="")
        end_ns = int(self.bars["open_ns"][0])
        for number, bar in enumerate(self.bars):
            open_ns = int(bar["open_ns"])
            end_ns = open_ns + MINUTE_NS
            if open_ns <= after_ns.get(0, 0):
                continue
            await self.before_bar(number)
            for step in range(STEPS_PER_BAR):
                async for tick in self._pass(
                    open_ns + STEP_NS * step, open_ns + STEP_NS * (step + 1)
                ):
                    yield tick
            first, high, low, last, volume = (float(bar[name]) for name in BAR_VALUES)
            yield BarClosed(0, open_ns, first, high, low, last, volume)
            await self._calm()
        await self.heal()
        settled_ns = end_ns + self.settles_seconds * SECOND_NS
        async for tick in self._pass(end_ns, settled_ns, at_once_seconds=SETTLING_SECONDS):
            yield tick

    async def _pass(
        self, now_ns: int, until_ns: int, *, at_once_seconds: int = STEP_NS // SECOND_NS
    ) -> AsyncIterator[PriceTick]:
        """From one moment to a later one, slowly while the engine waits for the venue's word."""
        while now_ns < until_ns:
            step_ns = min(self.most_seconds(), at_once_seconds) * SECOND_NS
            now_ns = min(now_ns + step_ns, until_ns)
            yield await self._tick(now_ns)
            await self._calm()
            if step_ns < STEP_NS:
                await asyncio.sleep(SECOND_SECONDS)

    async def _tick(self, time_ns: int) -> PriceTick:
        return PriceTick(0, time_ns, await self.advance(time_ns))

    async def _calm(self) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        while not self.is_idle():
            await asyncio.sleep(PAUSE_SECONDS)

    async def history(self, *, market: int, before_ns: int, count: int) -> np.ndarray:
        """The last bars before a moment."""
        return self.bars[self.bars["open_ns"] < before_ns][-count:]

    async def close(self) -> None:
        """Nothing is held."""
