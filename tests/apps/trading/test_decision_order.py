"""Decisions of several markets in one list."""

from dataclasses import replace
from datetime import timedelta

from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading.conftest import People
from tests.apps.trading.rows import write_decision
from tests.factories import NOW
from trading.models import Bot, BotInstrument
from trading.queries import dashboard
from trading.queries.markets import list_markets


def test_the_newest_decisions_of_all_markets_come_first(people: People) -> None:
    bitcoin = people.engine
    ether = replace(bitcoin, instrument=factories.make_instrument(symbol="ETH/USD"))
    with tenant_scope(bitcoin.tenant_id):
        BotInstrument.objects.create(
            tenant_id=bitcoin.tenant_id,
            bot=Bot.objects.get(account_id=bitcoin.account_id),
            instrument=ether.instrument,
            order=1,
        )
    for minute in range(6):
        write_decision(ether if minute % 3 else bitcoin, at=NOW + timedelta(minutes=minute))

    with tenant_scope(bitcoin.tenant_id):
        markets = list_markets(account_id=bitcoin.account_id)
        shown = dashboard.list_decisions(markets=markets, count=4)

    first_ms = int(NOW.timestamp() * 1000)
    assert [((d["bar_open_ms"] - first_ms) // 60_000, d["symbol"]) for d in shown] == [
        (5, "ETH/USD"),
        (4, "ETH/USD"),
        (3, "BTC/USD"),
        (2, "ETH/USD"),
    ]


def test_without_a_market_there_is_nothing_to_list(people: People) -> None:
    with tenant_scope(people.engine.tenant_id):
        assert dashboard.list_decisions(markets=[], count=4) == []
