"""The published schema: valid, true, and enough to use the API by it alone."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from trading.api import docs

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


def test_it_is_the_same_whoever_asks_and_however(schema) -> None:
    asked = Client().get("/api/v1/schema?format=json&version=9&lang=de")

    assert json.loads(asked.content) == schema
    assert schema["info"]["version"] == "1"
    assert docs.published() is docs.published()  # it is not made again, which anybody could ask for


def test_the_schema_is_made_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_every_link_leads_from_what_is_answered_to_what_is_asked_for(schema) -> None:
    made = {told["operationId"]: told for _, _, told in operations(schema)}
    found = 0
    for told in made.values():
        for answer in told["responses"].values():
            for link in answer.get("links", {}).values():
                named = {one["name"] for one in made[link["operationId"]]["parameters"]}
                assert link["parameters"].keys() <= named, link
                for words in link["parameters"].values():
                    where, _, pointer = words.partition("#/")
                    if where == "$response.body":
                        assert pointer.split("/")[0] in fields_of(schema, answer), (link, words)
                found += 1

    assert found > 50


def fields_of(schema, answer) -> set[str]:
    name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return set(schema["components"]["schemas"][name]["properties"])


def test_every_change_is_done_once() -> None:
    from trading.api.urls import urlpatterns

    for pattern in urlpatterns:
        view = getattr(pattern.callback, "cls", None)
        for method in ("post", "put", "patch", "delete"):
            handler = getattr(view, method, None)
            assert handler is None or handler.is_idempotent, pattern


def test_headers_of_answers_are_published(schema) -> None:
    paths = schema["paths"]

    def heads(path: str, method: str, code: str) -> set[str]:
        return set(paths[f"/api/v1{path}"][method]["responses"][code].get("headers", {}))

    assert heads("/settings", "get", "200") == {"ETag"}
    assert heads("/settings", "patch", "200") == {"ETag", "Idempotent-Replayed"}
    assert heads("/backtest/run", "post", "202") == {"Location", "Idempotent-Replayed"}
    assert heads("/control/kill", "post", "202") == {"Location", "Idempotent-Replayed"}
    for path, method, told in operations(schema):
        if not path.endswith("/schema"):
            assert "Retry-After" in told["responses"]["429"]["headers"], (path, method)
