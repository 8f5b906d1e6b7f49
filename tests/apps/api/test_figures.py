"""Charts, performance, limits, alerts and storage over the API."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenants.models import Tenant
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading import rows
from tests.factories import NOW
from trading.core.records import ACCOUNT
from trading.models import Bot, EngineSnapshot, Position
from trading.queries.performance import Closed
from trading.wiring.plots import draw_plots

WHOLE = st.integers(-1000, 1000).map(Decimal)


def close(engine, net: int, *, minute: int) -> None:
    """A trade that made so much."""
    with tenant_scope(engine.tenant_id):
        Position.objects.create(
            tenant_id=engine.tenant_id, bot=Bot.objects.get(account_id=engine.account_id),
            instrument=engine.instrument, side="LONG", quantity=0, entry_price=rows.PRICE,
            fees=1, realized_pnl=net, opened_at=NOW, closed_at=NOW + timedelta(minutes=minute),
        )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(nets=st.lists(WHOLE, max_size=30))
def test_the_deepest_fall_is_the_largest_of_all_falls(nets: list[Decimal]) -> None:
    closed = Closed()
    booked = [Decimal(0)]
    for net in nets:
        closed.add(net)
        booked.append(booked[-1] + net)

    falls = [high - low for k, high in enumerate(booked) for low in booked[k:]]
    assert closed.max_drawdown == max(falls)
    assert closed.gained - closed.lost == sum(nets)
    assert closed.won == sum(net > 0 for net in nets)


def test_performance_counts_trades_and_tells_the_deepest_fall(people, as_caller) -> None:
    for minute, net in enumerate((100, -30, -30, 50)):
        close(people.engine, net, minute=minute)

    (account,) = as_caller("vera-read").get("/api/v1/performance").json()["accounts"]

    assert (account["realized"], account["fees"], account["unrealized"]) == ("90", "4", "0")
    assert (account["trades"], account["won"], account["win_rate"]) == (4, 2, 0.5)
    assert (account["profit_factor"], account["max_drawdown"]) == (2.5, "60")
    (bot,) = account["bots"]
    assert (bot["bot"], bot["total"], bot["max_drawdown"]) == ("Bot", "90", "60")


def test_a_chapter_is_one_of_an_account(people, as_caller) -> None:
    close(people.engine, 5, minute=1)
    client, account = as_caller("vera-read"), people.engine.account_id

    told = client.get(f"/api/v1/performance?account={account}&chapter=1").json()

    assert told["chapters"] == [{"number": 1, "ended_at": None, "ended_at_ms": None}]
    assert [one["trades"] for one in told["accounts"]] == [1]
    for path in ("performance", "pnl", "attribution", "strategy-performance"):
        assert client.get(f"/api/v1/{path}?chapter=all").status_code == 200
        odd = client.get(f"/api/v1/{path}?account={account}&chapter=0")
        assert (odd.status_code, "A number from 1, or all; was 0" in odd.text) == (400, True)
        beyond = client.get(f"/api/v1/{path}?account={account}&chapter=2")
        assert (beyond.status_code, "accepted is 1 to 1" in beyond.text) == (400, True)
        alone = client.get(f"/api/v1/{path}?chapter=1")
        assert (alone.status_code, "needs an account" in alone.text) == (400, True)


def test_performance_of_open_positions_asks_as_often_for_many_as_for_one(people, as_caller) -> None:
    client = as_caller("vera-read")
    rows.write_position(people.engine)
    rows.write_decision(people.engine)
    client.get("/api/v1/performance")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/v1/performance").status_code == 200
        return len(queries)

    before = asked()
    for symbol in ("ETH/USD", "SOL/USD"):
        with tenant_scope(people.engine.tenant_id):
            tenant = Tenant.objects.get(id=people.engine.tenant_id)
            made = factories.make_engine(
                "acme", factories.make_instrument("synthetic", symbol), tenant=tenant, label=symbol
            )
        rows.write_position(made)
        rows.write_decision(made)

    assert asked() == before
    told = client.get("/api/v1/performance").json()["accounts"]
    assert [one["unrealized"] for one in told] == ["0", "0", "0"]
    chosen = client.get(f"/api/v1/performance?account={made.account_id}").json()["accounts"]
    assert [one["account"] for one in chosen] == ["SOL/USD"]


def test_the_chart_tells_bars_fills_and_equity_in_order(people, as_caller) -> None:
    for minute in range(3):
        rows.write_decision(people.engine, at=NOW + timedelta(minutes=minute))
    rows.write_fill(people.engine)
    client = as_caller("vera-read")

    chart = client.get(f"/api/v1/chart?engine={people.engine.engine_id}").json()

    assert (chart["pair"], chart["timeframe"], chart["price_step"]) == ("BTC/USD", "1m", "0.1")
    opened = [bar["opened_at_ms"] for bar in chart["bars"]]
    assert opened == sorted(opened)
    assert len(opened) > 100
    assert Decimal(chart["bars"][0]["low"]) <= Decimal(chart["bars"][0]["high"])
    assert (chart["fills"][0]["price"], chart["fills"][0]["side"]) == ("42000", "BUY")
    assert [point["equity"] for point in chart["equity"]] == ["10000"] * 3


def test_the_chart_tells_indicators_of_the_strategies_that_are_asked_for(people, as_caller) -> None:
    rows.write_decision(people.engine)
    client = as_caller("vera-read")
    address = f"/api/v1/chart?engine={people.engine.engine_id}"

    plain = client.get(address).json()
    early = client.get(f"{address}&strategies=ichimoku").json()["indicators"]
    draw_plots(tenant_id=people.engine.tenant_id, engine_id=people.engine.engine_id, market_index=0)
    drawn = client.get(f"{address}&strategies=ichimoku").json()
    wrong = client.get(f"{address}&strategies=ichi")

    assert plain["indicators"] is None
    assert (early["state"], early["series"]) == ("working", [])
    told = drawn["indicators"]
    assert (told["state"], told["timeframe"]) == ("ready", "1m")
    assert told["opened_ms"] == [bar["opened_at_ms"] for bar in drawn["bars"]]
    assert [one["name"] for one in told["series"]] == ["tenkan", "kijun", "top", "bottom"]
    assert {len(one["values"]) for one in told["series"]} == {len(drawn["bars"])}
    assert wrong.status_code == 400
    assert "'ichi' is no strategy" in wrong.content.decode()


@pytest.mark.parametrize(
    ("query", "code"), [("", 400), ("engine=x", 400), ("engine={}&market=1", 404), ("engine={}&market=-1", 400)]
)  # fmt: skip
def test_a_market_that_is_not_there_has_no_chart(people, as_caller, query: str, code: int) -> None:
    answer = as_caller("vera-read").get(f"/api/v1/chart?{query.format(people.engine.engine_id)}")

    assert answer.status_code == code


def save_account(people, **values: float) -> None:
    account = np.zeros(1, dtype=ACCOUNT)
    for name, value in values.items():
        account[name] = value
    with tenant_scope(people.engine.tenant_id):
        EngineSnapshot.objects.create(
            tenant_id=people.engine.tenant_id, engine_id=people.engine.engine_id, sequence=1,
            account=account.tobytes(), venue=b"", portable=b"", saved_at=NOW,
        )  # fmt: skip


def limits(client: Any) -> dict[str, Any]:
    (bot,) = client.get("/api/v1/risk").json()["bots"]
    return {one["name"]: one for one in bot["limits"]}


def test_limits_are_told_with_what_the_account_uses_of_them(people, as_caller) -> None:
    client = as_caller("vera-read")
    assert {one["used"] for one in limits(client).values()} == {None}

    save_account(people, equity=9_500, day_start_equity=10_000, peak_equity=10_000,
                 exposure=1_900, open_positions=2, entries_today=7)  # fmt: skip
    told = limits(client)

    assert told["risk.max_open_positions"]["used"] == 2
    assert told["risk.max_daily_loss"]["used"] == told["risk.max_drawdown"]["used"] == 0.05
    assert told["sizing.max_exposure"]["used"] == 0.2
    daily = told["risk.max_daily_trades"]
    assert (daily["limit"], daily["used"], daily["share"]) == (None, 7, None)
    drawdown = told["risk.max_drawdown"]
    assert drawdown["share"] == pytest.approx(0.05 / drawdown["limit"])


def test_an_alert_is_told_with_its_account(people, as_caller) -> None:
    rows.write_alert(people.engine)

    (alert,) = as_caller("vera-read").get("/api/v1/alerts").json()["items"]

    assert (alert["account"], alert["words"]) == ("Paper", "Kraken is silent")
    assert alert["engine"] == str(people.engine.engine_id)


def test_storage_tells_the_database_its_migrations_the_bars_and_own_tapes(
    people, as_caller, store, tmp_path, settings
) -> None:
    settings.TAPE_DIR = tmp_path
    for name in (str(people.engine.engine_id), str(uuid.uuid4())):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.tape").write_bytes(b"heard")
    told = as_caller("vera-read").get("/api/v1/storage").json()

    ledger = told["ledger"]
    assert ledger["server"].startswith("PostgreSQL ")
    assert ledger["bytes"] > 1_000_000
    assert ledger["missing_migrations"] == []
    kept = {one["name"]: (one["days"], one["bytes"] > 0) for one in ledger["kept"]}
    assert kept == {
        "trading": (None, True),
        "people": (None, True),
        "audit": (None, True),
        "notices": (90, True),
        "invitations": (90, True),
        "answers": (2, True),
        "sessions": (14, True),
    }
    assert sum(one["bytes"] for one in ledger["kept"]) < ledger["bytes"]
    assert any(name.startswith("trading.") for name in ledger["migrations"])
    assert [(one["pair"], one["timeframe"]) for one in told["bars"]] == [
        ("BTC/USD", "1m"),
        ("ETH/USD", "1m"),
    ]
    assert all(one["files"] and one["bytes"] > 100 for one in told["bars"])
    own = {"engine": str(people.engine.engine_id), "files": 1, "bytes": 5}
    assert told["tapes"] == [own]
    assert ledger["mirrors"] == []


def test_another_workspace_sees_none_of_it(people, as_caller) -> None:
    close(people.engine, 100, minute=1)
    rows.write_alert(people.engine)
    client = as_caller("max-admin")

    assert client.get("/api/v1/performance").json() == {"accounts": [], "chapters": []}
    assert client.get("/api/v1/risk").json() == {"bots": [], "next": None}
    assert client.get(f"/api/v1/chart?engine={people.engine.engine_id}").status_code == 404
    everything = client.get(f"/api/v1/performance?account={people.engine.account_id}")
    of_nobody = client.get(f"/api/v1/performance?account={uuid.uuid4()}")
    assert everything.json() == of_nobody.json()
    assert everything.json()["accounts"] == []
