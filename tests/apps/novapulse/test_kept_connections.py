"""Connections that a web process keeps: nothing of one request reaches the next."""

import os
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client

from novapulse.kept_postgres.pool import POOL
from tenants.models import Membership
from tenants.scoping import set_session_tenant, tenant_scope
from tests import factories
from tests.database import FreshDatabase
from tests.pages import served

SESSION = """
    SELECT pg_backend_pid(), current_setting('app.tenant_id', true), current_setting('search_path'),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
           to_regclass('pg_temp.left_over'), (SELECT count(*) FROM tenants_membership)
"""


@pytest.fixture
def pool(fresh_database: FreshDatabase) -> Iterator[None]:
    """Open as in a web process; the connections of before the test are not in it."""
    connection.close()
    POOL.open(most=2)
    yield
    POOL.close()


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_the_next_request_gets_the_same_connection_and_nothing_that_was_on_it(pool: None) -> None:
    tenant = factories.make_tenant("acme")
    set_session_tenant(tenant.id)
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = pg_catalog, public")
        cursor.execute("SELECT pg_advisory_lock(7)")
        cursor.execute("CREATE TEMPORARY TABLE left_over (id int)")
        cursor.execute(SESSION)
        left = cursor.fetchone()
    connection.close()

    with connection.cursor() as cursor:
        cursor.execute(SESSION)
        found = cursor.fetchone()

    assert left[1:] == (str(tenant.id), "pg_catalog, public", 1, "left_over", 1)
    assert found == (left[0], "", '"$user", public', 0, None, 0)


def test_whose_rows_are_seen_is_of_the_request_and_not_of_its_connection(pool: None) -> None:
    tenants = [factories.make_tenant(f"acme-{k}") for k in range(4)]
    used, wrong = set(), []

    def ask(number: int) -> None:
        wanted = tenants[number % len(tenants)].id
        with tenant_scope(wanted):
            seen = list(Membership.objects.values_list("tenant_id", flat=True))
            used.add(backend())
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tenants_membership")
            outside = cursor.fetchone()[0]
        if (seen, outside) != ([wanted], 0):
            wrong.append((wanted, seen, outside))
        connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(80)))

    assert wrong == []
    assert len(used) < 80


def test_a_connection_left_inside_a_transaction_is_not_kept(pool: None) -> None:
    first = backend()
    connection.set_autocommit(False)
    backend()
    connection.close()

    assert backend() != first


def test_a_connection_the_server_ended_is_not_given_to_anybody(pool: None) -> None:
    first, other = backend(), connections.create_connection("default")
    with other.cursor() as cursor:
        connection.close()
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])

    assert backend() != first
    other.close()


def test_no_more_are_kept_than_wanted_and_each_for_its_own_role(pool: None) -> None:
    def take(opened: threading.Barrier) -> int:
        found = backend()
        opened.wait(30)
        connection.close()
        return found

    with ThreadPoolExecutor(3) as threads:
        taken = set(threads.map(take, [threading.Barrier(3)] * 3))
    with connections["staff"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_user")
        staff = cursor.fetchone()
    alive = {pid for pid in taken if _lives(pid)}

    assert len(taken) == 3
    assert len(alive) == 2
    assert staff[0] not in taken
    assert staff[1] == settings.DATABASES["staff"]["USER"]


def _lives(pid: int) -> bool:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid])
        return cursor.fetchone() is not None


def test_a_forked_child_leaves_its_parents_connections_alone(pool: None) -> None:
    first = backend()
    wrapper: Any = connections["default"]
    wrapper.close()

    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if POOL.take(wrapper._place()) is None else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert backend() == first


def test_what_is_sent_to_a_host_that_vanished_fails_soon(pool: None) -> None:
    connection.ensure_connection()

    assert connection.connection.info.get_parameters()["tcp_user_timeout"] == "10000"


def test_a_process_that_does_not_serve_pages_keeps_none(fresh_database: FreshDatabase) -> None:
    first = backend()
    patience = connection.connection.info.get_parameters()
    connection.close()

    assert backend() != first
    assert "tcp_user_timeout" not in patience


def test_a_served_page_needs_no_new_connection_and_shows_its_own_workspace(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    people = [factories.make_tenant(f"acme{k}") for k in range(2)]
    cookies = []
    for tenant in people:
        with tenant_scope(tenant.id):
            user = Membership.objects.select_related("user").get().user
        client = Client()
        client.force_login(user)
        cookies.append(client.cookies[settings.SESSION_COOKIE_NAME].value)

    with served(fresh_database.environment, log=tmp_path / "daphne.log") as address:

        def look(number: int) -> bool:
            whose = number % 2
            asked = urllib.request.Request(
                f"{address}/team/", headers={"Cookie": f"sessionid={cookies[whose]}"}
            )
            with urllib.request.urlopen(asked, timeout=30) as answer:
                shown = answer.read().decode()
            return people[whose].name in shown and people[1 - whose].name not in shown

        assert look(0)
        before = _connections_made()
        with ThreadPoolExecutor(3) as threads:
            answers = list(threads.map(look, range(30)))
        made = _connections_made() - before

    assert all(answers)
    assert made <= 8


def _connections_made() -> int:
    with psycopg.connect(**connections["owner"].get_connection_params() | {"context": None}) as own:
        own.execute("SELECT pg_stat_force_next_flush()")
        row = own.execute(
            "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])
