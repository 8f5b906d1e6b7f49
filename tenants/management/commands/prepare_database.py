"""prepare_database: make the app and staff roles of DATABASE_URL, or check those given."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from psycopg import sql

RIGHTS_QUERY = """
    SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = %s
"""


class Command(BaseCommand):
    """Idempotent; runs before ``migrate`` on every start."""

    help = "Create or update the app and staff roles of the database in DATABASE_URL."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        owner = connections["owner"]
        try:
            owner.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"DATABASE_URL: {' '.join(str(error).split())}") from None
        session: psycopg.Connection = owner.connection
        for alias, ours in settings.DATABASE_ROLES_ARE_OURS.items():
            role = connections[alias].settings_dict["USER"]
            if role == owner.settings_dict["USER"]:
                raise CommandError(
                    f"{_variable(alias)}: the role {role!r} owns the tables; give one that owns nothing"
                )
            _refuse_dangerous_rights(session, role, alias)
            if ours:
                _make_role(session, role, connections[alias].settings_dict["PASSWORD"], alias)
            _check_exists(session, role, alias)
            _grant_access(session, role, owner.settings_dict["NAME"])
        staff_role = connections["staff"].settings_dict["USER"]
        if settings.DATABASE_ROLES_ARE_OURS["staff"]:
            _make_member(session, staff_role)
        if options["verbosity"] > 0:
            app_role = connections["default"].settings_dict["USER"]
            self.stdout.write(f"Roles {app_role} and {staff_role} are ready.")


def _variable(alias: str) -> str:
    return {"default": "NOVA_DATABASE_APP_URL", "staff": "NOVA_DATABASE_STAFF_URL"}[alias]


def _make_role(session: psycopg.Connection, role: str, password: str, alias: str) -> None:
    """Create the role without any right, or give it its password again.

    The server only ever sees the verifier, so the password cannot reach its log.
    """
    verifier = session.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    exists = session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if exists else "CREATE"
    statement = sql.SQL(f"{verb} ROLE {{}} WITH LOGIN PASSWORD {{}}").format(
        sql.Identifier(role), sql.Literal(verifier)
    )
    try:
        session.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        raise CommandError(
            f"The role of DATABASE_URL may not create or change the role {role!r} "
            f"({error.diag.message_primary}). Give it CREATEROLE, or create the role yourself and "
            f"set {_variable(alias)}."
        ) from error


def _refuse_dangerous_rights(session: psycopg.Connection, role: str, alias: str) -> None:
    found = session.execute(RIGHTS_QUERY, [role]).fetchone()
    if found and found[0]:
        raise CommandError(
            f"{_variable(alias)}: the role {role!r} is a superuser, bypasses row-level security or "
            "may create roles or databases; tenants are only apart under a role without these rights"
        )


def _check_exists(session: psycopg.Connection, role: str, alias: str) -> None:
    if session.execute(RIGHTS_QUERY, [role]).fetchone() is None:
        raise CommandError(f"{_variable(alias)}: the server has no role {role!r}")


def _grant_access(session: psycopg.Connection, role: str, database: str) -> None:
    name = sql.Identifier(role)
    session.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), name)
    )
    session.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))


def _make_member(session: psycopg.Connection, staff_role: str) -> None:
    """The owner may act as staff, so that migrations and look-ups it defines see all tenants."""
    statement = sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(staff_role))
    if session.info.server_version >= 160000:
        statement += sql.SQL(" WITH INHERIT TRUE, SET TRUE")
    session.execute(statement)
