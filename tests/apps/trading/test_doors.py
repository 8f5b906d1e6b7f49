"""Every page of trading, for every kind of person and method; what nobody listed fails."""

from typing import Any, cast

import pytest
from django.test import Client

from tenants.models import AuditEntry
from tenants.scoping import tenant_scope
from tenants.standing import Effect
from tests.apps.api.conftest import as_caller, boundless  # noqa: F401 - fixtures
from tests.apps.api.test_access import stand, things, told  # noqa: F401 - fixtures
from tests.apps.step_up import step_up
from tests.apps.trading.conftest import People, signed_in
from tests.factories import make_user
from trading.models import EngineCommand
from trading.urls import urlpatterns, websocket_urlpatterns

# ruff: noqa: F811 - fixtures are asked for by their names

VIEW, TRADE, MANAGE, STEPPED_UP = "view", "trade", "manage", "manage, stepped up"
READS, ACTS, FORM = ("get",), ("post",), ("get", "post")
# Route: what it needs, which methods it has, and whether it is of a thing that has an owner.
DOORS: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "dashboard": (VIEW, READS, False),
    "notices": (VIEW, READS, True),
    "engine": (VIEW, READS, True),
    "wish": (TRADE, ACTS, True),
    "chart": (VIEW, READS, True),
    "command": (TRADE, ACTS, True),
    "standing": (VIEW, READS, False),
    "decisions": (VIEW, READS, False),
    "decision": (VIEW, READS, True),
    "decision_chart": (VIEW, READS, True),
    "charts": (VIEW, READS, False),
    "market": (VIEW, READS, True),
    "plots": (VIEW, READS, True),
    "markets": (VIEW, READS, False),
    "mark_pair": (TRADE, ACTS, False),
    "unmark_pair": (TRADE, ACTS, False),
    "settings": (MANAGE, FORM, False),
    "bots": (VIEW, READS, False),
    "new_bot": (TRADE, FORM, False),
    "bot": (VIEW, READS, True),
    "edit_bot": (TRADE, FORM, True),
    "revert_bot": (TRADE, ACTS, True),
    "put_in_force": (STEPPED_UP, ACTS, False),
    "withdraw_revision": (TRADE, ACTS, True),
    "history": (VIEW, READS, False),
    "history_of": (VIEW, READS, False),
    "history_file": (VIEW, READS, False),
    "execution": (VIEW, READS, False),
    "audit": (MANAGE, READS, False),
    "audit_file": (MANAGE, READS, False),
    "runs": (VIEW, READS, False),
    "new_run": (TRADE, FORM, False),
    "compare_runs": (VIEW, READS, False),
    "run": (VIEW, READS, True),
    "run_progress": (VIEW, READS, True),
    "run_result": (VIEW, READS, True),
    "run_report": (VIEW, READS, True),
    "cancel_run": (TRADE, ACTS, True),
    "archive_run": (TRADE, ACTS, True),
    "accounts": (VIEW, READS, False),
    "add_account": (MANAGE, FORM, False),
    "account_settings": (MANAGE, FORM, True),
    "account_tier": (MANAGE, ACTS, True),
    "account_protection": (MANAGE, ACTS, True),
    "disable_account": (MANAGE, ACTS, True),
    "enable_account": (MANAGE, ACTS, True),
    "account_key": (STEPPED_UP, FORM, False),
    "account_mode": (STEPPED_UP, FORM, False),
    "reset_account": (TRADE, FORM, True),
    "check_key": (MANAGE, ACTS, True),
    "disable_key": (MANAGE, ACTS, True),
}
HARMLESS, CHANGE, ENTER = Effect.HARMLESS, Effect.CHANGE, Effect.OPEN
EFFECTS: dict[Effect, set[str]] = {  # of what is sent; what is read harms nothing
    HARMLESS: {"wish", "command", "withdraw_revision", "cancel_run", "account_protection",
               "disable_account", "enable_account", "account_key", "account_mode", "check_key",
               "disable_key"},
    CHANGE: {"mark_pair", "unmark_pair", "settings", "edit_bot", "revert_bot", "new_run",
             "archive_run", "account_settings", "account_tier", "reset_account"},
    ENTER: {"new_bot", "put_in_force", "add_account"},
}  # fmt: skip
REFUSED = {"WINDING_DOWN": {ENTER}, "SUSPENDED": {CHANGE, ENTER}}
LETS_ENTER = {"enable_account"}  # the view looks itself: its twin ends something
MAY = {
    VIEW: {"vera", "tom", "olga", "max"},
    TRADE: {"tom", "olga", "max"},
    MANAGE: {"olga", "max"},
    STEPPED_UP: {"olga", "max"},  # who are sent to give their second factor first
}
# Of an account without a key, and a run without a result.
NOT_THERE = {"check_key", "disable_key", "run_result", "run_report"}
BODIES = {
    "mark_pair": {"pair": "BTC/USD"},
    "unmark_pair": {"pair": "BTC/USD"},
    "disable_account": {"word": "disable"},
}
SOCKETS = {"ws/live"}  # who is let in: tests/stream/test_matrix.py
PERSONS = ("anonymous", "nina", "vera", "tom", "olga", "max")


def test_every_page_and_socket_is_on_the_list() -> None:
    assert {pattern.name for pattern in urlpatterns} == DOORS.keys()
    assert {str(pattern.pattern) for pattern in websocket_urlpatterns} == SOCKETS
    for pattern in urlpatterns:
        view: Any = pattern.callback
        assert view.needs == DOORS[str(pattern.name)][0].partition(",")[0], pattern.name


@pytest.fixture
def addresses(people: People, things: dict[str, Any]) -> dict[str, str]:
    """Of Acme's things."""
    marks = {
        **things,
        "<uuid:engine_id>": people.engine.engine_id,
        "<slug:act>": "stop",
        "<slug:name>": "pause",
        "<int:market>": 0,
    }
    found = {}
    for pattern in urlpatterns:
        route = str(pattern.pattern)
        if pattern.name == "revert_bot":
            route = route.replace("<int:number>", "1")
        for mark, thing in marks.items():
            route = route.replace(mark, str(thing))
        assert "<" not in route, route
        found[str(pattern.name)] = "/" + route
    return found


def knocking(people: People, who: str) -> Client:
    if who == "anonymous":
        return Client()
    return signed_in(make_user("nina@example.com") if who == "nina" else getattr(people, who))


@pytest.mark.parametrize("who", PERSONS)
def test_a_door_opens_for_whom_it_should(people: People, addresses, who: str) -> None:
    client = knocking(people, who)

    for name, (needs, methods, _) in DOORS.items():
        for method in ("get", "post", "put", "delete"):
            answer = getattr(client, method)(addresses[name], BODIES.get(name, {}))

            told = (who, name, method, answer.status_code, answer.get("Location"))
            if who == "anonymous":
                assert answer.status_code == 405 or "/accounts/login/" in answer["Location"], told
            elif who == "nina":
                assert answer["Location"] == "/welcome/", told
            elif method not in methods:
                assert answer.status_code in (403, 405), told
            elif who not in MAY[needs]:
                assert answer.status_code == 403, told
            else:
                assert answer.status_code in opened(name, who), told
                if needs == STEPPED_UP:
                    assert "/accounts/2fa/" in answer["Location"], told


def effect_of(name: str) -> Effect:
    return next(one for one, names in EFFECTS.items() if name in names)


def test_every_act_is_listed_with_what_it_does_to_the_risk() -> None:
    acting = {name for name, (_, methods, _) in DOORS.items() if "post" in methods}

    assert set().union(*EFFECTS.values()) == acting
    for pattern in urlpatterns:
        if pattern.name in acting:
            view: Any = pattern.callback
            assert view.effect == effect_of(str(pattern.name)), pattern.name


@pytest.mark.parametrize("status", REFUSED)
@pytest.mark.parametrize("who", ["vera", "tom", "olga"])
def test_a_workspace_that_is_not_active_reads_and_ends_and_opens_nothing(
    people: People, addresses, who: str, status: str
) -> None:
    stand(people, status)
    client = signed_in(getattr(people, who))

    for name, (needs, methods, _) in DOORS.items():
        for method in methods:
            answer = getattr(client, method)(addresses[name], BODIES.get(name, {}))

            told = (who, name, method, answer.status_code, answer.get("Location"))
            refused = method == "post" and (
                effect_of(name) in REFUSED[status] or name in LETS_ENTER
            )
            if who not in MAY[needs]:
                assert answer.status_code == 403, told
            elif refused:
                assert answer.status_code == 403, told
                assert b"a test of ours" in answer.content, told
            else:
                assert answer.status_code in opened(name, who), told


@pytest.mark.parametrize(
    ("name", "code"),
    [("pause", 302), ("close_all", 302), ("kill", 302), ("resume", 403), ("revive", 403)],
)
def test_of_the_buttons_those_that_end_something_stay(people: People, name: str, code: int) -> None:
    stand(people, "SUSPENDED")

    address = f"/engines/{people.engine.engine_id}/commands/{name}/"

    answer = signed_in(people.olga).post(address, {"word": name.replace("_", " ")})

    assert answer.status_code == code
    with tenant_scope(people.engine.tenant_id):
        assert EngineCommand.objects.count() == (code == 302)


def test_a_suspended_workspace_does_not_go_live_by_its_page(people: People, addresses) -> None:
    stand(people, "SUSPENDED")
    client = step_up(signed_in(people.olga), people.olga)

    live = client.post(addresses["account_mode"], {"mode": "LIVE"})
    paper = client.post(addresses["account_mode"], {"mode": "PAPER"})

    assert (live.status_code, paper.status_code) == (403, 200)
    assert "in paper mode already" in paper.content.decode()


def test_every_page_says_why_entries_are_held_and_what_lifts_it(people: People, addresses) -> None:
    read = [name for name, (needs, methods, _) in DOORS.items()
            if methods == READS and needs == VIEW]  # fmt: skip
    client = signed_in(people.vera)
    before = {name: client.get(addresses[name]) for name in read}
    stand(people, "WINDING_DOWN")

    for name in read:
        answer = client.get(addresses[name])
        page = (
            b"".join(cast("Any", answer).streaming_content) if answer.streaming else answer.content
        )
        if answer["Content-Type"].startswith("text/html") and b"<html" in page:
            words = page.decode()
            assert "The workspace has lapsed: a test of ours." in words, name
            assert "a paid subscription lifts it" in words, name
            assert "Standing of the workspace" not in before[name].content.decode(), name


def opened(name: str, who: str) -> set[int]:
    """What somebody gets who may: his own page, or nothing of another workspace's thing."""
    needs, _, has_owner = DOORS[name]
    if needs == STEPPED_UP:
        return {302}
    if who == "max" and has_owner:
        return {404}
    return {404} if name in NOT_THERE else {200, 302}


def test_max_changes_nothing_by_knocking(people: People, addresses) -> None:
    with tenant_scope(people.engine.tenant_id):
        before = (AuditEntry.objects.count(), EngineCommand.objects.count())
    client = signed_in(people.max)

    for name in DOORS:
        client.post(addresses[name], BODIES.get(name, {}))

    with tenant_scope(people.engine.tenant_id):
        assert (AuditEntry.objects.count(), EngineCommand.objects.count()) == before
