"""What an engine holds of its database: two sessions, both opened as the address says."""

import pytest
from django.db import connections

from tests.faults.processes import decisions, ended_afterwards, run_engine, wait_for

pytestmark = pytest.mark.faults
SESSIONS = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s
"""


def sessions(name: str) -> set[int]:
    with connections["default"].cursor() as cursor:
        cursor.execute(SESSIONS, [name])
        return {pid for (pid,) in cursor.fetchall()}


def test_a_trading_engine_has_two_sessions_and_both_know_the_addresss_options(
    street, environment
) -> None:
    rows = street(8000)
    address = environment["NOVA_DATABASE_APP_URL"] + "&application_name=of_the_engine"
    engine = run_engine(rows, environment | {"NOVA_DATABASE_APP_URL": address}, speed="6000")
    with ended_afterwards(engine):
        wait_for(lambda: decisions(rows) > 50, "the engine decides")
        seen = sessions("of_the_engine")
        at = decisions(rows)
        wait_for(lambda: decisions(rows) > at + 200, "it goes on")

        assert len(seen) == 2  # the lease's and the ledger's
        assert sessions("of_the_engine") == seen
