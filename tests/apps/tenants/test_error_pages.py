"""What is shown where there is no page."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import Client
from django.urls import path

from tests import factories
from tests.database import FreshDatabase


def broken(request: object) -> None:
    raise ZeroDivisionError


urlpatterns = [path("broken/", broken)]
handler500 = "tenants.error_views.server_error"


@pytest.fixture
def away(fresh_database: FreshDatabase) -> Iterator[Client]:
    """Somebody signed in, whose database has gone."""
    client = Client(raise_request_exception=False)
    client.force_login(factories.make_user("olga@example.com"))
    one = connections["default"]
    one.close()
    kept, one.settings_dict["HOST"] = one.settings_dict["HOST"], "/nowhere"
    yield client
    one.settings_dict["HOST"] = kept


def test_a_page_without_its_database_says_so_and_when_to_come_again(away: Client) -> None:
    answer = away.get("/team/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert '<meta http-equiv="refresh" content="5">' in answer.content.decode()
    assert "The database does not answer" in answer.content.decode()
    assert "/nowhere" not in answer.content.decode()


def test_the_api_without_its_database_says_so_too(away: Client) -> None:
    answer = away.get("/api/v1/status", headers={"X-API-Key": "np_1"})

    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert "The database does not answer" in answer.json()["detail"]


def test_a_page_that_breaks_tells_nothing_of_why(db, settings) -> None:
    settings.ROOT_URLCONF = __name__

    answer = Client(raise_request_exception=False).get("/broken/")

    assert answer.status_code == 500
    assert "Something broke" in answer.content.decode()
    assert "ZeroDivision" not in answer.content.decode()


def test_a_request_for_another_host_is_told_that_it_cannot_be_read(db) -> None:
    answer = Client(headers={"host": "evil.example"}).get("/accounts/login/")

    assert answer.status_code == 400
    assert "This request cannot be read" in answer.content.decode()
    assert "evil.example" not in answer.content.decode()


def test_who_signs_in_too_often_is_told_to_wait(db, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/15m/ip"}
    sent = {"login": "olga@example.com", "password": "wrong"}
    client = Client()

    answers = [client.post("/accounts/login/", sent) for _ in range(2)]

    assert answers[1].status_code == 429
    assert "Wait a quarter of an hour" in answers[1].content.decode()
    assert answers[1]["Retry-After"] == "900"
