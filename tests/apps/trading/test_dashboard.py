"""What the dashboard shows on its first paint."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW
from trading.core.codes import Reason
from trading.exchanges import synthetic
from trading.models import Decision, Engine
from trading.queries import charts
from trading.queries import dashboard as queries


def page(people: People) -> str:
    answer = signed_in(people.olga).get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_workspace_without_an_engine_is_told_its_first_steps(people: People) -> None:
    answer = signed_in(people.max).get("/")

    assert answer.status_code == 200
    assert "Practise on the synthetic market" in answer.content.decode()


def test_an_engine_that_has_not_decided_yet_has_a_page(people: People) -> None:
    shown = page(people)

    assert "No bar has been decided on yet" in shown
    assert "No order has filled yet" in shown
    assert "Nothing is held" in shown
    assert "10,000.00 paid in" in shown


def test_paper_and_a_synthetic_market_are_named_plainly(people: People) -> None:
    shown = page(people)

    assert "Paper" in shown
    assert "Synthetic market, seeded and not real: BTC/USD" in shown


def test_a_replay_names_the_venue_of_its_bars(people: People) -> None:
    instrument = factories.make_instrument("bitfinex", "ETH/USD")
    tenant = people.engine.tenant_id
    with tenant_scope(tenant):
        from tenants.models import Tenant

        replayed = factories.make_engine("acme", instrument, tenant=Tenant.objects.get(id=tenant))

    answer = signed_in(people.olga).get(f"/engines/{replayed.engine_id}/")

    assert "Replay of stored bitfinex bars: ETH/USD" in answer.content.decode()


def test_the_pace_is_the_engines_where_bars_are_stored_and_the_markets_where_they_come_by_wire(
    people: People,
) -> None:
    stored = page(people)
    with tenant_scope(people.engine.tenant_id):
        ExchangeAccount.objects.update(venue="kraken")
    wired = page(people)

    assert '<dd data-live="rate">as fast as it can</dd>' in stored
    assert "<dd>as the market's bars close</dd>" in wired


def test_an_engine_that_fell_silent_is_not_said_to_run(people: People) -> None:
    def shown(*, heard: datetime) -> tuple[str, str]:
        with tenant_scope(people.engine.tenant_id):
            Engine.objects.update(observed=Engine.Observed.RUNNING, heartbeat_at=heard)
        found = re.search(r'class="badge ([^"]*)" data-live="observed">(.*?)<', page(people))
        assert found
        return found[1].split()[0], found[2]

    assert shown(heard=timezone.now()) == ("bg-green", "Running")
    assert shown(heard=timezone.now() - timedelta(minutes=1)) == (
        "bg-red",
        "Silent (no heartbeat)",
    )


def test_a_decision_tells_its_reason_and_each_gate_with_value_and_limit(people: People) -> None:
    rows.write_decision(people.engine)

    shown = page(people)

    assert "The votes were too weak." in shown
    assert "✗ score" in shown
    assert "0.123" in shown
    assert "limit 0.321" in shown


def test_the_newest_decision_comes_first_and_gives_the_equity(people: People) -> None:
    rows.write_decision(people.engine, equity=9_900.0)
    rows.write_decision(people.engine, at=NOW + timedelta(minutes=1), equity=10_250.5)

    with tenant_scope(people.engine.tenant_id):
        shown = queries.get_dashboard(engine_id=None)

    assert shown is not None
    assert [d["equity"] for d in shown.decisions] == [10_250.5, 9_900.0]
    assert shown.equity == 10_250.5
    assert "+250.50" in page(people)


def test_a_decision_of_an_older_core_is_shown_without_its_numbers(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        newer = rows.write_decision(people.engine)
        Decision.objects.create(
            tenant_id=newer.tenant_id,
            revision=newer.revision,
            instrument=newer.instrument,
            bar_opened_at=NOW + timedelta(minutes=1),
            stage=newer.stage,
            reason=Reason.NO_VOTE,
            record=b"of another layout",
            core_hash="1" * 16,
            chain=newer.chain,
            sequence=2,
            previous_hash=newer.hash,
            hash=newer.hash,
        )

    assert "No strategy saw a setup." in page(people)


def test_an_open_position_is_shown_with_its_stop(people: People) -> None:
    rows.write_position(people.engine, stop=Decimal("41512.5"))

    shown = page(people)

    assert "41,512.5" in shown
    assert "LONG" in shown


def test_a_hold_is_shown_with_what_lifts_it(people: People) -> None:
    rows.write_hold(people.engine, reason="paused by Olga")

    shown = page(people)

    assert "Paused by Olga" in shown
    assert "Resume lifts it" in shown


def test_text_of_people_cannot_become_markup(people: People) -> None:
    rows.write_hold(people.engine, reason="<script>alert(1)</script>")

    assert "<script>alert(1)" not in page(people)


def test_the_page_carries_no_inline_script_and_no_style_attribute(people: People) -> None:
    rows.write_decision(people.engine)
    rows.write_position(people.engine)

    shown = page(people)

    assert "<script>" not in shown
    assert " style=" not in shown
    assert " onclick=" not in shown


def test_the_number_of_queries_does_not_grow_with_the_rows(people: People) -> None:
    from django.db import connection

    def count() -> int:
        with (
            tenant_scope(people.engine.tenant_id),
            CaptureQueriesContext(connection) as captured,
        ):
            queries.get_dashboard(engine_id=None)
        return len(captured)

    rows.write_decision(people.engine)
    rows.write_fill(people.engine)
    few = count()
    for number in range(2, 12):
        at = NOW + timedelta(minutes=number)
        rows.write_decision(people.engine, at=at)
        rows.write_fill(people.engine, number=number, at=at)

    assert count() == few


def test_the_chart_has_the_bars_up_to_the_newest_decision(people: People) -> None:
    opened = NOW.replace(hour=0)
    newest = rows.write_decision(people.engine, at=opened)
    rows.write_fill(people.engine, at=opened - timedelta(minutes=3))

    chart = signed_in(people.vera).get(f"/engines/{people.engine.engine_id}/chart/0/").json()

    stamps = [bar["open_ms"] for bar in chart["bars"]]
    assert stamps == sorted(set(stamps))
    assert stamps[-1] == int(newest.bar_opened_at.timestamp() * 1000)
    assert len(stamps) == charts.CHART_BARS
    assert [fill["purpose"] for fill in chart["fills"]] == ["entry"]
    assert chart["equity"] == [[stamps[-1], 10_000.0]]
    assert stamps[0] > synthetic.START_NS // 1_000_000


@pytest.mark.parametrize("path", ["chart/7/", "chart/99999999999/"])
def test_a_market_the_engine_does_not_have_is_not_found(people: People, path: str) -> None:
    answer = signed_in(people.olga).get(f"/engines/{people.engine.engine_id}/{path}")

    assert answer.status_code == 404


def test_an_engine_that_replays_what_is_not_stored_still_has_a_page(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        engine = Engine.objects.get(id=people.engine.engine_id)
        engine.account.venue = "replay"
        engine.account.save()
    rows.write_decision(people.engine)

    chart = signed_in(people.olga).get(f"/engines/{people.engine.engine_id}/chart/0/")

    assert chart.status_code == 200
    assert chart.json()["bars"] == []
