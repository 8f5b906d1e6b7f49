"""The published schema: valid, true, and enough to use the API by it alone."""

import json
from io import StringIO
from typing import Any

import jsonschema
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
        if method in METHODS and path.startswith("/api/v1/")
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


def test_every_name_is_told_in_words(schema) -> None:
    """Fields, parameters, answers: whoever has nothing else must not have to guess."""
    fields = [
        (name, field, told)
        for name, one in schema["components"]["schemas"].items()
        for field, told in one.get("properties", {}).items()
    ]
    asked = [
        (path, one["name"], one)
        for path, _, told in operations(schema)
        for one in told.get("parameters", ())
    ]

    assert len(fields) > 500
    for *where, told in (*fields, *asked):
        assert told.get("description"), where
    for path, method, told in operations(schema):
        for code, answer in told["responses"].items():
            assert answer["description"] or path.endswith("/schema"), (path, method, code)


def test_nothing_is_explained_that_is_not_there(schema) -> None:
    from trading.api import described, glossary, senses

    schemas = schema["components"]["schemas"]
    told = {
        (name, field): words["description"]
        for name, one in schemas.items()
        for field, words in one.get("properties", {}).items()
    }
    asked = {
        (one["name"], one["description"])
        for _, _, operation in operations(schema)
        for one in operation.get("parameters", ())
    }

    assert described.EXAMPLES.keys() - schemas.keys() == set()
    assert described.PARAMETERS.items() - asked == set()
    used = {(field, words) for (_, field), words in told.items()}
    assert glossary.FIELDS.items() - used == set()
    for place, words in senses.FIELDS.items():
        name, _, field = place.partition(".")
        assert told[name, field] == words, place


def test_every_body_has_an_example_that_fits_it(schema) -> None:
    for path, method, told in operations(schema):
        if "requestBody" in told:
            (content,) = told["requestBody"]["content"].values()
            name = content["schema"]["$ref"].rpartition("/")[2]
            (example,) = schema["components"]["schemas"][name]["examples"]
            fitting = {**content["schema"], "components": schema["components"]}
            jsonschema.validate(example, fitting)
            assert example, (path, method)


def test_every_operation_says_for_whom_it_is_and_has_a_name_for_programs(schema) -> None:
    ways = {"GET": "any scope", "POST": "scope `trade`"}
    assert ways["GET"] in schema["paths"]["/api/v1/status"]["get"]["description"]
    assert ways["POST"] in schema["paths"]["/api/v1/control/pause"]["post"]["description"]
    for path, method, told in operations(schema):
        open_to_all = path.endswith(("/schema", "/health"))
        assert told["operationId"].isidentifier(), path
        assert open_to_all or "keys of" in told["description"], (path, method)
        assert open_to_all or "503" in told["responses"], (path, method)


def test_the_live_stream_is_told_with_all_it_sends_and_why_it_closes(schema) -> None:
    from trading import consumers
    from trading.api import stream_schema
    from trading.stream import passes

    told = schema["paths"]["/ws/live"]["get"]
    codes = {v for v in vars(passes).values() if isinstance(v, int) and v > 1000}

    assert stream_schema.CLOSES.keys() == {*codes, consumers.NOT_READING}
    for code in stream_schema.CLOSES:
        assert f"{code}: " in told["description"]
    (text,) = told["responses"]["101"]["content"].values()
    assert text["schema"]["$ref"].endswith("/StreamText")
