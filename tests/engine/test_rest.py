"""When an engine says that its start is over: behind its history, or as a standby."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.engine.fakes import ManualClock
from trading.engine.rest import FEW, LOOK_SECONDS, STANDBY_SECONDS, come_to_rest


@dataclass
class Pace:
    """What a runner tells, look by look."""

    told: list[int]
    has_led: bool = True

    @property
    def handled(self) -> int:
        return self.told.pop(0) if len(self.told) > 1 else self.told[0]


async def rests_after(pace: Pace) -> float:
    clock = ManualClock()
    await asyncio.wait_for(come_to_rest(pace, clock), 5)
    return clock.seconds


@pytest.mark.parametrize(
    ("told", "looks"),
    [
        ([0, 0, 300, 700, 720], 5),  # the last of the history, and its first bar that is not
        ([1, 1], 2),  # nothing was missed
        ([FEW + 2, 2 * FEW + 3, 2 * FEW + 4], 3),
        ([0, FEW * 9, FEW * 10], 3),
    ],
)
async def test_it_rests_once_no_history_comes_any_more(told: list[int], looks: int) -> None:
    assert await rests_after(Pace(told)) == pytest.approx(looks * LOOK_SECONDS)


async def test_a_standby_rests_although_it_hears_nothing() -> None:
    assert await rests_after(Pace([0], has_led=False)) == pytest.approx(STANDBY_SECONDS)
