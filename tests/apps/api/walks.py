"""Walks along the schema's links: what one answer tells is what the next request asks for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.apps.api.fuzz import check_one, load

FRESH = 4
Bodies = Mapping[str, Callable[[], dict[str, Any]]]  # by operation: one it takes


@dataclass(frozen=True, slots=True)
class Lead:
    """A request that can be sent now."""

    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Walker:
    """Somebody who goes wherever an answer leads; ``seen`` tells each operation and its code."""

    def __init__(self, schema: dict[str, Any], client: Client, bodies: Bodies) -> None:
        self._operations = {
            one.definition.raw["operationId"]: one
            for one in load(schema)
            if "operationId" in one.definition.raw
        }
        self._client, self._bodies = client, bodies
        self._begin = [
            Lead(name) for name, one in self._operations.items() if self._needs_nothing(name, one)
        ]
        self.seen: list[tuple[str, int]] = []

    def _needs_nothing(self, name: str, operation: Any) -> bool:
        if operation.path_parameters or not _links_of(operation):
            return False
        return operation.method == "get" or name in self._bodies

    def walk(self, choices: Sequence[int]) -> None:
        """One request a choice: a beginning, or where the newest answers lead; the rarer, the rather.

        Raises: what an answer does that the schema does not tell.
        """
        leads: list[Lead] = []
        for choice in choices:
            go_on = bool(leads) and choice % 4 != 0
            options = leads if go_on else self._begin
            newest = sorted(options, key=self._visits)[:FRESH]
            leads = [*self._follow(newest[(choice // 4) % len(newest)]), *leads][:30]

    def _visits(self, lead: Lead) -> int:
        return sum(name == lead.operation for name, _ in self.seen)

    def go(self, operation: str, *, since: Sequence[Lead] = ()) -> list[Lead]:
        """Send this very request, along a link of these; where its answer leads.

        Raises: what an answer does that the schema does not tell.
        """
        if not since:
            return self._follow(Lead(operation))
        return self._follow(next(lead for lead in since if lead.operation == operation))

    def _follow(self, lead: Lead) -> list[Lead]:
        operation = self._operations[lead.operation]
        in_path = {one.name for one in operation.path_parameters}
        body = self._bodies.get(lead.operation, dict)()
        given: dict[str, Any] = {"body": body, "media_type": "application/json"}
        case = operation.Case(
            path_parameters={k: v for k, v in lead.parameters.items() if k in in_path},
            headers={k: v for k, v in lead.parameters.items() if k not in in_path},
            **({} if operation.method == "get" else given),
        )
        response = check_one(self._client, case)
        self.seen.append((lead.operation, response.status_code))
        links = _links_of(operation, response.status_code)
        return [
            Lead(link["operationId"], found)
            for link in links.values()
            if (found := _told(link["parameters"], case, response)) is not None
        ]


def _links_of(operation: Any, code: int | None = None) -> dict[str, Any]:
    answers = operation.definition.raw["responses"]
    chosen = answers.values() if code is None else [answers.get(str(code), {})]
    return {name: link for one in chosen for name, link in one.get("links", {}).items()}


def _told(words: Mapping[str, str], case: Any, response: Any) -> dict[str, Any] | None:
    """What the link's expressions stand for; None where an answer holds no such thing."""
    found = {}
    for name, expression in words.items():
        where, _, pointer = expression.partition("#/")
        if where == "$response.body":
            value: Any = response.json()
            for step in pointer.split("/"):
                try:
                    value = value[int(step)] if isinstance(value, list) else value[step]
                except IndexError:
                    return None
        elif where.startswith("$response.header."):
            value = response.headers[where.removeprefix("$response.header.").lower()][0]
        else:
            value = case.path_parameters[where.removeprefix("$request.path.")]
        found[name] = value
    return found
