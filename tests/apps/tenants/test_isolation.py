"""Tenants cannot see each other: every table of the real database, walked as the app role."""

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction
from django.db.utils import IntegrityError, ProgrammingError
from psycopg import sql

from tenants.models import AuditEntry, Tenant
from tenants.scoping import tenant_scope
from tenants.security import secure_tables, tenant_foreign_keys, tenant_models
from tests.factories import make_tenant
from tests.tenant_rows import Rows, walked_tables
from trading.models import Fill, Order


@dataclass
class TwoTenants:
    """Acme and Max's workspace, with a row of each in every table."""

    acme: Tenant
    max: Tenant
    rows: dict[Any, Rows]


@pytest.fixture
def two_tenants(fresh_database) -> TwoTenants:
    acme, stranger = make_tenant("acme"), make_tenant("max")
    rows = {tenant.id: Rows(tenant) for tenant in (acme, stranger)}
    for maker in rows.values():
        for model in tenant_models():
            maker.get(model)
    return TwoTenants(acme, stranger, rows)


def _run(statement: str, *values: Any, alias: str = "default", **names: str) -> Any:
    """Execute on one alias; the rows, or how many were touched."""
    query = sql.SQL(statement).format(**{key: sql.Identifier(name) for key, name in names.items()})
    with connections[alias].cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def _refused(error: type[Exception], statement: str, *values: Any, **names: str) -> bool:
    """Whether a statement, alone in its savepoint, ends in this error."""
    alias = names.pop("alias", "default")
    try:
        with transaction.atomic(using=alias):
            _run(statement, *values, alias=alias, **names)
            _run("SET CONSTRAINTS ALL IMMEDIATE", alias=alias)
    except error:
        return True
    return False


def test_every_table_holds_rows_of_both_tenants_so_that_the_walk_proves_something(two_tenants):
    both = {(two_tenants.acme.id,), (two_tenants.max.id,)}

    for table in walked_tables():
        found = _run("SELECT DISTINCT tenant_id FROM {table}", alias="staff", table=table)
        assert set(found) == both, table


def test_the_walk_covers_every_model_of_a_tenant(fresh_database):
    assert walked_tables() == {model._meta.db_table for model in tenant_models()}


def test_without_a_tenant_nothing_is_visible(two_tenants):
    seen = [t for t in walked_tables() if _run("SELECT 1 FROM {t} LIMIT 1", t=t)]

    assert seen == []
    assert _run("SELECT 1 FROM tenants_tenant") == []


def test_with_a_tenant_only_its_own_rows_are_visible(two_tenants):
    for tenant in (two_tenants.acme, two_tenants.max):
        with tenant_scope(tenant.id):
            for table in walked_tables():
                found = _run("SELECT DISTINCT tenant_id FROM {table}", table=table)
                assert found == [(tenant.id,)], table
            assert _run("SELECT id FROM tenants_tenant") == [(tenant.id,)]


def test_without_a_tenant_nothing_can_be_written(two_tenants):
    for model in tenant_models():
        row = two_tenants.rows[two_tenants.acme.id].get(model)
        assert _is_insert_refused(model, row, tenant_id=two_tenants.acme.id), model


def test_inserting_for_another_tenant_is_refused(two_tenants):
    with tenant_scope(two_tenants.acme.id):
        for model in tenant_models():
            row = two_tenants.rows[two_tenants.acme.id].get(model)
            assert _is_insert_refused(model, row, tenant_id=two_tenants.max.id), model


def _is_insert_refused(model: Any, row: Any, **changed: Any) -> bool:
    # The same row again: the policy is asked before any key is looked at.
    fields = model._meta.concrete_fields
    values = [
        changed.get(f.attname, f.get_db_prep_save(getattr(row, f.attname), connection))
        for f in fields
    ]
    columns = sql.SQL(", ").join(sql.Identifier(f.column) for f in fields)
    marks = sql.SQL(", ").join(sql.Placeholder() * len(fields))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(model._meta.db_table), columns, marks
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except ProgrammingError as error:
        return "row-level security" in str(error)
    return False


def test_moving_a_row_to_another_tenant_is_refused(two_tenants):
    with tenant_scope(two_tenants.acme.id):
        for table in walked_tables():
            statement = "UPDATE {table} SET tenant_id = %s"
            assert _refused(ProgrammingError, statement, two_tenants.max.id, table=table), table


def test_changing_and_deleting_do_not_reach_another_tenants_rows(two_tenants):
    changeable = {m._meta.db_table for m in tenant_models() if not m.APPEND_ONLY}

    with tenant_scope(two_tenants.acme.id):
        for table in changeable:
            of_max = "WHERE tenant_id = %s"
            where = two_tenants.max.id
            updated = _run(f"UPDATE {{t}} SET tenant_id = tenant_id {of_max}", where, t=table)
            deleted = _run(f"DELETE FROM {{t}} {of_max}", where, t=table)
            assert (updated, deleted) == (0, 0), table


def test_foreign_keys_cannot_cross_tenants(two_tenants):
    acme, stranger = (two_tenants.rows[t.id] for t in (two_tenants.acme, two_tenants.max))
    crossed = []

    for model in tenant_models():
        for field in tenant_foreign_keys(model):
            foreign = stranger.make_apart(field.related_model)
            with pytest.raises(IntegrityError, match=r"_tenant"):
                _make_at_once(Rows(acme.tenant), model, **{field.attname: foreign.pk})
            crossed.append(field)

    assert len(crossed) >= 15


def _make_at_once(rows: Rows, model: Any, **given: Any) -> None:
    with tenant_scope(rows.tenant.id):
        rows.make(model, **given)


def test_every_foreign_key_between_tenants_rows_carries_the_tenant(fresh_database):
    """From the catalogue, so also for keys that no model knows of."""
    keys = _run(
        """
        SELECT k.conrelid::regclass::text, k.confrelid::regclass::text,
               array_agg(s.attname ORDER BY s.attname), array_agg(t.attname ORDER BY t.attname)
        FROM pg_constraint k, unnest(k.conkey, k.confkey) AS pair(source, target)
        JOIN pg_attribute s ON true JOIN pg_attribute t ON true
        WHERE k.contype = 'f' AND s.attrelid = k.conrelid AND s.attnum = pair.source
          AND t.attrelid = k.confrelid AND t.attnum = pair.target
        GROUP BY k.oid, k.conrelid, k.confrelid
        """
    )
    walked = walked_tables()
    between = [key for key in keys if key[0] in walked and key[1] in walked]
    tight = {(a, b, *(set(c) - {"tenant_id"})) for a, b, c, _ in between if "tenant_id" in c}

    plain = {(a, b, *c) for a, b, c, _ in between if "tenant_id" not in c}

    assert plain - tight == set()
    assert plain


def test_append_only_tables_refuse_change_and_removal_as_app_and_as_owner(two_tenants):
    tables = [m._meta.db_table for m in tenant_models() if m.APPEND_ONLY]
    attempts = ("UPDATE {t} SET tenant_id = tenant_id", "DELETE FROM {t}", "TRUNCATE {t} CASCADE")

    for table in tables:
        for attempt in attempts:
            with tenant_scope(two_tenants.acme.id):
                assert _refused(ProgrammingError, attempt, t=table), (table, attempt)
            assert _refused(ProgrammingError, attempt, t=table, alias="staff"), (table, attempt)
            assert _refused(IntegrityError, attempt, t=table, alias="owner"), (table, attempt)

    assert AuditEntry._meta.db_table in tables


def test_operators_read_what_trades_but_do_not_write_it(two_tenants):
    tables = [m._meta.db_table for m in tenant_models() if m._meta.app_label != "tenants"]

    for table in tables:
        assert _run("SELECT count(*) FROM {t}", t=table, alias="staff")[0][0] >= 2
        for attempt in ("UPDATE {t} SET tenant_id = tenant_id", "DELETE FROM {t}"):
            assert _refused(ProgrammingError, attempt, t=table, alias="staff"), table


def test_the_app_role_owns_nothing_and_is_a_member_of_nothing(fresh_database):
    owned = _run(
        """
        SELECT oid::regclass::text FROM pg_class WHERE relowner = current_user::regrole
        UNION ALL SELECT proname FROM pg_proc WHERE proowner = current_user::regrole
        UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = current_user::regrole
        UNION ALL SELECT typname FROM pg_type WHERE typowner = current_user::regrole
        UNION ALL SELECT datname FROM pg_database WHERE datdba = current_user::regrole
        """
    )
    rights = _run(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
        " FROM pg_roles WHERE rolname = current_user"
    )
    memberships = _run("SELECT roleid FROM pg_auth_members WHERE member = current_user::regrole")

    assert owned == []
    assert rights == [(False,) * 5]
    assert memberships == []


@pytest.mark.parametrize(
    "attempt",
    [
        "ALTER TABLE trading_fill DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE trading_fill NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE trading_fill DISABLE TRIGGER append_only",
        "DROP POLICY tenant_isolation ON trading_fill",
        "CREATE POLICY mine ON trading_fill USING (true)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "SET ROLE novapulse_staff",
        "SET ROLE novapulse",
        "SET SESSION AUTHORIZATION novapulse",
        "COPY trading_fill TO PROGRAM 'cat'",
        "TRUNCATE tenants_tenant CASCADE",
        "UPDATE auth_permission SET codename = 'mine'",
        "SELECT * FROM django_admin_log",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
    ],
)
def test_the_app_role_cannot_take_a_wall_down(fresh_database, attempt):
    assert _refused(ProgrammingError, attempt)


def test_switching_row_security_off_gives_an_error_and_no_rows(two_tenants):
    with transaction.atomic():
        _run("SET LOCAL row_security = off")
        assert _refused(ProgrammingError, "SELECT * FROM trading_fill")


def test_no_view_looks_past_the_policies(fresh_database):
    views = _run(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')"
    )

    assert views == []


def test_the_tenant_does_not_outlive_its_transaction(two_tenants):
    with tenant_scope(two_tenants.acme.id):
        assert _tenant_on_connection() == str(two_tenants.acme.id)

    assert _tenant_on_connection() == ""
    assert _run("SELECT 1 FROM tenants_membership") == []


def test_the_tenant_does_not_outlive_a_scope_that_raised(two_tenants):
    with pytest.raises(ZeroDivisionError), tenant_scope(two_tenants.acme.id):
        _ = 1 / 0

    assert _tenant_on_connection() == ""


def test_the_tenant_does_not_outlive_its_scope_inside_a_longer_transaction(two_tenants):
    with transaction.atomic():
        with tenant_scope(two_tenants.acme.id):
            _run("SELECT 1 FROM tenants_membership")
        between = _tenant_on_connection()
        with pytest.raises(ZeroDivisionError), tenant_scope(two_tenants.max.id):
            _ = 1 / 0
        after_an_error = _tenant_on_connection()

    assert (between, after_an_error) == ("", "")


def test_checks_that_wait_for_the_end_run_while_the_scope_still_shows_their_rows(two_tenants):
    acme, stranger = (two_tenants.rows[t.id] for t in (two_tenants.acme, two_tenants.max))
    foreign = stranger.make_apart(Order)

    def fill_a_foreign_order() -> None:
        with transaction.atomic():
            _make_at_once(acme, Fill, order_id=foreign.pk)
            pytest.fail("the scope closed without its checks")

    with pytest.raises(IntegrityError, match="trading_fill_order_id_tenant"):
        fill_a_foreign_order()


def _tenant_on_connection() -> str:
    value = _run("SELECT current_setting('app.tenant_id', true)")[0][0]
    return value or ""


def test_threads_of_two_tenants_do_not_mix(two_tenants):
    seen: list[tuple[Any, list[Any]]] = []
    barrier = threading.Barrier(6)

    def look(tenant_id: Any) -> None:
        barrier.wait(timeout=20)
        for _ in range(20):
            with tenant_scope(tenant_id):
                seen.append((tenant_id, _run("SELECT DISTINCT tenant_id FROM trading_fill")))
        connections.close_all()

    tenants = [two_tenants.acme.id, two_tenants.max.id] * 3
    threads = [threading.Thread(target=look, args=(tenant_id,)) for tenant_id in tenants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(seen) == 120
    assert all(found == [(tenant_id,)] for tenant_id, found in seen)


def test_interleaved_coroutines_of_two_tenants_do_not_mix(two_tenants):
    def look(tenant_id: Any) -> tuple[Any, list[Any]]:
        try:
            with tenant_scope(tenant_id):
                return tenant_id, _run("SELECT DISTINCT tenant_id FROM trading_fill")
        finally:
            connections.close_all()

    async def look_all() -> list[tuple[Any, list[Any]]]:
        tenants = [two_tenants.acme.id, two_tenants.max.id] * 10
        return await asyncio.gather(
            *(sync_to_async(look, thread_sensitive=False)(tenant_id) for tenant_id in tenants)
        )

    seen = asyncio.run(look_all())

    assert all(found == [(tenant_id,)] for tenant_id, found in seen)
    assert len(seen) == 20


def test_securing_again_changes_nothing_for_those_who_are_reading(two_tenants):
    before = _state_of_walls()

    secure_tables(connections["owner"])

    assert _state_of_walls() == before


def _state_of_walls() -> list[Any]:
    return _run(
        """
        SELECT tablename, policyname, roles::text, qual, with_check FROM pg_policies
        UNION ALL SELECT relname, relacl::text, relrowsecurity::text, relforcerowsecurity::text, ''
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid), '', ''
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        ORDER BY 1, 2, 3, 4, 5
        """,
        alias="owner",
    )
