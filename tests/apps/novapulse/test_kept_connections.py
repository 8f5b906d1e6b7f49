"""Connections that a web process keeps: nothing of one request reaches the next."""

import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client

from novapulse.pooling import MOST, pool_connections
from tenants.models import Membership, Tenant
from tenants.scoping import set_session_tenant, tenant_scope
from tests import factories
from tests.database import FreshDatabase
from tests.faults.processes import wait_for
from tests.pages import served

FEW = 4
SESSION = """
    SELECT pg_backend_pid(), current_setting('app.tenant_id', true), current_setting('search_path'),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
           to_regclass('pg_temp.left_over'), (SELECT count(*) FROM tenants_membership), current_setting('TimeZone')
"""


@pytest.fixture
def pool(fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a web process, which keeps more."""
    for alias in connections:
        monkeypatch.setitem(
            connections.settings[alias], "OPTIONS", connections.settings[alias]["OPTIONS"]
        )
    pool_connections(most=FEW)
    yield
    for alias in connections:
        wrapper: Any = connections[alias]
        wrapper.close()
        wrapper.close_pool()


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def give_back() -> None:
    """Close it, and wait until the pool has cleaned it."""
    wrapper: Any = connection
    wrapper.close()
    wait_for(
        lambda: wrapper.pool.get_stats()["pool_available"] == wrapper.pool.get_stats()["pool_size"],
        "it is given back",
    )


def all_at_once() -> set[int]:
    """The backends of as many threads as there are connections."""
    here = threading.Barrier(FEW)

    def take(_: int) -> int:
        found = backend()
        here.wait(30)
        connection.close()
        return found

    with ThreadPoolExecutor(FEW) as threads:
        return set(threads.map(take, range(FEW)))


def test_the_next_request_gets_the_same_connection_and_nothing_that_was_on_it(pool: None) -> None:
    with connections["owner"].cursor() as cursor:
        name = connections["owner"].ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo'")
    tenant = factories.make_tenant("acme")
    give_back()
    set_session_tenant(tenant.id)
    with connection.cursor() as cursor:
        cursor.execute("SET search_path = pg_catalog, public")
        cursor.execute("SET TIME ZONE 'Asia/Kolkata'")
        cursor.execute("SELECT pg_advisory_lock(7)")
        cursor.execute("CREATE TEMPORARY TABLE left_over (id int)")
        cursor.execute(SESSION)
        left = cursor.fetchone()
    give_back()

    with connection.cursor() as cursor:
        cursor.execute(SESSION)
        found = cursor.fetchone()

    here = (str(tenant.id), "pg_catalog, public", 1, "left_over", 1, "Asia/Kolkata")
    assert left[1:] == here
    assert found == (left[0], "", '"$user", public', 0, None, 0, "UTC")


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
    assert len(used) <= FEW


def test_a_connection_left_inside_a_transaction_is_out_of_it(pool: None) -> None:
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Kolkata'")
    give_back()

    with connection.cursor() as cursor:
        cursor.execute("SELECT now() = statement_timestamp(), current_setting('TimeZone')")
        assert cursor.fetchone() == (True, "UTC")
    assert connection.get_autocommit()


def test_connections_the_server_ended_are_given_to_nobody_and_hold_nobody_up(pool: None) -> None:
    ended = all_at_once()
    give_back()
    role = {**connection.get_connection_params(), "context": None}
    with psycopg.connect(**role, autocommit=True) as other:
        for pid in ended:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    found = backend()

    assert len(ended) == FEW
    assert found not in ended


def test_whoever_finds_none_left_is_told_that_the_database_does_not_answer(pool: None) -> None:
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie_of(factories.make_tenant("acme"))
    connection.close()
    with ExitStack() as taken:
        for _ in range(FEW):
            other = connections.create_connection("default")
            other.ensure_connection()
            taken.callback(other.close)
        without = client.get("/team/")
    then = client.get("/team/")

    assert (without.status_code, without["Retry-After"]) == (503, "5")
    assert then.status_code == 200


def test_each_role_has_connections_of_its_own(pool: None) -> None:
    pages = backend()
    with connections["staff"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_user")
        staff = cursor.fetchone()

    assert staff[0] != pages
    assert staff[1] == settings.DATABASES["staff"]["USER"]


def test_a_server_may_fork_before_the_first_connection(pool: None) -> None:
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if backend() else 1)
        finally:
            os._exit(2)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_what_is_sent_to_a_host_that_vanished_fails_soon(pool: None) -> None:
    connection.ensure_connection()

    assert connection.connection.info.get_parameters()["tcp_user_timeout"] == "10000"


def test_a_process_that_does_not_serve_pages_keeps_none(fresh_database: FreshDatabase) -> None:
    first = backend()
    connection.close()

    assert backend() != first


def cookie_of(tenant: Tenant) -> str:
    """The session of its only member."""
    with tenant_scope(tenant.id):
        user = Membership.objects.select_related("user").get().user
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_a_served_page_needs_no_new_connection_and_shows_its_own_workspace(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    people = [factories.make_tenant(f"acme{k}") for k in range(2)]
    cookies = [cookie_of(tenant) for tenant in people]

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


def test_people_who_leave_a_slow_page_take_no_connection_along(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    tenant = factories.make_tenant("acme")
    cookie = f"sessionid={cookie_of(tenant)}"
    asked = f"GET /team/ HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode()
    log = tmp_path / "daphne.log"
    soon = ("--application-close-timeout", "1")

    with served(fresh_database.environment, log=log, options=soon) as address:
        place = urlsplit(address)
        with psycopg.connect(**_owner()) as slow, ExitStack() as people:
            slow.execute("LOCK TABLE tenants_membership")
            for _ in range(MOST):
                one = people.enter_context(socket.create_connection((place.hostname, place.port)))
                one.sendall(asked)
            wait_for(lambda: _waiting(slow) == MOST, "all wait for the table")
            people.close()
            wait_for(lambda: log.read_text().count("took too long") >= MOST, "all are dropped")
        page = urllib.request.Request(f"{address}/team/", headers={"Cookie": cookie})
        with urllib.request.urlopen(page, timeout=30) as answer:
            assert tenant.name in answer.read().decode()


def _waiting(session: psycopg.Connection) -> int:
    row = session.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'tenants_membership'::regclass"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _owner() -> dict[str, Any]:
    return {**connections["owner"].get_connection_params(), "context": None}


def _connections_made() -> int:
    with psycopg.connect(**_owner()) as own:
        own.execute("SELECT pg_stat_force_next_flush()")
        row = own.execute(
            "SELECT sessions FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])
