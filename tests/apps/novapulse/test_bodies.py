"""A body that is too large is refused before it is read, over real sockets at a real daphne."""

import json
import socket
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from novapulse.bodies import MOST_BYTES
from tests.database import FreshDatabase
from tests.pages import served

HUGE = 200_000_000
PART = b"x" * 50_000


@pytest.fixture
def place(fresh_database: FreshDatabase, redis_url: str, tmp_path: Path) -> Iterator[str]:
    """Where pages are served."""
    environment = {**fresh_database.environment, "NOVA_ENV": "development"}
    with served(environment, log=tmp_path / "daphne.log") as address:
        yield urlsplit(address).netloc


def post(place: str, body: bytes | Iterable[bytes], **headers: str) -> HTTPResponse:
    """Whatever the answer is, while or after all is sent."""
    connection = HTTPConnection(place, timeout=30)
    connection.request("POST", "/api/v1/keys", body, headers)
    return connection.getresponse()


def assert_refused(answer: HTTPResponse) -> None:
    told = json.loads(answer.read())
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
    assert (told["title"], told["detail"]) == (
        "Request Entity Too Large",
        "At most 2,000,000 bytes are read.",
    )


def head_alone(place: str, *more: str) -> bytes:
    """All that is answered to the headers of a huge body that is never sent."""
    host, port = place.split(":")
    lines = ("POST /accounts/login/ HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {HUGE}", *more)
    with socket.create_connection((host, int(port)), timeout=30) as sender:
        sender.sendall("\r\n".join([*lines, "", ""]).encode())
        with sender.makefile("rb") as answer:
            return answer.read()


def test_a_body_is_refused_as_soon_as_it_is_known_to_be_too_large(place: str) -> None:
    for more in ((), ("Expect: 100-continue",)):
        head, _, body = head_alone(place, *more).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        assert json.loads(body)["status"] == 413

    assert_refused(post(place, b"x" * (MOST_BYTES + 1)))
    assert_refused(post(place, (PART for _ in range(MOST_BYTES // len(PART) + 1))))

    largest = post(place, b"x" * MOST_BYTES)
    in_parts = post(place, (PART for _ in range(MOST_BYTES // len(PART))))
    assert {largest.status, in_parts.status} == {401}
