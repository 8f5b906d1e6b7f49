"""Idempotency-Key: done once, answered the same, also by twenty at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connections

from tenants.models import StoredAnswer
from tenants.operations import forget_old_answers
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.api.conftest import ASKED, issue, post, program
from tests.apps.trading.conftest import People
from trading.models import BacktestRun, EngineCommand


def test_the_same_request_is_done_once_and_answered_the_same(people, as_caller) -> None:
    client = as_caller("tom-trade")

    first = post(client, "/backtest/run", ASKED, **{"Idempotency-Key": "k1"})
    again = post(client, "/backtest/run", ASKED, **{"Idempotency-Key": "k1"})

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again["Location"] == first["Location"]
    assert again["Idempotent-Replayed"] == "true"
    with tenant_scope(people.engine.tenant_id):
        assert BacktestRun.objects.count() == 1


def test_the_same_key_for_another_request_is_refused(people, as_caller) -> None:
    client = as_caller("tom-trade")
    post(client, "/backtest/run", ASKED, **{"Idempotency-Key": "k1"})

    other = post(client, "/backtest/run", {**ASKED, "seed": 2}, **{"Idempotency-Key": "k1"})
    elsewhere = post(client, "/control/pause", {}, **{"Idempotency-Key": "k1"})

    assert (other.status_code, elsewhere.status_code) == (422, 422)
    with tenant_scope(people.engine.tenant_id):
        assert (BacktestRun.objects.count(), EngineCommand.objects.count()) == (1, 0)


def test_a_refused_request_may_be_mended_under_its_key(as_caller) -> None:
    client = as_caller("tom-trade")

    wrong = post(client, "/backtest/run", {**ASKED, "seed": -1}, **{"Idempotency-Key": "k1"})
    right = post(client, "/backtest/run", ASKED, **{"Idempotency-Key": "k1"})

    assert (wrong.status_code, right.status_code) == (400, 202)


def test_keys_of_two_callers_are_two(people, as_caller) -> None:
    for who in ("tom-trade", "olga-admin", "max-admin"):
        assert post(as_caller(who), "/backtest/run", ASKED, **{"Idempotency-Key": "k1"}).status_code == 202  # fmt: skip
    with tenant_scope(people.engine.tenant_id):
        assert sorted(BacktestRun.objects.values_list("number", flat=True)) == [1, 2]


def test_a_key_that_is_no_text_is_refused(as_caller) -> None:
    client = as_caller("tom-trade")

    for key in ("", "x" * 121):
        assert post(client, "/control/pause", {}, **{"Idempotency-Key": key}).status_code == 400


def test_twenty_at_once_are_one_run(fresh_database) -> None:
    olga = factories.make_user("olga@acme.example")
    acme = factories.make_tenant("acme", owner=olga)
    rows = factories.make_engine("acme", factories.make_instrument(), tenant=acme)
    secret = issue(People(rows, olga, olga, olga, olga), "olga", "admin")[1]

    def ask(_: int) -> tuple[int, int]:
        answer = post(program(secret), "/backtest/run", ASKED, **{"Idempotency-Key": "same"})
        connections.close_all()
        return answer.status_code, answer.json().get("run", 0)

    with ThreadPoolExecutor(20) as pool:
        told = set(pool.map(ask, range(20)))

    assert told == {(202, 1)}
    with tenant_scope(acme.id):
        assert BacktestRun.objects.count() == 1


def test_old_answers_are_forgotten(people, as_caller) -> None:
    post(as_caller("tom-trade"), "/backtest/run", ASKED, **{"Idempotency-Key": "k1"})
    with tenant_scope(people.engine.tenant_id):
        made = StoredAnswer.objects.get().created_at

    assert forget_old_answers(before=made, most=10) == 0
    assert forget_old_answers(before=made + timedelta(seconds=1), most=10) == 1
