"""The contract of persistence tells of a standby: that it is there, and how far it is behind."""

from pathlib import Path

import pytest
from django.db import connection
from psycopg import sql

from tenants.scoping import tenant_scope
from tests.faults.crashing import database_of_its_own
from tests.faults.processes import wait_for
from tests.faults.standby import standby_of
from trading.queries.storage import Mirror, describe_storage

pytestmark = pytest.mark.faults


def test_a_standby_is_told_of_and_its_lag_where_the_role_may_see_it(
    street, fresh_database, environment, tmp_path: Path
) -> None:
    rows = street(10)

    def the_mirror() -> Mirror:
        with tenant_scope(rows.tenant_id):
            (found,) = describe_storage().ledger.mirrors
        return found

    with (
        database_of_its_own(fresh_database.name, environment, tmp_path / "own") as primary,
        standby_of(primary, tmp_path / "standby") as standby,
    ):
        unseen = the_mirror()
        role = sql.Identifier(connection.settings_dict["USER"])
        with primary.server.connect() as session:
            session.execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(role))
        level = Mirror(unseen.name, "streaming", False, 0, 0.0)
        wait_for(lambda: the_mirror() == level, "the standby has replayed everything")
        standby.ask("SELECT pg_wal_replay_pause()::text")
        with primary.server.connect() as session:
            session.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 10000))")
        wait_for(lambda: (the_mirror().lag_bytes or 0) > 10_000, "it lags behind")

    assert unseen == Mirror("walreceiver", None, None, None, None)
