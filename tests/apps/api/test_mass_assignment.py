"""What a body may name is what it declares: no column of any model can be set beside it."""

from typing import Any

from django.apps import apps

from tests.apps.api.test_access import (  # noqa: F401
    PERSON,
    ROUTES,
    address,
    fitting,
    published_path,
    things,
    told,
)
from tests.apps.api.test_schema import operations, schema  # noqa: F401 - a fixture
from tests.apps.step_up import step_up

# ruff: noqa: F811 - fixtures are asked for by their names

# Columns that some body may name, each looked at: they are what the operation is for.
MEANT = {
    "account", "currency", "email", "email_kinds", "engine", "inbox_kinds", "key", "kinds", "label", "least_severity", "mode",
    "name", "pair", "params", "protection", "quiet_from", "quiet_until", "reason", "role", "scope", "seed",
    "speed", "tier", "time_zone", "url",
}  # fmt: skip


def columns() -> set[str]:
    """Every field of every model of the house, by both of its names."""
    models = [
        m for label in ("tenants", "trading") for m in apps.get_app_config(label).get_models()
    ]
    fields = [field for model in models for field in model._meta.concrete_fields]
    return {field.name for field in fields} | {field.attname for field in fields}


def bodies(schema: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """What each operation's body declares, by path and method."""
    found = {}
    for path, method, operation in operations(schema):
        if "requestBody" in operation:
            (content,) = operation["requestBody"]["content"].values()
            name = content["schema"]["$ref"].rpartition("/")[2]
            found[path, method] = set(schema["components"]["schemas"][name]["properties"])
    return found


def test_what_bodies_may_name_of_models_was_looked_at(schema) -> None:
    declared = set().union(*bodies(schema).values())

    assert declared & columns() == MEANT
    assert len(columns()) > 150


def test_no_column_can_be_set_beside_what_a_body_declares(
    schema, people, as_caller, things, boundless
) -> None:
    asked, key = bodies(schema), as_caller("olga-admin")
    session = step_up(as_caller("olga"), people.olga)
    assert len(asked) >= 20

    names = {published_path(name): name for name in ROUTES}
    for (path, method), declared in asked.items():
        name = names[path]
        beside = {column: "1" for column in columns() - declared}
        client = session if ROUTES[name][method] == PERSON else key
        answer = getattr(client, method)(
            f"/api/v1{address(name, things)}",
            fitting(name, things) | beside,
            content_type="application/json",
            headers={"If-Match": "*"},
        )
        told = {one["field"] for one in answer.json().get("errors", [])}
        assert (answer.status_code, beside.keys() - told) == (400, set()), (path, method)
