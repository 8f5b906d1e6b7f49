"""How an endpoint tells the published schema what it answers."""

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from tenants.api.idempotency import HEADER, LONGEST
from tenants.api.problems import CONTENT_TYPE
from tenants.api.views import Takes
from trading.api.answers import Problem

WORDS = {
    400: "Something that was sent cannot be accepted; `errors` names the fields.",
    401: "No key and no session, or one that does not open.",
    403: "Your key or role does not reach so far.",
    404: "Nothing there in this workspace.",
    409: "It does not go with the present state.",
    412: "Something else is in force than what If-Match names; read it again.",
    413: "The body is too large.",
    415: "The body must be application/json.",
    422: "The Idempotency-Key was used for another request.",
    428: "Say with If-Match what the change is based on: the ETag you read.",
    429: "Too many requests; `Retry-After` says when.",
    503: "The house cannot answer just now; nothing was half-done. `Retry-After` says when.",
}
ONCE = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description=f"1 to {LONGEST} characters: the same request with the same key is done once.",
)
REPLAYED = "Idempotent-Replayed"
HEADERS = {
    "ETag": "what a change of this is based on: send it as If-Match",
    "Location": "where to ask what became of it",
    "X-Result-SHA256": "of the result, byte for byte that of the command line",
    REPLAYED: "true: it was done before, and this is the first answer",
}
RETRY_AFTER = OpenApiParameter(
    "Retry-After", int, OpenApiParameter.HEADER, description="in seconds", response=[429, 503]
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="the ETag of what the change is based on"
)


def answers(
    summary: str,
    body: Any,
    *,
    name: str | None = None,
    code: int = 200,
    problems: tuple[int, ...] = (),
    also: int = 0,
    request: Any = None,
    parameters: tuple[OpenApiParameter, ...] = (),
    open_to_all: bool = False,
    changes: bool = False,
    media: str = "application/json",
    gives: tuple[str, ...] = (),
) -> Callable[[Any], Any]:
    """Summary, success (``also`` under another code) and every problem of one method.

    ``gives`` names the headers of its success. What is not open to all refuses what is not told here.
    """
    usual = (*(() if open_to_all else (400, 401, 403)), *((413, 415, 422) if changes else ()))
    good = [number for number in (code, also) if number]
    told: Any = {(number, media): OpenApiResponse(body, description=summary) for number in good}
    for number in sorted({*usual, *problems, 429, 503}):
        told[number, CONTENT_TYPE] = OpenApiResponse(Problem, description=WORDS[number])
    heads = [_header(head, good) for head in (*gives, *((REPLAYED,) if changes else ()))]
    document = extend_schema(
        operation_id=name,
        summary=summary,
        request=request,
        responses=told,
        parameters=[*parameters, *((ONCE,) if changes else ()), *heads, RETRY_AFTER],
    )
    query = frozenset(p.name for p in parameters if p.location == OpenApiParameter.QUERY)

    def publish(handler: Any) -> Any:
        if not open_to_all:
            handler.takes = Takes(query, request is not None)
        return document(handler)

    return publish


def _header(name: str, codes: Sequence[int]) -> OpenApiParameter:
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, description=HEADERS[name], response=list(codes)
    )
