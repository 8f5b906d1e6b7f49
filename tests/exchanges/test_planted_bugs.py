"""Every planted bug that shows without real rows must show here; the campaign tries all of them."""

import asyncio
from typing import Any

import pytest

from tests.exchanges.street import LiveStreet, differences, open_simulator
from trading.chaos.days import Day
from trading.chaos.planted import ALL, Bug
from trading.chaos.stormy import stormy_bars
from trading.chaos.temper import eager_params
from trading.chaos.wires import WIRES
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator
from trading.wiring.warm import warm_core

LONGEST_SECONDS = 20.0
LOOK_SECONDS, STILL_LOOKS = 0.02, 150  # with a bug a day need not go on
NOT_OVER = "the day was not over"
SHOWN = [bug for bug in ALL if not bug.needs_journal]


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """What compiles does so before the first day, not within it."""
    warm_core()


async def found_on(day: Day) -> list[str]:
    """What the venue's log and our journal do not agree on after this day, or once it stands still."""
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
    going, still = asyncio.create_task(street.run()), asyncio.create_task(stands_still(simulator))
    try:
        await asyncio.wait(
            {going, still}, timeout=LONGEST_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if going.done():
            going.result()
            return differences(simulator, street)
        return [NOT_OVER, *differences(simulator, street)]
    except AssertionError as error:
        return [f"{NOT_OVER}: {error}", *differences(simulator, street)]
    finally:
        going.cancel()
        still.cancel()
        await asyncio.gather(going, still, return_exceptions=True)
        await simulator.stop()


async def stands_still(simulator: Simulator) -> None:
    """Until the venue's time has not moved for many looks; venue, engine and looks share one loop."""
    seen_ns, looks = 0, 0
    while looks < STILL_LOOKS:
        await asyncio.sleep(LOOK_SECONDS)
        before_ns, seen_ns = seen_ns, simulator.clock.now_ns()
        looks = looks + 1 if seen_ns == before_ns else 0


@pytest.mark.parametrize("bug", ALL, ids=[bug.name for bug in ALL])
def test_what_a_bug_replaces_is_there(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = []

    def put(place: Any, name: str, value: Any) -> None:
        monkeypatch.setattr(place, name, value)
        replaced.append(name)

    bug.plant(put)

    assert replaced


@pytest.mark.parametrize("bug", SHOWN, ids=[bug.name for bug in SHOWN])
async def test_a_planted_bug_is_found(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(lambda place, name, value: monkeypatch.setattr(place, name, value))

    found = await found_on(bug.day)

    assert [words for words in found if not words.startswith(NOT_OVER)], found


@pytest.mark.parametrize("day", sorted({bug.day for bug in SHOWN}, key=str), ids=str)
async def test_the_same_days_without_a_bug_are_equal(day: Day) -> None:
    assert await found_on(day) == []
