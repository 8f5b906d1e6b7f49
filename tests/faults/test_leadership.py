"""Two engines for one account: one trades, one waits and takes over; the stale one can do nothing."""

import os
import signal

import pytest
from django.db import connections

from tests.faults.processes import (
    decisions,
    ended_afterwards,
    engine_row,
    run_engine,
    wait_for,
)
from trading.wiring.parity import check_parity

pytestmark = pytest.mark.faults


def test_of_two_engines_one_trades_and_the_other_takes_over_when_it_is_killed(
    street, environment
) -> None:
    rows = street(6000)
    first = run_engine(rows, environment, speed="6000")
    with ended_afterwards(first):
        wait_for(lambda: decisions(rows) > 50, "the first engine decides")
        second = run_engine(rows, environment, speed="max")
        with ended_afterwards(second):
            before = engine_row(rows).epoch
            wait_for(lambda: standing_by() == 1, "the other stands by")
            seen = decisions(rows)
            wait_for(
                lambda: decisions(rows) > seen + 100, "the first goes on while the other waits"
            )
            assert engine_row(rows).epoch == before == 1

            os.kill(first.pid, signal.SIGKILL)

            wait_for(lambda: engine_row(rows).epoch == 2, "the standby leads", seconds=10)
            assert second.wait(timeout=60) == 0

    assert engine_row(rows).priced_at is None, "a replay hears no prices between its bars"
    parity = check_parity(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    assert parity.is_equal, parity.differences
    assert parity.fills > 10


def test_of_three_standbys_one_at_a_time_takes_over(street, environment) -> None:
    rows = street(8000)
    first = run_engine(rows, environment, speed="6000")
    with ended_afterwards(first):
        wait_for(lambda: decisions(rows) > 50, "the first engine decides", seconds=120)
        others = [run_engine(rows, environment, speed="60000") for _ in range(3)]
        with ended_afterwards(*others):
            wait_for(lambda: standing_by() == 3, "three stand by", seconds=120)
            assert engine_row(rows).epoch == 1
            for number, one in enumerate((first, *others[:2])):
                seen, before = decisions(rows), engine_row(rows).epoch
                os.kill(one.pid, signal.SIGKILL)
                if number == 0:
                    wait_for(lambda: engine_row(rows).epoch == 2, "one of three leads")
                wait_for(lambda: decisions(rows) > seen, "somebody goes on")  # noqa: B023
                assert engine_row(rows).epoch - before in (0, 1)
            assert others[2].wait(timeout=120) == 0

    assert engine_row(rows).observed == "FINISHED"
    parity = check_parity(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    assert parity.is_equal, parity.differences


def standing_by() -> int:
    """How many sessions wait for this database's only lease; a role sees its own sessions' words."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE 'SELECT pg_try_advisory_lock%'"
        )
        return int(cursor.fetchone()[0])


def test_a_leader_that_hangs_is_replaced_and_finds_itself_fenced_when_it_wakes(
    street, environment
) -> None:
    rows = street(6000, speed="60000")
    first = run_engine(rows, environment, speed="60000")
    with ended_afterwards(first):
        wait_for(lambda: decisions(rows) > 50, "the first engine decides")
        os.kill(first.pid, signal.SIGSTOP)
        second = run_engine(rows, environment, speed="max")
        with ended_afterwards(second):
            wait_for(lambda: engine_row(rows).epoch == 2, "the standby leads", seconds=20)

            os.kill(first.pid, signal.SIGCONT)

            assert first.wait(timeout=30) != 0
            assert second.wait(timeout=60) == 0

    assert engine_row(rows).observed == "FINISHED"
    parity = check_parity(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    assert parity.is_equal, parity.differences


def test_a_stopped_engine_resumes_where_it_was(street, environment) -> None:
    rows = street(6000, speed="60000")
    first = run_engine(rows, environment, speed="60000")
    with ended_afterwards(first):
        wait_for(lambda: decisions(rows) > 200, "the engine decides")
        os.kill(first.pid, signal.SIGTERM)
        assert first.wait(timeout=20) == 0
    assert engine_row(rows).observed == "STOPPED"
    assert engine_row(rows).detail == "stopped cleanly"

    again = run_engine(rows, environment)
    with ended_afterwards(again):
        assert again.wait(timeout=60) == 0

    parity = check_parity(tenant_id=str(rows.tenant_id), engine_id=str(rows.engine_id))
    assert parity.is_equal, parity.differences
    assert parity.decisions > 5500
