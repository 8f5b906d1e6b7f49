"""One request: sent, sent once more where that is safe, and read into what was expected."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from novapulse_client.errors import FieldError, NovaPulseError

ONCE_MORE = frozenset({429, 503})
DEFAULT_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
MOST_TOLD = 300

T = TypeVar("T")


class Problem(msgspec.Struct):
    """RFC 9457, as the API answers it."""

    title: str
    detail: str
    errors: list[FieldError] = []


class Wire:
    """A connection to one installation under one key."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1",
            headers={"X-API-Key": api_key, "Accept": "application/json"},
            timeout=timeout,
        )
        self._sleep = sleep

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def get(self, path: str, expected: type[T], query: Mapping[str, str] | None = None) -> T:
        """What is there.

        Raises:
            NovaPulseError: it is refused, not understood, or there is no answer.
        """
        return decode(self._send("GET", path, params=query), expected)

    def tag_of(self, path: str) -> str:
        """The ETag of what is there.

        Raises: as ``get``.
        """
        return str(self._send("GET", path).headers.get("ETag", ""))

    def post(
        self, path: str, body: Any, expected: type[T], headers: Mapping[str, str] | None = None
    ) -> T:
        """Change something; however often it has to be sent, it is done once.

        Raises: as ``get``.
        """
        return self.change("POST", path, body, expected, headers)

    def change(
        self,
        method: str,
        path: str,
        body: Any,
        expected: type[T],
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """The same with another method.

        Raises: as ``get``.
        """
        answer = self._send(
            method,
            path,
            content=msgspec.json.encode(body),
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": uuid.uuid4().hex,
                **(headers or {}),
            },
        )
        return decode(answer, expected)

    def _send(self, method: str, path: str, **given: Any) -> httpx.Response:
        answer = self._try(method, path, **given)
        wait = seconds_to_wait(answer)
        if wait is not None:
            self._sleep(wait)
            answer = self._try(method, path, **given)
        if isinstance(answer, httpx.TransportError):
            raise NovaPulseError(
                status=0, title="No answer", detail=f"{type(answer).__name__} {answer}".rstrip()
            ) from answer
        if answer.status_code >= 300:
            raise refusal(answer)
        return answer

    def _try(self, method: str, path: str, **given: Any) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.request(method, path, **given)
        except httpx.TransportError as error:
            return error


def seconds_to_wait(answer: httpx.Response | httpx.TransportError) -> float | None:
    """How long before it is sent once more; None: it is not."""
    if isinstance(answer, httpx.TransportError):
        return DEFAULT_WAIT_SECONDS
    if answer.status_code not in ONCE_MORE:
        return None
    told = answer.headers.get("Retry-After", "")
    wait = float(told) if told.isascii() and told.isdigit() else DEFAULT_WAIT_SECONDS
    return wait if wait <= LONGEST_WAIT_SECONDS else None


def refusal(answer: httpx.Response) -> NovaPulseError:
    """The problem an answer tells; of one that tells none, its first words."""
    try:
        told = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        told = Problem(title=answer.reason_phrase, detail=answer.text[:MOST_TOLD])
    return NovaPulseError(
        status=answer.status_code, title=told.title, detail=told.detail, errors=told.errors
    )


def decode(answer: httpx.Response, expected: type[T]) -> T:
    """An answer as what was expected.

    Raises:
        NovaPulseError: it is something else, such as a proxy's page.
    """
    try:
        return msgspec.json.decode(answer.content, type=expected)
    except msgspec.DecodeError as error:
        raise NovaPulseError(
            status=answer.status_code, title="Not understood", detail=str(error)
        ) from error
