"""Every row belongs to a tenant, or says why not; every table of a tenant stands behind its wall."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, connections, models

from tenants.scoping import TenantModel, TenantQuerySet
from tenants.security import HIDDEN_FROM_APP, READ_BY_APP, READ_BY_STAFF, role_of, tenant_models
from tenants.security_functions import FUNCTIONS
from tests.tenant_rows import SPECIAL_VALUES, walked_tables

# Tables that no tenant owns, and why.
SHARED_TABLES = {
    "tenants_tenant": "is the tenant; its policy compares the id",
    "tenants_user": "a person may be a member of several workspaces",
    "tenants_user_groups": "rights on the admin site",
    "tenants_user_user_permissions": "rights on the admin site",
    "account_emailaddress": "belongs to a person",
    "tenants_knowndevice": "belongs to a person",
    "account_emailconfirmation": "belongs to a person",
    "mfa_authenticator": "belongs to a person",
    "auth_group": "rights on the admin site",
    "auth_group_permissions": "rights on the admin site",
    "auth_permission": "rights on the admin site",
    "django_admin_log": "what operators did on the admin site; hidden from the app role",
    "django_content_type": "names of models",
    "django_migrations": "state of the schema",
    "django_session": "found by a random key before a person is known",
    "trading_instrument": "facts of a venue, the same for everybody",
    "trading_barseries": "index of stored market data, the same for everybody",
}

WALLS_QUERY = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
           coalesce(array_agg(p.polname::text ORDER BY p.polname)
                    FILTER (WHERE p.polname IS NOT NULL), '{}')
    FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    GROUP BY c.oid ORDER BY c.relname
"""


def tables_with_their_walls() -> dict[str, tuple[bool, list[str]]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(WALLS_QUERY)
        return {name: (forced, policies) for name, forced, policies in cursor.fetchall()}


def tables_without_a_wall() -> set[str]:
    """Tables of a tenant that are not fully secured, and tables nobody accounts for."""
    whole = (True, ["staff_access", "tenant_isolation"])
    owned = walked_tables() | {"tenants_tenant"}
    return {
        name
        for name, wall in tables_with_their_walls().items()
        if (name in owned and wall != whole) or (name not in owned and name not in SHARED_TABLES)
    }


def test_every_table_stands_behind_its_wall_or_says_why_it_has_none(db):
    assert tables_without_a_wall() == set()


def test_the_list_of_shared_tables_holds_only_tables_that_exist_and_are_shared(db):
    assert SHARED_TABLES.keys() <= tables_with_their_walls().keys() - walked_tables()


@pytest.mark.parametrize(
    "forgotten",
    [
        "CREATE TABLE forgotten (id int, tenant_id uuid)",
        "CREATE TABLE forgotten (id int)",
        "CREATE TABLE forgotten (id int, tenant_id uuid);"
        "ALTER TABLE forgotten ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE trading_fill NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE trading_fill DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation ON trading_fill",
        "CREATE POLICY everybody ON trading_fill USING (true)",
    ],
)
def test_a_forgotten_wall_is_found(db, forgotten):
    with connections["owner"].cursor() as cursor:
        cursor.execute(forgotten)

    assert tables_without_a_wall() in ({"forgotten"}, {"trading_fill"})


def test_a_policy_compares_the_tenant_both_ways_and_nothing_else(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT qual, with_check, cmd, permissive FROM pg_policies"
            " WHERE policyname = 'tenant_isolation' AND tablename <> 'tenants_tenant'"
        )
        rules = cursor.fetchall()

    setting = "(NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid"
    assert rules == [(f"(tenant_id = {setting})",) * 2 + ("ALL", "PERMISSIVE")]


def test_only_staff_looks_past_the_tenant(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT roles::text[] FROM pg_policies WHERE policyname = 'staff_access'"
        )
        assert cursor.fetchall() == [([role_of("staff")],)]


@pytest.mark.parametrize("model", apps.get_models(include_auto_created=True), ids=str)
def test_a_model_belongs_to_a_tenant_or_is_on_the_list(model: type[models.Model]) -> None:
    assert issubclass(model, TenantModel) != (model._meta.db_table in SHARED_TABLES)


@pytest.mark.parametrize("model", tenant_models(), ids=lambda m: m._meta.label)
def test_a_model_of_a_tenant_keeps_the_second_net(model: Any) -> None:
    assert isinstance(model.objects.get_queryset(), TenantQuerySet)
    assert not model._meta.get_field("tenant").null


@pytest.mark.parametrize("model", tenant_models(), ids=lambda m: m._meta.label)
def test_unique_keys_carry_the_tenant_unless_they_are_random(model: Any) -> None:
    """Uniqueness is checked past row-level security: a key without the tenant would tell of others."""
    bare = [
        constraint.name
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and "tenant" not in constraint.fields
    ]
    guessable = [
        field.name
        for field in model._meta.concrete_fields
        if field.unique
        and not isinstance(field, models.UUIDField | models.AutoField)
        # A key to one's own row is tied to the tenant by its foreign key.
        and not isinstance(field, models.OneToOneField)
    ]

    assert set(bare) <= {"intent_client_order_id"}  # a random UUID the venue sees
    assert guessable == []


def test_lookups_past_the_walls_are_the_listed_ones_and_safe(db):
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """
            SELECT p.proname, r.rolname, p.proconfig,
                   has_function_privilege(%s, p.oid, 'EXECUTE'), p.proacl::text[]
            FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
            WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
            """,
            [role_of("default")],
        )
        found = {row[0]: row[1:] for row in cursor.fetchall()}

    assert found.keys() == {signature.split("(")[0] for signature in FUNCTIONS}
    for owner, config, may_app, rights in found.values():
        assert owner == role_of("staff")
        assert config == ["search_path=public, pg_temp"]
        assert may_app
        assert not [right for right in rights if right.startswith("=")]  # nobody else


def test_lists_of_rights_name_tables_that_exist(db):
    assert tables_with_their_walls().keys() >= READ_BY_APP | HIDDEN_FROM_APP | READ_BY_STAFF


def test_special_values_of_test_rows_belong_to_models() -> None:
    assert SPECIAL_VALUES.keys() <= {model._meta.label for model in tenant_models()}
