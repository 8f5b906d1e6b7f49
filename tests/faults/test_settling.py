"""A fleet begins as many engines at once as the host has cores, the next when one is at rest."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tenants.scoping import tenant_scope
from tests.factories import EngineRows
from tests.faults.processes import wait_for
from trading import settling
from trading.fleet import Fleet
from trading.models import Engine
from trading.settling import AtRest, Pipe, Settling
from trading.wiring.directory import ListedEngine

pytestmark = pytest.mark.faults


class Starts:
    """Engines that begin, rest when a file with their number is there, and stay until they are ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, engine: ListedEngine, at_rest: AtRest) -> int:
        wait_for(lambda: (self.folder / engine.engine_id).exists(), "it may rest")
        at_rest()
        at_rest()
        signal.pause()
        return 0

    def let_rest(self, engine_id: str) -> None:
        (self.folder / engine_id).touch()


@pytest.fixture
def fleet(street: Callable[..., EngineRows], tmp_path: Path) -> "Fleet":
    for number in range(5):
        rows = street(3, slug=f"acme-{number}")
        with tenant_scope(rows.tenant_id):
            Engine.objects.update(desired=Engine.Desired.RUNNING)
    return Fleet(main=Starts(tmp_path), settling=Settling(most=2))


def running(fleet: Fleet) -> set[str]:
    return {name for name, child in fleet.children.items() if child.pid}


def step_until(fleet: Fleet, count: int) -> set[str]:
    def has() -> bool:
        fleet.step()
        return len(running(fleet)) >= count

    wait_for(has, f"{count} run")
    assert len(running(fleet)) == count
    return running(fleet)


def test_the_next_begins_when_one_rests_and_all_begin_in_the_end(fleet: Fleet) -> None:
    try:
        fleet.step()
        fleet.step()
        first = running(fleet)
        assert len(first) == 2
        for count, rested in ((3, min(first)), (4, max(first))):
            fleet.main.let_rest(rested)  # type: ignore[attr-defined]
            step_until(fleet, count)
            fleet.step()
            assert len(running(fleet)) == count  # those that begin are two again
    finally:
        fleet.stop_all()


def test_one_that_dies_while_it_begins_makes_room(fleet: Fleet) -> None:
    try:
        fleet.step()
        first = running(fleet)
        victim = fleet.children[min(first)]
        victim.not_before = float("inf")
        os.kill(victim.pid, signal.SIGKILL)

        def is_replaced() -> bool:
            fleet.step()
            victim.not_before = float("inf")
            return len(running(fleet) - first) == 1

        wait_for(is_replaced, "another begins in its place")
    finally:
        fleet.stop_all()


def test_one_that_never_rests_is_waited_for_no_longer_than_a_while(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        fleet.step()
        assert len(running(fleet)) == 2
        monkeypatch.setattr(settling, "MOST_SECONDS", 0.0)
        assert len(step_until(fleet, 5)) == 5
    finally:
        fleet.stop_all()


def test_a_start_that_is_over_ends_one_wait_of_the_parent_and_no_other() -> None:
    starts, pipe = Settling(most=1), Pipe.make()
    starts.note(pipe, time.monotonic())  # nobody has the writing end: it is over

    starts.wait(5.0)

    with pytest.raises(OSError):
        os.fstat(pipe.reader)  # or every later wait would return at once
    assert starts.has_room(time.monotonic())
