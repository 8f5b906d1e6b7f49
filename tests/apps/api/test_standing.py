"""Status, heartbeat and control."""

from datetime import timedelta

from django.utils import timezone

from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.trading import rows
from trading.models import Engine


def beat(people, *, ago: float) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.filter(id=people.engine.engine_id).update(
            observed="RUNNING", heartbeat_at=timezone.now() - timedelta(seconds=ago)
        )


def test_status_tells_engine_hold_position_and_equity(people, as_caller) -> None:
    rows.write_decision(people.engine)
    rows.write_position(people.engine)
    rows.write_hold(people.engine)

    (engine,) = as_caller("vera-read").get("/api/v1/status").json()["engines"]

    assert engine["mode"] == "PAPER"
    assert engine["equity"] == "10000.00"
    assert engine["holds"][0]["reason"] == "paused by Olga"
    assert engine["holds"][0]["lifted_by"] == "Resume lifts it"
    assert engine["positions"][0]["stop_price"] == "41500"
    assert engine["last_bar_at"] == "2026-01-05T12:00:00Z"
    assert engine["last_bar_at_ms"] == 1_767_614_400_000


def test_the_heartbeat_turns_critical_with_silence(people, as_caller) -> None:
    client = as_caller("vera-read")
    told = []
    for ago in (1, 60, 500):
        beat(people, ago=ago)
        answer = client.get("/api/v1/ops/heartbeat")
        told.append((answer.status_code, answer.json()["status"]))

    assert told == [(200, "ok"), (200, "degraded"), (503, "critical")]
    assert answer["Retry-After"] == "30"


def test_a_command_is_followed_to_its_end(people, as_caller) -> None:
    client = as_caller("tom-trade")

    answer = post(client, "/control/close_all", {"reason": "news"})

    told = client.get(answer["Location"]).json()
    assert (told["kind"], told["reason"], told["finished_at"]) == ("CLOSE_ALL", "news", None)


def test_an_unknown_engine_is_not_found_and_none_is_a_conflict(people, as_caller) -> None:
    unknown = {"engine": "00000000-0000-0000-0000-000000000000"}

    assert post(as_caller("tom-trade"), "/control/pause", unknown).status_code == 404
    assert post(as_caller("max-admin"), "/control/pause").status_code == 409
