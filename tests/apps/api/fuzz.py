"""Generated requests, right and wrong, against the API in this process, held to what it publishes."""

import json
from collections.abc import Sequence
from typing import Any

import requests
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.budget import TIMES

SITE, STREAM = "http://testserver", "/ws/live"
CHECKS = [status_code_conformance, content_type_conformance, response_headers_conformance,
          response_schema_conformance]  # fmt: skip


def load(schema: dict[str, Any]) -> list[Any]:
    """Every operation of a published schema."""
    loaded = schemathesis.openapi.from_dict(schema, config=SchemathesisConfig())
    found = [one.ok() for one in loaded.get_all_operations()]
    return [one for one in found if one.path != STREAM]  # no request and its answer


def modes(operation: Any) -> list[GenerationMode]:
    """Right, and wrong where it asks for anything but who is asking: else nothing can be wrong."""
    asks = len(operation.path_parameters) + len(operation.query) + len(operation.body)
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if asks else [])]


def cases(operation: Any, mode: GenerationMode, things: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Requests to an operation; wherever it asks for a thing that there is, to that one as well."""
    named = {p.name for p in operation.path_parameters}
    found = {name: things[name] for name in named if name in things}
    anywhere = operation.as_strategy(generation_mode=mode)
    if not found or mode is GenerationMode.NEGATIVE:
        return anywhere
    there = operation.as_strategy(generation_mode=mode, path_parameters=found)
    return st.one_of(there, anywhere)


def ask(client: Client, asked: st.SearchStrategy[Any], *, examples: int) -> list[int]:
    """Send so many; what was answered.

    Raises: what an answer does that the schema does not tell.
    """
    codes: list[int] = []

    @settings(
        max_examples=examples * TIMES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=asked)
    def check(case: Any) -> None:
        codes.append(check_one(client, case).status_code)

    check()
    return codes


def check_one(client: Client, case: Any) -> Response:
    """Send one, and hold the answer to the schema."""
    sent = case.as_transport_kwargs(base_url=SITE)
    answer = client.generic(
        sent["method"],
        sent["url"].removeprefix(SITE),
        data=json.dumps(sent["json"]) if "json" in sent else sent.get("data") or b"",
        content_type="application/json" if "json" in sent else "application/octet-stream",
        query_params=sent.get("params") or None,
        headers=_headers(sent.get("headers") or {}),
    )
    response = _response(sent, answer)
    code = answer.status_code
    assert code < 500 or case.path.endswith("heartbeat"), (case, response.text)
    if code != 405:
        more = [negative_data_rejection] if code < 300 else []
        case.validate_response(response, checks=[*CHECKS, *more])
    return response


def _headers(given: Any) -> dict[str, str]:
    """Whose request it is was decided by the client."""
    return {name: value for name, value in dict(given).items() if name.lower() != "x-api-key"}


def _response(sent: dict[str, Any], answer: Any) -> Response:
    content = answer.getvalue() if answer.streaming else answer.content
    request = requests.Request(sent["method"], sent["url"]).prepare()
    headers = {name.lower(): [value] for name, value in answer.items()}
    return Response(answer.status_code, headers, content, request, 0.0, verify=False)


def of(operations: Sequence[Any], things: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Right and wrong requests to any of them."""
    each = [cases(one, mode, things) for one in operations for mode in modes(one)]
    return st.sampled_from(range(len(each))).flatmap(lambda k: each[k])
