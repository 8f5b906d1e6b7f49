"""Events, anomalies, venues and the workspace itself over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.api.test_history import every
from tests.apps.trading import rows
from tests.factories import NOW
from trading.models import Bot, Engine, Hold, Position
from trading.queries.events import KINDS

MINUTE = timedelta(minutes=1)


def get(client: Any, path: str) -> Any:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def happen(people, *, at=NOW, count: int = 1) -> None:
    """Holds that were lifted and positions that were closed at the moment they began."""
    engine = people.engine
    with tenant_scope(engine.tenant_id):
        for _ in range(count):
            Hold.objects.create(
                tenant_id=engine.tenant_id, engine_id=engine.engine_id, kind="OPERATOR",
                cause="pause", reason="lunch", placed_at=at, cleared_at=at,
            )  # fmt: skip
            Position.objects.create(
                tenant_id=engine.tenant_id, bot=Bot.objects.get(), instrument=engine.instrument,
                side="LONG", quantity=0, entry_price=rows.PRICE, realized_pnl=7, opened_at=at,
                closed_at=at,
            )  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_no_event_is_lost_or_told_twice_between_pages(people, as_caller, limit: int) -> None:
    happen(people, count=3)
    rows.write_alert(people.engine)
    client = as_caller("vera-read")

    told = [(one["kind"], one["subject"]) for one in every(client, "/events", limit=limit)]

    assert len(told) == len(set(told)) == 3 * 4 + 1 + 1  # the bot's first revision too
    assert {kind for kind, _ in told} == KINDS.keys() - {"command_asked", "command_done"}


def test_events_are_told_newest_first_in_words(people, as_caller) -> None:
    happen(people)
    post(as_caller("tom"), "/control/pause", {"reason": "lunch"})
    client = as_caller("vera-read")

    items = get(client, "/events")["items"]

    assert [one["at"] for one in items] == sorted((one["at"] for one in items), reverse=True)
    assert (items[0]["kind"], items[0]["account"]) == ("command_asked", "Paper")
    assert "asked by tom@example.com: lunch" in items[0]["words"]
    words = {one["kind"]: one["words"] for one in items}
    assert words["position_closed"] == "Bot LONG BTC/USD closed, made 7 USD"
    assert words["hold_lifted"] == "Lifted: lunch"


def test_events_are_narrowed_by_kind_account_and_time(people, as_caller) -> None:
    happen(people)
    client = as_caller("vera-read")

    def count(query: str) -> int:
        return len(get(client, f"/events?{query}")["items"])

    assert count("kind=position_closed") == 1
    assert count(f"account={people.engine.account_id}") == 5
    assert count("account=00000000-0000-0000-0000-000000000001") == 0
    assert count("since=2026-01-05T12:00:01Z") == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [("kind=party", "kind"), ("cursor=x", "cursor"), ("cursor=99.1-x", "cursor"),
     ("cursor=1-00000000-0000-0000-0000-000000000001", "cursor"), ("cursor=0.1-1", "cursor"),
     ("limit=0", "limit"), ("account=x", "account"), ("since=soon", "since")],
)  # fmt: skip
def test_what_cannot_be_read_is_named(as_caller, query: str, field: str) -> None:
    answer = as_caller("vera-read").get(f"/api/v1/events?{query}")

    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_what_is_wrong_is_told_and_what_is_well_is_not(people, as_caller) -> None:
    client = as_caller("vera-read")
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(observed="RUNNING", heartbeat_at=timezone.now())
    assert get(client, "/anomalies") == {"items": []}

    with tenant_scope(people.engine.tenant_id):
        Engine.objects.update(observed="FAILED", detail="no bars")
    rows.write_position(people.engine)
    rows.write_hold(people.engine)

    told = get(client, "/anomalies")["items"]
    assert [(one["check"], one["verdict"]) for one in told] == [
        ("engine", "fail"),
        ("protection", "fail"),
        ("hold", "warn"),
    ]
    assert told[0]["words"] == "Paper failed: no bars"


def test_a_venue_is_connected_while_its_engine_speaks(people, as_caller) -> None:
    client = as_caller("vera-read")
    rows.write_decision(people.engine)

    def told(**engine: Any) -> Any:
        with tenant_scope(people.engine.tenant_id):
            Engine.objects.update(**engine)
        return get(client, "/integrations/exchanges")["items"][0]

    never = told()
    assert (never["exchange"], never["connected"], never["key"]) == ("synthetic", False, None)
    assert never["last_bar_at"] == "2026-01-05T12:00:00Z"
    assert told(observed="RUNNING", heartbeat_at=timezone.now())["connected"]
    assert not told(heartbeat_at=timezone.now() - MINUTE)["connected"]
    assert not told(observed="STOPPED", heartbeat_at=timezone.now())["connected"]


def test_the_workspace_is_told_to_its_owner(people, as_caller) -> None:
    client = as_caller("olga-admin")

    told = get(client, f"/tenants/{people.engine.tenant_id}")

    assert (told["slug"], told["name"], told["status"]) == ("acme", "Acme", "ACTIVE")
    assert (told["members"], told["accounts"], told["bots"], told["api_keys"]) == (3, 1, 1, 1)
    other = as_caller("max-admin").get(f"/api/v1/tenants/{people.engine.tenant_id}")
    assert (other.status_code, "acme" in other.content.decode().lower()) == (404, False)
