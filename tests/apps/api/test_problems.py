"""What nobody expected is a problem for programs too, and tells nothing of the inside."""

# ruff: noqa: F811 - fixtures are asked for by their names

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from novapulse import urls
from tests.apps.api.test_access import things, told  # noqa: F401 - fixtures

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


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/status"])
def test_an_address_of_the_api_that_is_not_there_is_a_problem_nobody_keeps(db, path: str) -> None:
    answer = Client().get(path)

    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"


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


FILES = (("/export/trades.csv", "text/csv"), ("/ledger/fills.csv", "text/csv; charset=utf-8"))


@pytest.mark.parametrize(("path", "media"), FILES)
def test_a_file_is_given_to_who_accepts_its_type_alone(as_caller, path: str, media: str) -> None:
    client = as_caller("tom-read")

    answer = client.get(f"/api/v1{path}", headers={"Accept": media})
    wrong = client.get(f"/api/v1{path}?since=then", headers={"Accept": media})
    other = client.get(f"/api/v1{path}", headers={"Accept": "application/xml"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    for refused, code in ((wrong, 400), (other, 406)):
        assert refused["Content-Type"] == "application/problem+json"
        assert (refused.status_code, refused.json()["status"]) == (code, code)


def test_a_report_is_html_to_who_accepts_html_alone(as_caller, things) -> None:
    path = f"/api/v1/backtest/runs/{things['<int:number>']}/report.html"

    answer = as_caller("tom-read").get(path, headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert "has no report" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "accepted", "told"),
    [
        ("/schema", "application/json", "application/json"),
        ("/schema", "*/*", "application/vnd.oai.openapi+json"),
        ("/schema", "application/yaml", "application/yaml; charset=utf-8"),
        ("/docs", "application/json", "text/html; charset=utf-8"),
    ],
)
def test_the_schema_comes_as_it_is_asked_for(db, path: str, accepted: str, told: str) -> None:
    answer = Client().get(f"/api/v1{path}", headers={"Accept": accepted})

    assert (answer.status_code, answer["Content-Type"]) == (200, told)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (r'{"\ud800": 1}', "surrogates not allowed"),
        (r'{"label": "a", "scope": "\udfff"}', "surrogates not allowed"),
        ('{"label": 1e999}', "1e999 is too large a number"),
        ('{"label": -1E+400}', "-1E+400 is too large a number"),
        ('{"label": NaN}', "NaN is no number of JSON"),
    ],
)
def test_what_can_be_neither_kept_nor_told_is_refused(as_caller, body: str, words: str) -> None:
    client = as_caller("olga-admin")

    answer = client.generic("POST", "/api/v1/keys", body, content_type="application/json")

    assert answer.status_code == 400
    assert words in answer.json()["detail"]


def test_a_letter_outside_the_first_plane_is_kept(as_caller) -> None:
    client = as_caller("olga-admin")

    answer = client.generic(
        "POST", "/api/v1/keys", r'{"label": "\ud83d\ude80"}', content_type="application/json"
    )

    assert (answer.status_code, answer.json()["label"]) == (201, "🚀")
