"""Somebody who has the published schema and a key, and nothing else: each request is read from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jsonschema
from websockets.sync.client import ClientConnection, connect

SCHEMA = "/api/v1/schema"  # the one address that has to be told
PROBLEM = "application/problem+json"
SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came, and where the schema says it leads."""

    operation: str
    status: int
    body: Any
    headers: Mapping[str, str]
    asked: Mapping[str, Any]


class Stranger:
    """Sends what the schema has, and holds every answer to it."""

    def __init__(self, site: str, key: str) -> None:
        self._site = site
        self._http = httpx.Client(base_url=site, timeout=SECONDS)
        self.schema = self._http.get(SCHEMA, params={"format": "json"}).json()
        scheme = self.schema["components"]["securitySchemes"]["ApiKey"]
        assert (scheme["type"], scheme["in"]) == ("apiKey", "header")
        self._key = {scheme["name"]: key}
        self._operations = {
            told["operationId"]: (path, method, told)
            for path, methods in self.schema["paths"].items()
            for method, told in methods.items()
        }

    def __enter__(self) -> "Stranger":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, operation: str, body: Any = None, **given: Any) -> Answer:
        """One request; ``given`` are the operation's parameters, by the schema's names.

        Raises: for a parameter the operation does not have, and an answer that is not published.
        """
        path, method, told = self._operations[operation]
        places = {one["name"]: one["in"] for one in told.get("parameters", ())}
        assert given.keys() <= places.keys(), (operation, given)
        sent: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
        for name, value in given.items():
            sent[places[name]][name] = str(value)
        reply = self._http.request(
            method,
            path.format(**sent["path"]),
            params=sent["query"],
            headers={**self._key, **sent["header"]},
            **({"json": body} if body is not None else {}),
        )
        return self._published(operation, reply, given)

    def follow(self, answer: Answer, target: str, body: Any = None, **more: Any) -> Answer:
        """Where a link of the answer leads, with what the link says comes from where."""
        _, _, told = self._operations[answer.operation]
        link = told["responses"][str(answer.status)]["links"][target]
        found = {name: _value(words, answer) for name, words in link["parameters"].items()}
        return self.ask(link["operationId"], body, **found, **more)

    def example(self, operation: str) -> Any:
        """A body to begin with."""
        content = self._operations[operation][2]["requestBody"]["content"]["application/json"]
        (found,) = self._component(content["schema"])["examples"]
        return found

    def meaning(self, schema: str, field: str) -> str:
        """What the schema says of a field."""
        told: str = self.schema["components"]["schemas"][schema]["properties"][field]["description"]
        return told

    def listen(self, operation: str) -> ClientConnection:
        """Open the stream that this operation tells of."""
        path, _, _ = self._operations[operation]
        site = self._site.replace("http", "ws", 1)
        return connect(f"{site}{path}", additional_headers=self._key, proxy=None)

    def check_text(self, operation: str, text: str | bytes) -> Any:
        """A text of the stream, held to the schema."""
        (media,) = self._operations[operation][2]["responses"]["101"]["content"].values()
        told = json.loads(text)
        self._validate(told, media["schema"])
        return told

    def _published(self, operation: str, reply: httpx.Response, given: Mapping[str, Any]) -> Answer:
        answers = self._operations[operation][2]["responses"]
        assert str(reply.status_code) in answers, (operation, reply.status_code, reply.text)
        media = reply.headers["Content-Type"].partition(";")[0]
        schema = answers[str(reply.status_code)]["content"][media]["schema"]
        body = reply.json() if media.endswith("json") else reply.text
        self._validate(body, schema)
        return Answer(operation, reply.status_code, body, reply.headers, given)

    def _validate(self, told: Any, schema: Mapping[str, Any]) -> None:
        whole = {**schema, "components": self.schema["components"]}
        jsonschema.Draft202012Validator(whole).validate(told)

    def _component(self, schema: Mapping[str, Any]) -> Any:
        return self.schema["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


def _value(words: str, answer: Answer) -> Any:
    """What a link's expression stands for."""
    where, _, pointer = words.partition("#/")
    if where == "$response.body":
        found = answer.body
        for step in pointer.split("/"):
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found
    if where.startswith("$response.header."):
        return answer.headers[where.removeprefix("$response.header.")]
    return answer.asked[where.removeprefix("$request.path.")]
