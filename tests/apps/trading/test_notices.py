"""What stands first on an engine's page: why it does not decide or enter, and what ends that."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tenants.scoping import tenant_scope
from tests.apps.trading.conftest import People, signed_in
from trading.engine.commands import KILLED
from trading.engine.guards import PAUSE
from trading.models import Engine, Hold


def set_engine(people: People, **values: Any) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(**{"heartbeat_at": timezone.now()} | values)


def hold(people: People, *, cause: str, kind: str = "OPERATOR") -> None:
    with tenant_scope(people.engine.tenant_id):
        engine = Engine.objects.get()
        Hold.objects.create(tenant_id=engine.tenant_id, engine=engine, kind=kind, cause=cause,
                            reason=f"{cause} by tom@example.com", placed_at=timezone.now())  # fmt: skip


def address(people: People) -> str:
    return f"/engines/{people.engine.engine_id}/notices/"


def told(people: People, reader: str = "olga") -> str:
    answer = signed_in(getattr(people, reader)).get(address(people))
    assert answer.status_code == 200
    return answer.content.decode()


BUTTON = re.compile(r'class="btn[^>]*>([^<]+)<')
SILENT_SINCE = timezone.now() - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("state", "title", "button"),
    [
        ({"observed": "PARKED", "detail": "parked: 5 crashes"}, "is not started any more", "Start the engine"),
        ({"observed": "FAILED", "detail": "no bars"}, "could not begin.</strong> No bars.", ""),
        ({"observed": "RUNNING", "heartbeat_at": SILENT_SINCE}, "gives no sign of life", ""),
        ({"observed": "FINISHED"}, "Every stored bar was replayed", "Begin again"),
        ({"observed": "STARTING", "detail": "compiling"}, "getting ready.</strong> Compiling.", ""),
        ({"observed": "STOPPED"}, "is about to start", ""),
        ({"observed": "STOPPED", "desired": "STOPPED"}, "The engine is stopped", "Start the engine"),
        ({"observed": "RUNNING", "desired": "STOPPED"}, "is asked to stop", ""),
    ],
)  # fmt: skip
def test_each_state_is_told_above_the_numbers_with_what_ends_it(
    people: People, state: dict[str, Any], title: str, button: str
) -> None:
    set_engine(people, **state)

    page = signed_in(people.olga).get("/").content.decode()

    assert title in page
    assert page.index(title) < page.index("Equity, USD")
    assert BUTTON.findall(told(people))[:1] == ([button] if button else [])
    assert BUTTON.findall(told(people, "vera")) == []


def test_an_engine_that_runs_and_may_enter_has_nothing_to_tell(people: People) -> None:
    set_engine(people, observed="RUNNING")

    assert "alert" not in told(people)


def test_a_killed_engine_is_revived_by_an_owner_and_not_resumed(people: People) -> None:
    set_engine(people, observed="RUNNING")
    hold(people, cause=KILLED)

    of_owner, of_trader = told(people), told(people, "tom")

    assert "Killed: everything is closed, nothing is entered." in of_owner
    assert "Kill by tom@example.com" in of_owner
    assert BUTTON.findall(of_owner) == ["Revive"]
    assert "An owner revives it." in of_trader
    assert BUTTON.findall(of_trader) == []


@pytest.mark.parametrize(
    ("cause", "kind", "buttons"), [(PAUSE, "OPERATOR", ["Resume"]), ("clock", "BREAKER", [])]
)
def test_a_hold_says_why_since_when_and_what_lifts_it(
    people: People, cause: str, kind: str, buttons: list[str]
) -> None:
    set_engine(people, observed="RUNNING")
    hold(people, cause=cause, kind=kind)

    shown = told(people, "tom")

    assert f"{cause.capitalize()} by tom@example.com, {timezone.now():%Y-%m-%d}" in shown
    assert "lift" in shown
    assert BUTTON.findall(shown) == buttons


def test_what_the_page_tells_already_is_not_sent_again(people: People) -> None:
    set_engine(people, observed="STARTING")
    olga = signed_in(people.olga)
    known = re.search(r'name="told" value="(\w+)"', told(people))
    assert known

    same = olga.get(address(people), {"told": known[1]})
    set_engine(people, observed="RUNNING")
    other = olga.get(address(people), {"told": known[1]})

    assert (same.status_code, other.status_code) == (204, 200)


def test_max_is_told_nothing(people: People) -> None:
    assert signed_in(people.max).get(address(people)).status_code == 404
