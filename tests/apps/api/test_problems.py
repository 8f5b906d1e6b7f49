"""What nobody expected is a problem for programs too, and tells nothing of the inside."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from novapulse import urls

handler400, handler500 = urls.handler400, urls.handler500
SECRET = "the password is swordfish"


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(SECRET)


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation(SECRET)


urlpatterns = [
    path(f"{prefix}{view.__name__}", view)
    for prefix in ("api/v1/", "")
    for view in (broken, suspicious)
]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("name", "code"), [("broken", 500), ("suspicious", 400)])
def test_an_error_is_a_problem_for_programs_and_a_page_for_people(db, name: str, code: int) -> None:
    client = Client(raise_request_exception=False)

    told, page = client.get(f"/api/v1/{name}"), client.get(f"/{name}")

    assert (told.status_code, page.status_code) == (code, code)
    assert told["Content-Type"] == "application/problem+json"
    assert told.json()["status"] == code
    assert "text/html" in page["Content-Type"]
    assert SECRET not in told.content.decode() + page.content.decode()


UNREAD = (
    ("get", "/fills?pairs=BTC/USD", "", "pairs", "did you mean 'pair'?"),
    ("get", "/status?verbose=1", "", "verbose", "nothing is read here"),
    ("get", "/performance?page=2", "", "page", "known are account, chapter"),
    ("post", "/notifications/read?all=1", "", "all", "nothing is read here"),
    ("post", "/notifications/read", '{"kind": "FILL"}', "kind", "nothing is read here"),
)


@pytest.mark.parametrize(("method", "path", "body", "field", "words"), UNREAD)
def test_what_nobody_would_read_is_refused(as_caller, method, path, body, field, words) -> None:
    answer = as_caller("tom-trade").generic(
        method.upper(), f"/api/v1{path}", body, content_type="application/json"
    )

    assert answer.status_code == 400, answer.content
    (told,) = answer.json()["errors"]
    assert told["field"] == field
    assert words in told["message"]


def test_every_change_wants_json_also_where_it_takes_no_body(as_caller) -> None:
    client = as_caller("tom-trade")

    form = client.post("/api/v1/notifications/read", {"a": "1"})
    broken = client.generic("POST", "/api/v1/notifications/read", "{", content_type="application/json")  # fmt: skip

    assert (form.status_code, broken.status_code) == (415, 400)


def test_who_may_not_ask_is_told_so_before_what_is_wrong(as_caller) -> None:
    assert as_caller("anonymous").get("/api/v1/status?verbose=1").status_code == 401
    assert as_caller("tom-read").post("/api/v1/notifications/read?all=1").status_code == 403
