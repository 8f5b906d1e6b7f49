"""Orders, fills, positions and trades over the API: exact, whole, page by page, of one workspace."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.factories import NOW
from trading.models import Bot, Order, OrderIntent, Position

LISTS = ("orders", "fills", "positions", "trades", "decisions", "thoughts", "alerts")
OF_BOTS = {"bots": "items", "risk": "bots"}


def every(client: Client, path: str, *, limit: int) -> list[Any]:
    """All rows of a list, page by page."""
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        sign = "&" if "?" in path else "?"
        given = f"&cursor={cursor}" if cursor else ""
        page = client.get(f"/api/v1{path}{sign}limit={limit}{given}").json()
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next"]
    return found


def write_trades(people, count: int) -> None:
    """Trades that closed at the same moment, the hardest to page."""
    with tenant_scope(people.engine.tenant_id):
        bot = Bot.objects.get()
        for number in range(count):
            Position.objects.create(
                tenant_id=people.engine.tenant_id,
                bot=bot,
                instrument=people.engine.instrument,
                side="LONG",
                quantity=0,
                entry_price=Decimal("42000.1"),
                exit_price=Decimal(42_100),
                fees=Decimal("0.000000000000000001"),
                realized_pnl=Decimal(number),
                opened_at=NOW,
                closed_at=NOW + timedelta(minutes=5),
            )


def test_no_row_is_lost_or_told_twice_between_pages(people, as_caller) -> None:
    write_trades(people, 7)
    for number in range(1, 6):
        rows.write_fill(people.engine, number=number, at=NOW)
    with tenant_scope(people.engine.tenant_id):  # an intent the venue needed two orders for
        Order.objects.create(
            tenant_id=people.engine.tenant_id, intent=OrderIntent.objects.first(),
            venue_order_id="second", filled_quantity=Decimal("0.01"),
        )  # fmt: skip
    client = as_caller("vera-read")

    for limit in (1, 2, 3, 500):
        trades = every(client, "/trades", limit=limit)
        assert sorted(one["net_pnl"] for one in trades) == [str(n) for n in range(7)]
        fills = every(client, "/fills", limit=limit)
        assert sorted(one["venue_trade_id"] for one in fills) == ["1", "2", "3", "4", "5"]
        orders = every(client, "/orders", limit=limit)
        assert sorted(one["venue_order_id"] for one in orders) == [
            "1",
            "2",
            "3",
            "4",
            "5",
            "second",
        ]


@pytest.mark.parametrize("name", OF_BOTS)
def test_bots_made_at_one_moment_are_paged_whole(people, as_caller, name: str) -> None:
    with tenant_scope(people.engine.tenant_id):
        first = Bot.objects.get()
        for number in range(4):
            Bot.objects.create(
                tenant_id=first.tenant_id, account=first.account, name=f"B{number}",
                active_revision=first.active_revision, created_at=first.created_at,
            )  # fmt: skip
    client, told, cursor = as_caller("vera-read"), [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/{name}?limit=2{cursor and f'&cursor={cursor}'}").json()
        assert len(page[OF_BOTS[name]]) <= 2
        told += [one["bot" if name == "risk" else "name"] for one in page[OF_BOTS[name]]]
        cursor = page["next"]

    assert sorted(told) == ["B0", "B1", "B2", "B3", "Bot"]
    assert client.get(f"/api/v1/{name}?cursor=1-1").status_code == 400


def test_decimals_are_exact_text_and_times_are_told_twice(people, as_caller) -> None:
    write_trades(people, 1)

    (trade,) = as_caller("vera-read").get("/api/v1/trades").json()["items"]

    assert (trade["fees"], trade["entry_price"]) == ("0.000000000000000001", "42000.1")
    assert trade["closed_at"] == "2026-01-05T12:05:00Z"
    assert trade["closed_at_ms"] == 1_767_614_700_000
    assert (trade["bot"], trade["account"], trade["pair"]) == ("Bot", "Paper", "BTC/USD")


def test_an_intent_without_an_order_is_told_with_the_reason(people, as_caller) -> None:
    rows.write_fill(people.engine)
    with tenant_scope(people.engine.tenant_id):
        intent = OrderIntent.objects.get()
        fields = {f.attname: getattr(intent, f.attname) for f in intent._meta.concrete_fields}
        OrderIntent.objects.create(
            **{**fields, "id": people.engine.engine_id, "seq": 2, "state": "REFUSED",
               "client_order_id": people.engine.engine_id, "state_reason": "too small",
               "planned_at": NOW + timedelta(minutes=1)}
        )  # fmt: skip

    refused, done = as_caller("vera-read").get("/api/v1/orders").json()["items"]

    assert (refused["venue_order_id"], refused["state_reason"]) == (None, "too small")
    assert (done["venue_order_id"], done["state"]) == ("1", "DONE")


def test_positions_are_open_or_closed(people, as_caller) -> None:
    write_trades(people, 2)
    rows.write_position(people.engine)
    client = as_caller("vera-read")

    told = {
        state: [one["closed_at"] is None for one in every(client, f"/positions{state}", limit=2)]
        for state in ("", "?state=open", "?state=closed")
    }

    assert sorted(told[""]) == [False, False, True]
    assert (told["?state=open"], told["?state=closed"]) == ([True], [False, False])


@pytest.mark.parametrize("name", ["orders", "fills", "positions", "trades", "decisions"])
def test_a_list_is_narrowed_by_account_bot_pair_and_time(people, as_caller, name: str) -> None:
    write_trades(people, 1)
    rows.write_fill(people.engine)
    rows.write_decision(people.engine)
    client = as_caller("vera-read")
    with tenant_scope(people.engine.tenant_id):
        bot = Bot.objects.get().id
    foreign = "00000000-0000-0000-0000-000000000001"
    fitting = (f"account={people.engine.account_id}", f"bot={bot}", "pair=BTC/USD",
               "since=2026-01-05", "until=2026-01-06")  # fmt: skip
    missing = (f"account={foreign}", f"bot={foreign}", "pair=ETH/USD", "since=2026-01-06",
               "until=2026-01-05")  # fmt: skip

    def count(query: str) -> int:
        return len(client.get(f"/api/v1/{name}?{query}").json()["items"])

    assert [count(query) for query in fitting] == [1] * 5
    assert [count(query) for query in missing] == [0] * 5


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["limit=0", "cursor=1-x", "cursor=abc", "since=soon", "until=x"])
def test_what_cannot_be_read_is_named(as_caller, name: str, query: str) -> None:
    answer = as_caller("vera-read").get(f"/api/v1/{name}?{query}")

    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [query.split("=")[0]]


def test_a_cursor_of_another_list_is_refused(people, as_caller) -> None:
    for number in (1, 2):
        rows.write_fill(people.engine, number=number)
    client = as_caller("vera-read")
    cursor = client.get("/api/v1/fills?limit=1").json()["next"]

    assert client.get(f"/api/v1/orders?cursor={cursor}").status_code == 400


def test_another_workspace_sees_none_of_it(people, as_caller) -> None:
    write_trades(people, 1)
    rows.write_fill(people.engine)
    rows.write_decision(people.engine)
    client = as_caller("max-admin")

    for name in LISTS:
        assert client.get(f"/api/v1/{name}").json() == {"items": [], "next": None}
        of_engine, of_account = people.engine.engine_id, people.engine.account_id
        query = f"engine={of_engine}" if name == "alerts" else f"account={of_account}"
        assert client.get(f"/api/v1/{name}?{query}").json()["items"] == []
    assert len(client.get("/api/v1/export/trades.csv").getvalue().splitlines()) == 1


def test_the_trades_are_a_file_at_the_address_programs_know(people, as_caller) -> None:
    write_trades(people, 3)
    client = as_caller("vera-read")

    alias = client.get("/api/v1/export/trades.csv").getvalue()

    assert alias == client.get("/api/v1/ledger/trades.csv").getvalue()
    assert len(alias.splitlines()) == 4


@pytest.mark.parametrize("name", LISTS)
def test_the_number_of_queries_does_not_grow_with_the_rows(people, as_caller, name: str) -> None:
    client = as_caller("vera-read")

    def write(number: int) -> None:
        write_trades(people, 1)
        rows.write_fill(people.engine, number=number)
        rows.write_decision(people.engine, at=NOW + timedelta(minutes=number))
        rows.write_alert(people.engine)

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/api/v1/{name}").json()["items"]
        return len(asked)

    write(1)
    client.get(f"/api/v1/{name}")  # the key's first use is written down
    before = count()
    for number in range(2, 6):
        write(number)

    assert count() == before


@pytest.mark.parametrize("name", ["orders", "fills", "positions", "trades"])
def test_decisions_are_looked_up_for_the_rows_of_the_page_alone(
    people, as_caller, name: str
) -> None:
    write_trades(people, 3)
    rows.write_fill(people.engine)
    client = as_caller("vera-read")

    with CaptureQueriesContext(connection) as asked:
        client.get(f"/api/v1/{name}?limit=1")

    statements = [one["sql"] for one in asked.captured_queries]
    (choosing,) = [sql for sql in statements if sql.endswith("LIMIT 2")]
    (telling,) = [sql for sql in statements if "trading_decision" in sql]
    assert "trading_decision" not in choosing
    assert " IN (" in telling
