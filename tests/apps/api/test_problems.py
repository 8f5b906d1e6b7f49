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
