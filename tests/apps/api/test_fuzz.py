"""As every role: no 5xx, no status, header or body that the schema does not tell, no open door."""

# ruff: noqa: F811 - fixtures are asked for by their names

from typing import Any

import pytest

from tests.apps.api import fuzz
from tests.apps.api.test_access import things, told  # noqa: F401 - fixtures
from tests.apps.api.test_schema import schema  # noqa: F401 - a fixture
from tests.apps.step_up import step_up
from tests.apps.trading import rows

ROLES = ("vera", "tom", "olga", "vera-read", "tom-trade", "olga-admin", "max-admin")
STRANGERS = ("anonymous", "wrong-key")
OPEN = {"/api/v1/health", "/api/v1/schema"}


@pytest.fixture
def there(people, things) -> dict[str, Any]:
    """Things of Acme by the names that addresses have for them; rows of each kind."""
    rows.write_fill(people.engine)
    rows.write_position(people.engine)
    rows.write_alert(people.engine)
    rows.write_hold(people.engine)
    return {mark.strip("<>").partition(":")[2]: thing for mark, thing in things.items()}


def test_whatever_a_role_sends_answers_are_those_published(
    schema,
    people,
    as_caller,
    store,
    boundless,
    there,
) -> None:
    operations = fuzz.load(schema)

    for who in ROLES:
        client = as_caller(who)
        if who == "olga":
            step_up(client, people.olga)
        codes = fuzz.ask(client, fuzz.of(operations, there), examples=15)

        assert any(code < 300 for code in codes), who
        assert any(code >= 400 for code in codes), who


def test_nobody_is_let_in_without_a_key(schema, people, as_caller, boundless, there) -> None:
    closed = [one for one in fuzz.load(schema) if one.path not in OPEN]

    for who in STRANGERS:
        for operation in closed:
            asked = fuzz.cases(operation, fuzz.GenerationMode.POSITIVE, there)
            assert set(fuzz.ask(as_caller(who), asked, examples=1)) == {401}


def test_every_operation_is_answered_as_published_right_and_wrong(
    schema,
    people,
    as_caller,
    store,
    boundless,
    there,
) -> None:
    client = as_caller("olga-admin")

    for operation in fuzz.load(schema):
        for mode in fuzz.modes(operation):
            fuzz.ask(client, fuzz.cases(operation, mode, there), examples=1)
