"""A fleet gives up on an engine that keeps crashing, and on no other."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tenants.scoping import tenant_scope
from tests.factories import EngineRows
from trading import operations
from trading.fleet import CANNOT_RUN, DATABASE_LOST, LEADERSHIP_LOST, MOST_CRASHES, Fleet
from trading.models import Alert, Engine

pytestmark = pytest.mark.faults


def lives(fleet: Fleet, count: int) -> None:
    """So many starts and ends, without the pauses between them."""
    for _ in range(count):
        fleet.step()
        for child in fleet.children.values():
            if child.pid:
                os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        fleet.step()
        for child in fleet.children.values():
            child.not_before = 0.0


def wanted(street: Callable[..., EngineRows]) -> EngineRows:
    rows = street(10)
    with tenant_scope(rows.tenant_id):
        Engine.objects.update(desired=Engine.Desired.RUNNING)
    return rows


def test_an_engine_that_crashed_five_times_is_parked_until_a_person_starts_it(street) -> None:
    rows = wanted(street)
    fleet = Fleet(main=lambda engine, at_rest: 1)

    lives(fleet, MOST_CRASHES - 1)
    with tenant_scope(rows.tenant_id):
        assert Engine.objects.get().observed != Engine.Observed.PARKED
    lives(fleet, 2)
    with tenant_scope(rows.tenant_id):
        parked, alert = Engine.objects.get(), Alert.objects.get()
        assert parked.observed == Engine.Observed.PARKED
        assert alert.cause == "crashes"
        assert parked.detail == alert.words
    fleet.step()
    assert fleet.children == {}

    with tenant_scope(rows.tenant_id):
        operations.start_engine(engine_id=parked.id, actor=None, now=alert.raised_at)
    fleet.step()
    assert [bool(child.pid) for child in fleet.children.values()] == [True]
    fleet.stop_all()


@pytest.mark.parametrize("code", [0, LEADERSHIP_LOST, CANNOT_RUN, DATABASE_LOST, -signal.SIGTERM])
def test_an_end_that_is_no_crash_never_parks(street, code: int) -> None:
    rows = wanted(street)

    def main(*_: object) -> int:
        if code < 0:
            os.kill(os.getpid(), -code)
            time.sleep(5)
        return code

    lives(Fleet(main=main), MOST_CRASHES + 2)

    with tenant_scope(rows.tenant_id):
        assert Engine.objects.get().observed != Engine.Observed.PARKED
