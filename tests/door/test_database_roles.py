"""The three roles of one database, and the fixtures that hand it to tests."""

import subprocess
import sys
import threading
from itertools import permutations

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections, transaction
from django.db.utils import ProgrammingError

from tests import servers

ROLES = {"default": "novapulse_app", "staff": "novapulse_staff", "owner": "novapulse"}


def _current_user(alias: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("alias", ROLES)
def test_each_alias_connects_under_its_own_role(fresh_database, alias):
    assert _current_user(alias) == ROLES[alias]


@pytest.mark.parametrize("alias", ROLES)
def test_each_alias_acts_under_its_own_role_inside_the_shared_transaction(db, alias):
    assert _current_user(alias) == ROLES[alias]


@pytest.mark.parametrize("alias", ["default", "staff"])
def test_app_and_staff_have_no_dangerous_right(fresh_database, alias):
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
            " WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (False, False, False, False)


@pytest.mark.parametrize("alias", ["default", "staff"])
def test_app_and_staff_cannot_create_tables(db, alias):
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(using=alias),
    ):
        connections[alias].cursor().execute("CREATE TABLE intruder (id int)")


def test_the_owner_is_no_superuser(fresh_database):
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False)


def test_rows_of_one_alias_are_seen_by_another_inside_the_shared_transaction(db):
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE shared_note (id int)")
        cursor.execute("INSERT INTO shared_note VALUES (7)")
        cursor.execute("GRANT SELECT ON shared_note TO novapulse_app")

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT id FROM shared_note")
        assert cursor.fetchall() == [(7,)]


@pytest.mark.parametrize("attempt", [1, 2])
def test_the_shared_transaction_leaves_nothing_behind(db, attempt):
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (id int)")


def test_a_rolled_back_savepoint_keeps_the_role(db):
    with transaction.atomic():
        assert _current_user("default") == ROLES["default"]
        transaction.set_rollback(True)

    assert _current_user("default") == ROLES["default"]


def test_each_alias_has_its_own_role_whatever_another_did_before_and_was_rolled_back(db):
    for first, second in permutations(ROLES, 2):
        assert _current_user(first) == ROLES[first]
        with transaction.atomic(using=first):
            assert _current_user(second) == ROLES[second]
            transaction.set_rollback(True, using=first)
        assert _current_user(second) == ROLES[second]


def test_a_thread_reaches_the_fresh_database_with_its_own_connection(fresh_database):
    seen: list[str] = []

    def look() -> None:
        seen.append(connections["default"].settings_dict["NAME"])
        seen.append(_current_user("default"))
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen == [fresh_database.name, ROLES["default"]]


def test_a_child_process_reaches_the_fresh_database(fresh_database):
    script = (
        "import django; django.setup()\n"
        "from django.db import connections\n"
        "for alias in ('default', 'staff', 'owner'):\n"
        "    cursor = connections[alias].cursor()\n"
        "    cursor.execute('SELECT current_database(), current_user')\n"
        "    print(*cursor.fetchone())\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", script],
        env=fresh_database.environment,
        cwd=servers.PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert answer.stdout.split() == [
        word for role in ROLES.values() for word in (fresh_database.name, role)
    ]


def test_prepare_database_may_be_repeated(fresh_database, capsys):
    call_command("prepare_database")
    call_command("prepare_database")

    assert capsys.readouterr().out.count("novapulse_app and novapulse_staff are ready") == 2


def test_migrate_before_prepare_database_is_one_sentence(fresh_database, monkeypatch):
    with monkeypatch.context() as server:
        server.setitem(connections["staff"].settings_dict, "USER", "nobody_made_me")
        with pytest.raises(CommandError) as caught:
            call_command("migrate", verbosity=0)

    assert caught.value.returncode == 4
    assert str(caught.value) == (
        "migrate: the server has no role 'nobody_made_me'; "
        "`manage.py prepare_database` makes them and comes first"
    )


def test_prepare_database_mends_a_changed_password(fresh_database):
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER ROLE novapulse_app PASSWORD 'forgotten'")
    connections["default"].close()

    call_command("prepare_database", verbosity=0)

    assert _current_user("default") == ROLES["default"]


def test_an_owner_that_may_not_create_roles_is_told_what_to_do(fresh_database, monkeypatch):
    assert servers.SERVERS.postgres is not None
    with servers.SERVERS.postgres.connect() as superuser:
        superuser.execute("DROP ROLE IF EXISTS powerless")
        superuser.execute("CREATE ROLE powerless LOGIN PASSWORD 'powerless'")
    for name in ("USER", "PASSWORD"):
        monkeypatch.setitem(connections["owner"].settings_dict, name, "powerless")
    connections["owner"].close()

    with pytest.raises(
        CommandError, match=r"CREATEROLE, or create the role .* NOVA_DATABASE_APP_URL"
    ):
        call_command("prepare_database", verbosity=0)


def test_a_role_that_could_bypass_the_walls_is_refused(fresh_database):
    assert servers.SERVERS.postgres is not None
    with servers.SERVERS.postgres.connect() as superuser:
        superuser.execute("ALTER ROLE novapulse_app BYPASSRLS")
    try:
        with pytest.raises(CommandError, match="bypasses row-level security"):
            call_command("prepare_database", verbosity=0)
    finally:
        with servers.SERVERS.postgres.connect() as superuser:
            superuser.execute("ALTER ROLE novapulse_app NOBYPASSRLS")


def test_nothing_listens_on_tcp(embedded_servers):
    assert servers.SERVERS.postgres is not None
    with servers.SERVERS.postgres.connect() as superuser:
        assert superuser.execute("SHOW listen_addresses").fetchone() == ("",)
        assert superuser.execute("SHOW jit").fetchone() == ("off",)
        assert superuser.execute("SHOW timezone").fetchone() == ("UTC",)


def test_the_server_asks_for_the_password(embedded_servers):
    assert servers.SERVERS.postgres is not None
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host=str(servers.SERVERS.postgres.socket_directory),
            user="novapulse",
            password="guessed",
            dbname="novapulse",
        )


def test_sockets_are_closed_to_other_users(embedded_servers):
    assert servers.SERVERS.postgres is not None
    assert servers.SERVERS.redis is not None
    for directory in (
        servers.SERVERS.postgres.socket_directory,
        servers.SERVERS.redis.socket.parent,
    ):
        assert directory.stat().st_mode & 0o077 == 0


def test_redis_answers_on_its_socket(redis_url):
    assert redis_url == settings.REDIS_URL
    assert redis_url.startswith("unix://")


def test_tests_never_touch_the_database_of_the_installation():
    for alias in ROLES:
        assert settings.DATABASES[alias]["HOST"].endswith("/var/test/pg/socket")
