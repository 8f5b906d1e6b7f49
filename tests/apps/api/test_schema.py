"""The published schema: valid, true, and enough to use the API by it alone."""

import json
from io import StringIO
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from tests.apps.api.conftest import ASKED, post
from tests.apps.trading import rows

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def schema(db) -> dict[str, Any]:
    answer = Client().get("/api/v1/schema?format=json")
    assert answer.status_code == 200
    return json.loads(answer.content)


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, told)
        for path, methods in schema["paths"].items()
        for method, told in methods.items()
        if method in METHODS
    ]


def test_it_is_openapi_3_1_and_every_operation_tells_its_problems(schema) -> None:
    assert schema["openapi"] == "3.1.0"
    for path, method, told in operations(schema):
        if path.endswith("/schema"):
            continue
        assert told["summary"], path
        assert "429" in told["responses"], path
        if method == "post":
            names = [one["name"] for one in told["parameters"]]
            assert "Idempotency-Key" in names, path


def test_the_schema_is_made_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_change_is_done_once() -> None:
    from trading.api.urls import urlpatterns

    for pattern in urlpatterns:
        view = getattr(pattern.callback, "cls", None)
        for method in ("post", "put", "patch", "delete"):
            handler = getattr(view, method, None)
            assert handler is None or handler.is_idempotent, pattern


@pytest.mark.parametrize("who", ["anonymous", "max-admin", "tom-read", "tom-trade", "olga-admin"])
def test_whatever_is_sent_answers_are_those_published(
    schema, people, as_caller, store, who, boundless
) -> None:
    """Generated requests, right and wrong: no 5xx, no status or body the schema does not tell."""
    client = as_caller(who)
    for _ in range(2):
        post(client, "/backtest/run", ASKED)
    found = loaded_operations(schema)
    ask(client, st.sampled_from(found).flatmap(lambda one: one.as_strategy()), examples=150)


def test_a_read_key_gets_from_every_list_and_thing_what_is_published(
    schema, people, as_caller, store, boundless
) -> None:
    """Every GET by itself, with all that may narrow it, over rows of each kind."""
    rows.write_fill(people.engine)
    rows.write_position(people.engine)
    rows.write_decision(people.engine)
    rows.write_alert(people.engine)
    client = as_caller("vera-read")
    reads = [one for one in loaded_operations(schema) if one.method == "get"]

    assert len(reads) > 30
    for one in reads:
        ask(client, one.as_strategy(), examples=6)


def loaded_operations(schema: dict[str, Any]) -> list[Any]:
    loaded = schemathesis.openapi.from_dict(schema, config=SchemathesisConfig())
    return [one.ok() for one in loaded.get_all_operations()]


def ask(client: Client, cases: st.SearchStrategy[Any], *, examples: int) -> None:
    """Send generated requests; no answer may be one the schema does not tell."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        answer = client.generic(
            sent["method"],
            sent["url"].removeprefix("http://testserver"),
            data=json.dumps(sent["json"]) if "json" in sent else sent.get("data") or b"",
            content_type="application/json" if "json" in sent else "application/octet-stream",
            query_params=sent.get("params") or None,
            headers={k: v for k, v in dict(sent.get("headers") or {}).items() if k != "X-API-Key"},
        )
        assert answer.status_code < 500 or case.path.endswith("heartbeat"), (case, body_of(answer))
        told = case.operation.definition.raw["responses"]
        assert str(answer.status_code) in told or answer.status_code == 405, (
            case.method, case.path, answer.status_code, body_of(answer)[:300],
        )  # fmt: skip

    check()


def body_of(answer: Any) -> bytes:
    return b"" if answer.streaming else answer.content
