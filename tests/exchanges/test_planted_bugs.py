"""Every planted bug that shows without real rows must show here; the campaign tries all of them."""

import asyncio

import pytest

from tests.exchanges.street import LiveStreet, differences, open_simulator
from trading.chaos.days import Day
from trading.chaos.planted import ALL, Bug
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import WIRES
from trading.exchanges.simulator.faults import Fault
from trading.wiring.warm import warm_core

LONGEST_SECONDS = 20.0
LONG_ENOUGH_SECONDS = 10.0  # with a bug a day need not end
SHOWN = [bug for bug in ALL if not bug.needs_journal]


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """What compiles does so before the first day, not within it."""
    warm_core()


async def found_on(day: Day, *, seconds: float = LONGEST_SECONDS) -> list[str]:
    """What the venue's log and our journal do not agree on after this day."""
    bars, wire = stormy_bars(day.seed, day.bars), WIRES[day.wire]
    simulator = await open_simulator(bars, wire=wire)
    faults = simulator.exchange.faults

    def arm(number: int) -> None:
        due = [one for one in day.troubles if number % one.every == 0]
        if due:
            faults.armed.clear()  # what has met nothing since does not pile up
        for one in due:
            faults.arm(Fault(one.kind, one.where, words=one.words))

    params = eager_params(with_limits=day.with_limits)
    street = LiveStreet(simulator, params, bars, wire=wire, before_bar=arm)
    try:
        async with asyncio.timeout(seconds):
            await street.run()
    except (TimeoutError, AssertionError) as error:
        return [f"the day was not over: {error}", *differences(simulator, street)]
    finally:
        await simulator.stop()
    return differences(simulator, street)


@pytest.mark.parametrize("bug", SHOWN, ids=[bug.name for bug in SHOWN])
async def test_a_planted_bug_is_found(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(lambda place, name, value: monkeypatch.setattr(place, name, value))

    found = await found_on(bug.day, seconds=LONG_ENOUGH_SECONDS)

    assert [words for words in found if not words.startswith("the day was not over")], found


@pytest.mark.parametrize("day", sorted({bug.day for bug in SHOWN}, key=str), ids=str)
async def test_the_same_days_without_a_bug_are_equal(day: Day) -> None:
    assert await found_on(day) == []
