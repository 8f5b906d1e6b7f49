"""The doctor finds what a person must look at, and says it in one line each."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.apps.trading.conftest import People
from trading.models import Engine, EngineCommand, Hold, OrderIntent


def examined() -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """(exit code, findings by check)."""
    out, code = StringIO(), 0
    try:
        call_command("doctor", json=True, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    told: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(out.getvalue()):
        told.setdefault(one["check"], []).append((one["verdict"], one["words"]))
    return code, told


def beat(people: People, **values: Any) -> None:
    with tenant_scope(people.engine.tenant_id):
        Engine.objects.filter(id=people.engine.engine_id).update(
            **{"observed": "RUNNING", "heartbeat_at": timezone.now(), **values}
        )


def test_a_healthy_installation_has_nothing_that_fails(people: People) -> None:
    beat(people)

    code, told = examined()

    assert code == 0
    assert told["database"][0][0] == "ok"
    assert told["redis"][0][0] == "ok"
    assert told["engine"][0] == ("ok", "acme: Paper running, 0 s ago")


def test_a_silent_engine_fails_with_why(people: People) -> None:
    beat(people, heartbeat_at=timezone.now() - timedelta(minutes=5), detail="no key")

    code, told = examined()

    assert code == 1
    assert told["engine"] == [("fail", "acme: Paper should run and is silent for 300 s (no key)")]


def test_a_position_without_a_stop_fails_and_one_with_it_does_not(people: People) -> None:
    beat(people)
    rows.write_position(people.engine)
    assert "has no stop at the venue" in examined()[1]["protection"][0][1]

    fill = rows.write_fill(people.engine)
    with tenant_scope(people.engine.tenant_id):
        intent = OrderIntent.objects.get(id=fill.order.intent_id)
        OrderIntent.objects.filter(id=intent.id).update(purpose=2, state="WORKING")

    code, told = examined()
    assert (code, told.get("protection")) == (0, None)


@pytest.mark.parametrize(
    ("broken", "check", "verdict"),
    [("unknown", "order", "fail"), ("command", "command", "fail"), ("hold", "hold", "warn")],
)
def test_what_is_stuck_is_found(people: People, broken: str, check: str, verdict: str) -> None:
    beat(people)
    long_ago = timezone.now() - timedelta(hours=1)
    fill = rows.write_fill(people.engine)
    with tenant_scope(people.engine.tenant_id):
        if broken == "unknown":
            OrderIntent.objects.filter(id=fill.order.intent_id).update(state="UNKNOWN")
        elif broken == "command":
            EngineCommand.objects.create(
                tenant_id=people.engine.tenant_id,
                engine_id=people.engine.engine_id,
                kind="PAUSE",
                idempotency_key="k",
                requested_at=long_ago,
            )
    if broken == "hold":
        hold = rows.write_hold(people.engine)
        with tenant_scope(people.engine.tenant_id):
            Hold.objects.filter(id=hold.id).update(placed_at=long_ago)

    code, told = examined()

    assert told[check][0][0] == verdict
    assert code == (1 if verdict == "fail" else 0)


@pytest.mark.parametrize("venue", ["simulator", "simulator_coinbase"])
def test_a_venue_that_does_not_answer_fails(people: People, settings, venue: str) -> None:
    from tenants.models import ExchangeAccount

    settings.SIMULATOR_PORT = 1
    beat(people)
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.update(venue=venue)

    code, told = examined()

    assert code == 1
    assert "cannot be reached" in told[venue][0][1]


def test_without_redis_it_says_what_that_means(people: People, settings) -> None:
    beat(people)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    code, told = examined()

    assert code == 1
    assert "engines go on trading" in told["redis"][0][1]
