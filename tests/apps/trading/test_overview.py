"""A workspace with several engines at a glance."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.models import Tenant
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW, EngineRows
from trading.queries.overview import get_overview


def another(people: People, symbol: str) -> EngineRows:
    """A further engine of Olga's workspace."""
    instrument = factories.make_instrument("bitfinex", symbol)
    with tenant_scope(people.engine.tenant_id):
        tenant = Tenant.objects.get(id=people.engine.tenant_id)
        return factories.make_engine("acme", instrument, tenant=tenant, label=symbol)


def test_with_several_engines_the_dashboard_shows_each_with_what_holds_it(people: People) -> None:
    second = another(people, "ETH/USD")
    rows.write_hold(second, reason="paused by Olga")
    rows.write_position(people.engine)
    rows.write_decision(people.engine, at=NOW + timedelta(minutes=3))

    shown = signed_in(people.vera).get("/").content.decode()

    for words in ("ETH/USD", "BTC/USD", "Paused by Olga. Resume lifts it.", "41,500"):
        assert words in shown
    assert "20,000.00 paid in" in shown
    assert "The votes were too weak." in shown
    assert f"/engines/{second.engine_id}/" in shown


def test_another_workspace_sees_nothing_of_it(people: People) -> None:
    another(people, "ETH/USD")

    assert "ETH/USD" not in signed_in(people.max).get("/").content.decode()


def test_the_newest_bar_is_told_of_engines_that_decide_seldom_too(people: People) -> None:
    second = another(people, "ETH/USD")
    rows.write_decision(second, at=NOW - timedelta(days=2))
    for minute in range(40):
        rows.write_decision(people.engine, at=NOW + timedelta(minutes=minute))

    with tenant_scope(people.engine.tenant_id):
        told = {row.engine.id: row.last_bar_at for row in get_overview().rows}

    assert told[second.engine_id] == NOW - timedelta(days=2)
    assert told[people.engine.engine_id] == NOW + timedelta(minutes=39)


def test_the_number_of_queries_does_not_grow_with_engines(people: People) -> None:
    def count() -> int:
        with (
            tenant_scope(people.engine.tenant_id),
            CaptureQueriesContext(connection) as captured,
        ):
            get_overview()
        return len(captured)

    another(people, "ETH/USD")
    few = count()
    for symbol in ("SOL/USD", "ADA/USD", "XRP/USD"):
        rows.write_decision(another(people, symbol))

    assert count() == few
