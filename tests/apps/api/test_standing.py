"""Status, heartbeat and control."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants.models import Tenant
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import post
from tests.apps.trading import rows
from tests.apps.trading.test_overview import another
from tests.tenant_rows import Rows
from trading.models import Engine, EngineSnapshot, Hold, LedgerProof


def beat(people, *, ago: float) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.filter(id=people.engine.engine_id).update(
            observed="RUNNING", heartbeat_at=timezone.now() - timedelta(seconds=ago)
        )


def acme_of(people) -> Tenant:
    with tenant_scope(people.engine.tenant_id):
        return Tenant.objects.get(id=people.engine.tenant_id)


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


def test_the_heartbeat_tells_what_a_watchdog_asks_of_each_engine(people, as_caller) -> None:
    beat(people, ago=1)
    client = as_caller("vera-read")
    (before,) = client.get("/api/v1/ops/heartbeat").json()["engines"]

    made = Rows(acme_of(people))
    heard = timezone.now() - timedelta(seconds=7)
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.filter(id=people.engine.engine_id).update(priced_at=heard)
    rows.write_decision(people.engine)
    long_ago = timezone.now() - timedelta(seconds=90)
    with tenant_scope(people.engine.tenant_id):
        for model, moment in ((EngineSnapshot, "saved_at"), (LedgerProof, "proved_at")):
            engine = Engine.objects.get(id=people.engine.engine_id)
            made.make(model, engine=engine, **{moment: long_ago})
    (after,) = client.get("/api/v1/ops/heartbeat").json()["engines"]

    ages = ("tick_age_seconds", "saved_age_seconds", "proof_age_seconds")
    assert [before[name] for name in ages] == [None] * 3
    assert before["last_bar_at"] is None
    assert [after[name] >= 90 for name in ("saved_age_seconds", "proof_age_seconds")] == [True] * 2
    assert 7 <= after["tick_age_seconds"] < 90
    assert after["last_bar_at"] == "2026-01-05T12:00:00Z"
    assert after["lacks_news"] is False


def test_an_engine_without_news_of_its_market_is_degraded_while_its_hold_stands(
    people, as_caller
) -> None:
    beat(people, ago=1)
    hold = rows.write_hold(people.engine, kind=Hold.Kind.DATA)
    client = as_caller("vera-read")

    held = client.get("/api/v1/ops/heartbeat")
    with tenant_scope(people.engine.tenant_id):
        Hold.objects.filter(id=hold.id).update(cleared_at=timezone.now())
    lifted = client.get("/api/v1/ops/heartbeat")

    assert (held.status_code, held.json()["status"]) == (200, "degraded")
    assert held.json()["engines"][0]["lacks_news"] is True
    assert lifted.json()["status"] == "ok"


@pytest.mark.parametrize("path", ["/ops/heartbeat", "/status"])
def test_many_engines_take_as_many_queries_as_one(people, as_caller, path: str) -> None:
    client = as_caller("vera-read")
    rows.write_decision(people.engine)

    def ask() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            told = client.get(f"/api/v1{path}").json()["engines"]
        return len(captured), len(told)

    ask()  # the first notes that the key was used
    queries, _ = ask()
    for symbol in ("ETH/USD", "SOL/USD", "ADA/USD"):
        other = another(people, symbol)
        rows.write_decision(other)
        rows.write_position(other)
        rows.write_hold(other)

    assert ask() == (queries, 4)


def test_a_command_is_followed_to_its_end(people, as_caller) -> None:
    client = as_caller("tom-trade")

    answer = post(client, "/control/close_all", {"reason": "news"})

    told = client.get(answer["Location"]).json()
    assert (told["kind"], told["reason"], told["finished_at"]) == ("CLOSE_ALL", "news", None)


def test_an_unknown_engine_is_not_found_and_none_is_a_conflict(people, as_caller) -> None:
    unknown = {"engine": "00000000-0000-0000-0000-000000000000"}

    assert post(as_caller("tom-trade"), "/control/pause", unknown).status_code == 404
    assert post(as_caller("max-admin"), "/control/pause").status_code == 409
