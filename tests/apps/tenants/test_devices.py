"""Sign-ins from browsers that were not seen before, through the sign-in page."""

import pytest
from django.test import Client

from tenants.models import KnownDevice, Notice
from tenants.notifications.delivering import deliver_due
from tenants.notifications.devices import COOKIE
from tenants.scoping import tenant_scope
from tests.apps.tenants.conftest import People
from tests.factories import PASSWORD


def sign_in(client: Client, email: str) -> None:
    answer = client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302


def told(people: People) -> list[str]:
    with tenant_scope(people.acme.id):
        found = Notice.objects.filter(title="Sign-in from a new browser").order_by("id")
        return [one.concerned.email for one in found.select_related("concerned")]


@pytest.fixture
def at_home(people: People) -> Client:
    """Tom's first browser."""
    client = Client()
    sign_in(client, people.tom.email)
    return client


def test_the_first_browser_is_no_news(people: People, at_home: Client):
    assert told(people) == []
    assert at_home.cookies[COOKIE]["httponly"]


def test_another_browser_is_told_to_that_person_alone(people: People, at_home: Client, mailoutbox):
    sign_in(Client(headers={"User-Agent": "Evil\r\nX: <b>"}), people.tom.email)

    assert told(people) == [people.tom.email]
    now = KnownDevice.objects.latest("id").first_seen_at
    deliver_due(tenant_id=people.acme.id, clock=lambda: now)
    (letter,) = mailoutbox
    assert letter.to == [people.tom.email]
    assert "Evil X: <b>, from 127.0.0.1" in letter.body
    assert people.client("olga").get("/notifications/count/").json() == {"unread": 0}


def test_a_browser_that_comes_back_is_known(people: People, at_home: Client):
    at_home.post("/accounts/logout/")
    sign_in(at_home, people.tom.email)

    assert told(people) == []


def test_a_forged_mark_is_a_new_browser(people: People, at_home: Client):
    thief = Client()
    thief.cookies[COOKIE] = "forged"
    sign_in(thief, people.tom.email)

    assert told(people) == [people.tom.email]


def test_a_browser_two_people_share_is_new_to_each_once(people: People, at_home: Client):
    sign_in(Client(), people.vera.email)  # her own, the first
    at_home.post("/accounts/logout/")
    for _ in range(2):
        sign_in(at_home, people.vera.email)
        at_home.post("/accounts/logout/")

    assert told(people) == [people.vera.email]


def test_the_mark_itself_is_not_kept(people: People, at_home: Client):
    kept = KnownDevice.objects.get().digest

    assert kept not in at_home.cookies[COOKIE].value
    assert at_home.cookies[COOKIE].value.split(":")[0] not in kept
