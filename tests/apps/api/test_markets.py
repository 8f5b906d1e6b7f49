"""Scans, regimes, strategies, results and execution over the API."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.models import Tenant
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading import rows
from tests.apps.trading.conftest import signed_in
from tests.factories import NOW
from trading.core.codes import Reason, Stage
from trading.core.config.strategies import STRATEGY_NAMES
from trading.models import Bot, Fill, Order, OrderIntent, Position

MINUTE = timedelta(minutes=1)


def get(client: Any, path: str) -> Any:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def trade(engine, number: int, net: int, *, side: str = "LONG", reason: int = 4) -> None:
    """A trade that was entered on a decision, and closed."""
    at = NOW + number * 10 * MINUTE
    rows.write_decision(engine, at=at, stage=Stage.ENTRY, reason=Reason.NONE)
    rows.write_fill(engine, number=number + 1, at=at + MINUTE)
    with tenant_scope(engine.tenant_id):
        Position.objects.create(
            tenant_id=engine.tenant_id, bot=Bot.objects.get(account_id=engine.account_id),
            instrument=engine.instrument, side=side, quantity=0, entry_price=rows.PRICE, fees=1,
            realized_pnl=net, exit_reason=reason, opened_at=at + MINUTE, closed_at=at + 5 * MINUTE,
        )  # fmt: skip


def test_the_scanner_tells_the_last_scan_and_the_first_gate_that_said_no(people, as_caller) -> None:
    client = as_caller("vera-read")
    (before,) = get(client, "/scanner")["items"]
    assert (before["pair"], before["decision"], before["refused_by"]) == ("BTC/USD", None, None)
    assert before["sentence"] is before["bar_opened_at"] is before["close"] is None

    rows.write_decision(people.engine, at=NOW)
    newest = rows.write_decision(people.engine, at=NOW + MINUTE)
    (now,) = get(client, "/scanner")["items"]

    assert (now["decision"], now["stage"], now["close"]) == (newest.id, "confluence", "42000")
    assert now["refused_by"]["name"] == "score"
    assert now["refused_by"]["value"] == pytest.approx(0.123)
    assert now["refused_by"]["limit"] == pytest.approx(0.321)
    assert now["bar_opened_at"] == "2026-01-05T12:01:00Z"


def test_the_regime_is_that_of_the_last_bar(people, as_caller) -> None:
    rows.write_decision(people.engine)

    (now,) = get(as_caller("vera-read"), "/regime")["items"]

    assert (now["regime"], now["volatility"], now["timeframe"]) == ("unknown", "unknown", "1m")
    assert now["adx"] == 0


def test_a_decision_of_another_core_is_scanned_without_numbers(people, as_caller) -> None:
    rows.write_decision(people.engine, record=b"of another core")

    (scanned,) = get(as_caller("vera-read"), "/scanner")["items"]
    (regime,) = get(as_caller("vera-read"), "/regime")["items"]

    assert (scanned["score"], scanned["refused_by"]) == (None, None)
    assert "earlier core" in scanned["sentence"]
    assert regime["adx"] is None


def test_every_strategy_is_told_with_its_parameters_and_who_listens(people, as_caller) -> None:
    items = get(as_caller("vera-read"), "/strategies")["items"]

    assert [one["name"] for one in items] == list(STRATEGY_NAMES)
    trend = items[0]
    assert trend["idea"] == "EMA cross with ADX and RSI filters."
    assert all(one["name"].startswith("strategies.trend.") for one in trend["parameters"])
    assert [(one["bot"], one["weight"] > 0) for one in trend["bots"]] == [("Bot", True)]


def test_results_are_split_each_way_and_every_split_has_the_same_sum(people, as_caller) -> None:
    for number, (net, side, reason) in enumerate(
        ((100, "LONG", 4), (-30, "LONG", 1), (-30, "SHORT", 1), (50, "LONG", 4))
    ):
        trade(people.engine, number, net, side=side, reason=reason)
    client = as_caller("vera-read")

    for by in ("strategy", "regime", "pair", "side", "exit_reason", "bot"):
        told = get(client, f"/attribution?by={by}")
        assert told["by"] == by
        assert sum(Decimal(one["net"]) for one in told["items"]) == 90
        assert sum(Decimal(one["gross"]) for one in told["items"]) == 94
        assert sum(one["trades"] for one in told["items"]) == 4
    exits = {one["value"]: one for one in get(client, "/attribution?by=exit_reason")["items"]}
    assert {value: (one["net"], one["won"]) for value, one in exits.items()} == {
        "target": ("150", 2),
        "stop": ("-60", 0),
    }
    assert exits["stop"]["max_drawdown"] == "60"
    (best, worst) = get(client, "/attribution?by=side")["items"]
    assert (best["value"], worst["value"]) == ("LONG", "SHORT")
    late = get(client, "/attribution?since=2026-01-05T12:30:00Z")["items"]
    assert [one["net"] for one in late] == ["50"]


def test_a_trade_is_its_entrys_strongest_votes(people, as_caller) -> None:
    trade(people.engine, 0, 10)
    with tenant_scope(people.engine.tenant_id):  # and one whose decision is not on record
        Position.objects.create(
            tenant_id=people.engine.tenant_id, bot=Bot.objects.get(),
            instrument=people.engine.instrument, side="LONG", quantity=0, entry_price=rows.PRICE,
            realized_pnl=-3, opened_at=NOW - 99 * MINUTE, closed_at=NOW - 90 * MINUTE,
        )  # fmt: skip

    items = get(as_caller("vera-read"), "/strategy-performance")["items"]

    assert [one["strategy"] for one in items] == [*STRATEGY_NAMES, "unknown"]
    told = {one["strategy"]: one["results"] for one in items}
    assert (told["trend"][0]["net"], told["unknown"][0]["net"]) == ("10", "-3")
    assert all(not told[name] for name in STRATEGY_NAMES[1:])


def test_execution_tells_slippage_time_fill_ratio_and_fees(people, as_caller) -> None:
    trade(people.engine, 0, 10)
    trade(people.engine, 1, 10)
    with tenant_scope(people.engine.tenant_id):
        intent = OrderIntent.objects.order_by("seq").last()
        fields = {f.attname: getattr(intent, f.attname) for f in intent._meta.concrete_fields}
        OrderIntent.objects.create(
            **{**fields, "id": people.engine.engine_id, "seq": 9, "state": "REFUSED",
               "client_order_id": people.engine.engine_id}
        )  # fmt: skip
        Fill.objects.create(  # a second one of the first order, half a minute later, 1 % worse
            tenant_id=people.engine.tenant_id, order=Order.objects.order_by("venue_order_id")[0],
            account_id=people.engine.account_id, venue_trade_id="late", side="BUY",
            quantity=Decimal("0.05"), price=rows.PRICE * Decimal("1.01"), fee=0,
            fee_currency="USD", liquidity=1, filled_at=NOW + 1.5 * MINUTE,
        )  # fmt: skip

    (entries,) = get(as_caller("vera-read"), "/execution")["items"]

    assert (entries["purpose"], entries["intents"], entries["filled"]) == ("entry", 3, 2)
    assert (entries["refused"], entries["expired"], entries["unknown"]) == (1, 0, 0)
    assert entries["fill_ratio"] == pytest.approx(1.0)  # twice, once, and not at all
    assert entries["fills"] == 3
    assert entries["slippage_bps"]["mean"] == pytest.approx(100 / 3)
    assert entries["slippage_bps"]["median"] == 0
    assert entries["seconds_to_fill"]["mean"] == pytest.approx(10)
    assert entries["maker_share"] == pytest.approx(1.01 / 3.01)
    assert entries["fee_bps"] == pytest.approx(2 * 5.46 / (0.05 * 42_000 * 3.01) * 10_000)


def test_execution_tells_how_long_venues_took_to_acknowledge(people, as_caller) -> None:
    client = as_caller("vera-read")
    for number in range(3):
        trade(people.engine, number, 10)
    assert get(client, "/execution")["acknowledged"] == []  # nobody read the answers

    with tenant_scope(people.engine.tenant_id):
        for number, order in enumerate(Order.objects.order_by("venue_order_id")):
            order.sent_at = NOW
            order.acknowledged_at = NOW + timedelta(milliseconds=10 * (number + 1))
            order.save()

    assert get(client, "/execution")["acknowledged"] == [
        {"venue": "synthetic", "mode": "PAPER", "orders": 3, "p50_ms": 20.0, "p95_ms": 29.0}
    ]
    shown = signed_in(people.vera).get("/execution/").content.decode()
    assert "20 ms" in shown
    assert "29 ms" in shown
    assert "20 ms" not in signed_in(people.max).get("/execution/").content.decode()


@pytest.mark.parametrize(("side", "sign"), [("BUY", 1), ("SELL", -1)])
def test_a_stop_is_measured_by_its_own_price_and_by_its_side(
    people, as_caller, side: str, sign: int
) -> None:
    rows.write_fill(people.engine, price=Decimal(41_000), side=side)
    with tenant_scope(people.engine.tenant_id):
        OrderIntent.objects.update(purpose=2, stop_price=Decimal(41_410))

    (stops,) = get(as_caller("vera-read"), "/execution")["items"]

    assert (stops["purpose"], stops["fill_ratio"]) == ("protect", None)
    worse = sign * (41_000 - 41_410) / 41_410 * 10_000
    assert stops["slippage_bps"]["mean"] == pytest.approx(worse)


PATHS = ("/scanner", "/regime", "/strategies", "/strategy-performance", "/attribution",
         "/execution", "/events", "/anomalies", "/integrations/exchanges")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_many_markets_are_asked_for_as_often_as_one(people, as_caller, path: str) -> None:
    client = as_caller("vera-read")
    trade(people.engine, 0, 10)
    get(client, path)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            get(client, path)
        return len(queries)

    before = asked()
    with tenant_scope(people.engine.tenant_id):
        tenant = Tenant.objects.get(id=people.engine.tenant_id)
        made = factories.make_engine(
            "acme", factories.make_instrument("synthetic", "ETH/USD"), tenant=tenant, label="Second"
        )
    rows.write_decision(made, at=NOW)

    assert asked() == before


def test_another_workspace_sees_none_of_it(people, as_caller) -> None:
    trade(people.engine, 0, 10)
    client = as_caller("max-admin")

    for path in ("/scanner", "/regime", "/attribution", "/execution", "/events",
                 "/integrations/exchanges"):  # fmt: skip
        assert get(client, path)["items"] == []
    for path in ("/attribution", "/execution", "/events"):
        assert get(client, f"{path}?account={people.engine.account_id}")["items"] == []
    assert all(not one["bots"] for one in get(client, "/strategies")["items"])
    assert all(not one["results"] for one in get(client, "/strategy-performance")["items"])
