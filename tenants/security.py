"""Row-level security, grants and tenant-tight foreign keys, derived from the models.

Runs as the owner after every migrate and is safe to repeat: a new TenantModel is under the policy
without anybody remembering it.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from tenants.scoping import TenantModel
from tenants.security_functions import FUNCTIONS

# Who may do what on the admin site, and what it did there: the pages' role reads, or sees nothing.
READ_BY_APP = frozenset(
    {
        "django_migrations",
        "django_content_type",
        "auth_permission",
        "auth_group",
        "auth_group_permissions",
        "tenants_user_groups",
        "tenants_user_user_permissions",
    }
)
HIDDEN_FROM_APP = frozenset({"django_admin_log"})
READ_BY_FUNCTIONS = frozenset(
    {
        "trading_engine",
        "trading_enginecommand",
        "trading_hold",
        "trading_backtestrun",
        "tenants_membership",
        "tenants_apikey",
        "tenants_invitation",
        "tenants_exchangecredential",
        "tenants_delivery",
    }
)
READ_BY_STAFF = frozenset({"django_migrations", "django_content_type", "auth_permission"})
CURRENT_TENANT = "nullif(current_setting('app.tenant_id', true), '')::uuid"
REFUSE_CHANGES = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
"""


def tenant_models() -> list[type[TenantModel]]:
    """Every concrete model whose rows belong to a tenant."""
    return [m for m in apps.get_models() if issubclass(m, TenantModel)]


def role_of(alias: str) -> str:
    """The PostgreSQL role an alias connects as."""
    return str(settings.DATABASES[alias]["USER"])


def secure_tables(connection: BaseDatabaseWrapper) -> None:
    """Put every table under its policy, grant what each role needs and nothing else.

    In one transaction: nobody ever meets a table between two of its policies.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor))
        run = _Runner(cursor)
        run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        run(REFUSE_CHANGES)
        for table in sorted(existing):
            _grant(run, table)
        run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {app}, {staff}")
        tenant = apps.get_model("tenants", "Tenant")
        if tenant._meta.db_table in existing:
            _protect(run, tenant._meta.db_table, "id")
        for model in tenant_models():
            if model._meta.db_table in existing:
                _secure_model(run, model, existing)
        if all(t in existing for t in READ_BY_FUNCTIONS):
            _define_functions(run)


def _secure_model(run: "_Runner", model: type[TenantModel], existing: set[str]) -> None:
    table = model._meta.db_table
    _protect(run, table, "tenant_id")
    _tie_foreign_keys(run, model, existing)
    if model._meta.app_label != "tenants":
        # Operators administer people and workspaces; what trades is changed by its own members.
        run("REVOKE INSERT, UPDATE, DELETE ON TABLE {table} FROM {staff}", table=table)
    if model.APPEND_ONLY:
        _freeze(run, table)


class _Runner:
    """Formats roles and names into statements safely."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._roles = {
            "app": sql.Identifier(role_of("default")),
            "staff": sql.Identifier(role_of("staff")),
            "owner": sql.Identifier(role_of("owner")),
        }

    def __call__(self, statement: str, **names: str) -> None:
        identifiers = {key: sql.Identifier(name) for key, name in names.items()}
        self._cursor.execute(sql.SQL(statement).format(**self._roles, **identifiers))

    def has_constraint(self, table: str, name: str) -> bool:
        self._cursor.execute(
            "SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s",
            [table, name],
        )
        return self._cursor.fetchone() is not None


def _grant(run: _Runner, table: str) -> None:
    run("REVOKE ALL ON TABLE {table} FROM PUBLIC, {app}, {staff}", table=table)
    rights = "SELECT, INSERT, UPDATE, DELETE"
    if table not in HIDDEN_FROM_APP:
        run(
            f"GRANT {'SELECT' if table in READ_BY_APP else rights} ON {{table}} TO {{app}}",
            table=table,
        )
    run(
        f"GRANT {'SELECT' if table in READ_BY_STAFF else rights} ON {{table}} TO {{staff}}",
        table=table,
    )


def _protect(run: _Runner, table: str, column: str) -> None:
    run("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", table=table)
    run("ALTER TABLE {table} FORCE ROW LEVEL SECURITY", table=table)
    run("DROP POLICY IF EXISTS tenant_isolation ON {table}", table=table)
    run(
        "CREATE POLICY tenant_isolation ON {table} "
        f"USING ({{column}} = {CURRENT_TENANT}) WITH CHECK ({{column}} = {CURRENT_TENANT})",
        table=table,
        column=column,
    )
    run("DROP POLICY IF EXISTS staff_access ON {table}", table=table)
    run("CREATE POLICY staff_access ON {table} TO {staff} USING (true)", table=table)


def _freeze(run: _Runner, table: str) -> None:
    """Append-only: neither granted nor possible."""
    run("REVOKE UPDATE, DELETE ON TABLE {table} FROM {app}, {staff}", table=table)
    run("DROP TRIGGER IF EXISTS append_only ON {table}", table=table)
    run(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        table=table,
    )
    run("DROP TRIGGER IF EXISTS append_only_truncate ON {table}", table=table)
    run(
        "CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        table=table,
    )


def tenant_foreign_keys(
    model: type[TenantModel],
) -> Iterator["models.ForeignKey[Any, Any]"]:
    """Foreign keys from one tenant's row to another row of a tenant."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantModel):
            yield field


def _tie_foreign_keys(run: _Runner, model: type[TenantModel], existing: set[str]) -> None:
    """(tenant_id, key) references (tenant_id, id): a reference cannot leave its tenant.

    PostgreSQL checks foreign keys past row-level security, so the tenant must be part of the key.
    """
    for field in tenant_foreign_keys(model):
        target = field.related_model._meta.db_table
        if target not in existing:
            continue
        unique = f"{target}_tenant_key"[:63]
        if not run.has_constraint(target, unique):
            run(
                "ALTER TABLE {target} ADD CONSTRAINT {unique} UNIQUE (tenant_id, id)",
                target=target,
                unique=unique,
            )
        tie = f"{model._meta.db_table}_{field.column}_tenant"[:63]
        if not run.has_constraint(model._meta.db_table, tie):
            run(
                "ALTER TABLE {table} ADD CONSTRAINT {tie} FOREIGN KEY (tenant_id, {column}) "
                "REFERENCES {target} (tenant_id, id) DEFERRABLE INITIALLY DEFERRED",
                table=model._meta.db_table,
                tie=tie,
                column=field.column,
                target=target,
            )


def _define_functions(run: _Runner) -> None:
    for signature, body in FUNCTIONS.items():
        name = signature.split("(")[0]
        arguments = signature[len(name) :].strip("()")
        types = ", ".join(part.split()[-1] for part in arguments.split(",") if part)
        run(f"DROP FUNCTION IF EXISTS {name}({types})")
        run(f"CREATE FUNCTION {signature} {body}")
        run(f"REVOKE ALL ON FUNCTION {name}({types}) FROM PUBLIC")
        run("GRANT CREATE ON SCHEMA public TO {staff}")
        run(f"ALTER FUNCTION {name}({types}) OWNER TO {{staff}}")
        run("REVOKE CREATE ON SCHEMA public FROM {staff}")
        run(f"GRANT EXECUTE ON FUNCTION {name}({types}) TO {{app}}")
