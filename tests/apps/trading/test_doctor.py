"""The doctor finds what a person must look at, and says it in one line each."""

import asyncio
import json
from base64 import b64encode
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pydantic import SecretStr

from tenants.models import ChainCheck, ExchangeAccount, ExchangeCredential
from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.apps.trading.conftest import People
from tests.vault.conftest import Kept
from trading.models import Engine, EngineCommand, Hold, OrderIntent
from trading.wiring.doctor_venues import examine_shared_feed


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


def test_a_shared_feed_that_should_serve_and_does_not_fails(settings, tmp_path) -> None:
    settings.DATA_DIR = tmp_path
    assert asyncio.run(examine_shared_feed("kraken")) is None

    settings.SHARED_FEEDS = ("kraken",)
    found = asyncio.run(examine_shared_feed("kraken"))

    assert found is not None
    assert (found.check, found.verdict) == ("feed kraken", "fail")
    assert "no run_feed serves it" in found.words


def test_a_silent_engine_fails_with_why(people: People) -> None:
    beat(people, heartbeat_at=timezone.now() - timedelta(minutes=5), detail="no key")

    code, told = examined()

    assert code == 1
    assert told["engine"] == [("fail", "acme: Paper should run and is silent for 300 s (no key)")]


def test_a_slow_journal_is_told_at_once(people: People) -> None:
    beat(people)
    hold = rows.write_hold(people.engine)
    with tenant_scope(people.engine.tenant_id):
        mine = Hold.objects.filter(id=hold.id)
        mine.update(placed_at=timezone.now())
    assert "hold" not in examined()[1]

    with tenant_scope(people.engine.tenant_id):
        mine.update(cause="slow journal")

    assert examined()[1]["hold"][0][0] == "warn"


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
def test_a_venue_that_does_not_answer_fails(people: People, settings, tmp_path, venue: str) -> None:
    settings.DATA_DIR = tmp_path
    beat(people)
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.update(venue=venue)

    code, told = examined()
    assert code == 1
    assert "never ran here" in told[venue][0][1]

    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "simulator.json").write_text('{"port": 1}')
    code, told = examined()

    assert code == 1
    assert "cannot be reached" in told[venue][0][1]


def test_without_redis_it_says_what_that_means(people: People, settings) -> None:
    beat(people)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    code, told = examined()

    assert code == 1
    assert "engines go on trading" in told["redis"][0][1]


@pytest.mark.parametrize(
    ("changed", "verdict", "words"),
    [
        ({}, None, ""),
        ({"state": "BAD", "detail": "the key may withdraw-funds"}, "fail", "may withdraw-funds"),
        ({"state": "DISABLED", "detail": "disabled"}, None, ""),
        ({"checked_at": timezone.now() - timedelta(hours=50)}, "warn", "for 48 hours"),
    ],
)
def test_a_bad_or_forgotten_exchange_key_is_found(
    people: People, changed: dict[str, Any], verdict: str | None, words: str
) -> None:
    beat(people)
    keep_key(people, **{"state": "GOOD", "checked_at": timezone.now(), **changed})

    code, told = examined()

    found = told.get("exchange key", [(None, "")])
    assert found[0][0] == verdict
    assert words in found[0][1]
    assert code == (1 if verdict == "fail" else 0)


def test_a_lost_kek_fails_with_its_name(people: People, settings) -> None:
    beat(people)
    keep_key(people)
    settings.VAULT_KEK = SecretStr(b64encode(b"\x09" * 32).decode())

    code, told = examined()

    assert code == 1
    assert "acme: data key 1 needs the vault's key" in told["vault"][1][1]


def keep_key(people: People, **values: Any) -> None:
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.update(venue="simulator")
    Kept(people.engine.tenant_id, people.engine.account_id).seal()
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.update(venue="synthetic")  # no simulator is there to be asked
        ExchangeCredential.objects.update(**{"sealed_at": timezone.now(), **values})


def test_a_broken_chain_fails_until_a_later_walk_finds_it_whole(people: People) -> None:
    beat(people)
    walked = timezone.now() - timedelta(hours=1)
    note_walk(people, at=walked, broken_at=3)

    code, told = examined()
    note_walk(people, at=timezone.now(), broken_at=None)
    later, silent = examined()

    assert (code, later) == (1, 0)
    assert [verdict for verdict, _ in told["audit"]] == ["fail"]
    assert "changed: entry 3 does not say what was hashed" in told["audit"][0][1]
    assert "audit" not in silent


def test_a_chain_nobody_walked_for_days_is_a_warning(people: People) -> None:
    beat(people)
    note_walk(people, at=timezone.now() - timedelta(days=3), broken_at=None)

    code, told = examined()

    assert code == 0
    assert [verdict for verdict, _ in told["audit"]] == ["warn"]


def note_walk(people: People, *, at: Any, broken_at: int | None) -> None:
    tenant_id = people.engine.tenant_id
    with tenant_scope(tenant_id):
        ChainCheck.objects.create(
            tenant_id=tenant_id, kind="AUDIT", chain=tenant_id, entries=2, head_hash=b"",
            broken_at=broken_at, damage="changed" if broken_at else "", checked_by="test",
            words="entry 3 does not say what was hashed" if broken_at else "", checked_at=at,
        )  # fmt: skip
