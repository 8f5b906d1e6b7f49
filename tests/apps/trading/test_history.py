"""What was done as tables and files: exact, of one workspace alone, and never a formula."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.test import AsyncRequestFactory, Client
from hypothesis import given
from hypothesis import strategies as st

from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW
from trading.downloads import PIECE_BYTES, csv_response
from trading.models import OrderIntent, Position
from trading.queries.history import TABLES
from trading.queries.pnl import profit_and_loss
from trading.queries.spreadsheet import FORMULA_SIGNS, cell, write_csv

PAGES = ["/history/", *(f"/history/{name}/" for name in TABLES)]
FILES = [f"/history/{name}.csv" for name in TABLES]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def file(client: Client, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return read(answer.getvalue().decode())


@given(text=st.text())
def test_text_never_begins_a_formula_and_can_be_read_back(text: str) -> None:
    written = cell(text)

    assert not written.lstrip(" ").startswith(FORMULA_SIGNS)
    assert text in (written, written[1:])


@given(text=st.text(), other=st.text())
def test_two_texts_are_never_written_alike(text: str, other: str) -> None:
    assert (cell(text) == cell(other)) == (text == other)


@given(value=st.decimals(allow_nan=False, allow_infinity=False, places=18, max_value=10**15))
def test_numbers_stay_exact_numbers(value: Decimal) -> None:
    written = cell(value)

    assert Decimal(written) == value
    assert "E" not in written
    assert not written.startswith("'")


@given(texts=st.lists(st.text(), min_size=2, max_size=2))
def test_a_file_is_read_back_cell_by_cell(texts: list[str]) -> None:
    made = io.StringIO(newline="")

    write_csv(made, ["a", "b"], [texts])

    assert list(csv.reader(io.StringIO(made.getvalue(), newline="")))[1:] == [
        list(map(cell, texts))
    ]


def test_times_are_utc_and_numbers_below_zero_stay_numbers() -> None:
    assert cell(datetime(2026, 1, 5, 12, 0, 0, 5, tzinfo=UTC)) == "2026-01-05T12:00:00.000005Z"
    assert cell(Decimal("-0.050000000000000000")) == "-0.05"
    assert cell(-3) == "-3"


def test_fills_are_told_to_the_last_digit_with_why_they_were_made(people: People) -> None:
    opened = NOW - timedelta(minutes=1)
    rows.write_decision(people.engine, at=opened, stage=rows.Stage.ENTRY, reason=rows.Reason.NONE)
    rows.write_fill(people.engine, price=Decimal("42000.100000000000000001"))

    [told] = file(signed_in(people.vera), "/history/fills.csv")

    assert told["price"] == "42000.100000000000000001"
    assert (told["fee"], told["fee_currency"], told["quantity"]) == ("5.46", "USD", "0.05")
    assert told["filled_at"] == "2026-01-05T12:00:00Z"
    assert (told["purpose"], told["regime"], told["score"]) == ("entry", "unknown", "0.123")


def test_an_entry_whose_decision_is_not_on_record_says_no_reason(people: People) -> None:
    rows.write_decision(people.engine, at=NOW, stage=rows.Stage.ENTRY, reason=rows.Reason.NONE)
    rows.write_fill(people.engine)  # planned as another bar closed

    [told] = file(signed_in(people.vera), "/history/fills.csv")

    assert (told["strategy"], told["regime"], told["score"]) == ("", "", "")


def test_a_venues_words_are_no_formula_in_the_file(people: People) -> None:
    rows.write_fill(people.engine)
    with tenant_scope(people.engine.tenant_id):
        OrderIntent.objects.update(state_reason='=HYPERLINK("http://x","y")')

    [told] = file(signed_in(people.vera), "/history/orders.csv")

    assert told["state_reason"] == '\'=HYPERLINK("http://x","y")'


@pytest.mark.parametrize("path", PAGES + FILES)
def test_every_member_sees_a_table_and_max_an_empty_one(people: People, path: str) -> None:
    rows.write_fill(people.engine)
    position = rows.write_position(people.engine)
    with tenant_scope(people.engine.tenant_id):
        Position.objects.filter(id=position.id).update(closed_at=NOW, quantity=0)

    assert Client().get(path).status_code == 302
    for name in ("olga", "tom", "vera", "max"):
        answer = signed_in(getattr(people, name)).get(path)
        assert answer.status_code == 200
        told = answer.getvalue() if answer.streaming else answer.content
        assert (b"BTC/USD" in told or b"USD" in told) == (name != "max")


def test_a_table_that_does_not_exist_is_not_found(people: People) -> None:
    client = signed_in(people.vera)

    assert [client.get(f"/history/{x}").status_code for x in ("x/", "x.csv")] == [404, 404]


def test_a_filter_chooses_account_and_time_and_refuses_what_it_cannot_read(people: People) -> None:
    for number in range(3):
        rows.write_fill(people.engine, number=number + 1, at=NOW + timedelta(hours=number))
    client, path = signed_in(people.vera), "/history/fills.csv"

    assert len(file(client, f"{path}?since=2026-01-05T13:00Z&until=2026-01-05T14:00Z")) == 1
    assert len(file(client, f"{path}?account={people.engine.account_id}")) == 3
    assert len(file(client, f"{path}?account={people.engine.engine_id}")) == 0
    refused = client.get(f"{path}?since=yesterday")
    assert refused.status_code == 400
    assert "A date or time in UTC" in refused.content.decode()


def test_pages_follow_each_other_without_a_gap(people: People) -> None:
    for number in range(60):
        rows.write_fill(people.engine, number=number + 1, at=NOW + timedelta(minutes=number))
    client = signed_in(people.vera)

    first, second = (client.get(f"/history/fills/?page={n}").context for n in (1, 2))

    told = [row[12][0] for row in first["rows"] + second["rows"]]
    assert told == [str(number) for number in range(60, 0, -1)]
    assert (first["older"], second["older"]) == (2, 0)


def test_the_command_writes_a_new_file_and_never_over_another(people: People, tmp_path) -> None:
    rows.write_fill(people.engine)
    path = str(tmp_path / "fills.csv")
    ask = ["export_ledger", "--tenant", "acme", "--what", "fills", "--output", path]
    call_command(*ask)

    assert [row["venue_trade_id"] for row in read((tmp_path / "fills.csv").read_text())] == ["1"]
    with pytest.raises(CommandError, match="File exists"):
        call_command(*ask)
    with pytest.raises(CommandError, match="--since 'soon'"):
        call_command(*ask, "--since", "soon")


async def test_a_large_file_is_sent_piece_by_piece_where_pages_are_served_asynchronously() -> None:
    request = AsyncRequestFactory().get("/")
    lines = ([str(number)] for number in range(200_000))

    answer = csv_response(request, name="x", header=["n"], rows=lines)

    pieces = [piece async for piece in answer]
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert sum(map(len, pieces)) == int(answer["Content-Length"])
    assert b"".join(pieces).endswith(b"199999\r\n")


def test_profit_and_loss_is_net_of_fees_and_follows_the_last_price(people: People) -> None:
    rows.write_decision(people.engine)  # closed at 42 000
    position = rows.write_position(people.engine)
    with tenant_scope(people.engine.tenant_id):
        Position.objects.filter(id=position.id).update(
            entry_price=Decimal("41000.5"), realized_pnl=Decimal("-5.46"), fees=Decimal("5.46")
        )
        [found] = profit_and_loss(account_id=None)

    assert (found.currency, found.realized, found.fees) == (
        "USD",
        Decimal("-5.46"),
        Decimal("5.46"),
    )
    assert found.unrealized == Decimal("0.05") * (rows.PRICE - Decimal("41000.5"))
    assert found.total == found.realized + found.unrealized


def test_dust_is_told_by_the_trade_the_file_the_api_and_the_result(people: People) -> None:
    rows.write_decision(people.engine)
    position = rows.write_position(people.engine)
    with tenant_scope(people.engine.tenant_id):
        Position.objects.filter(id=position.id).update(
            quantity=0, closed_at=NOW, dust_quantity=Decimal("0.00000012"), realized_pnl=-3,
            dust_cost=Decimal("0.00500496"),
        )  # fmt: skip
    client, words = signed_in(people.vera), "dust written off: 0.00000012 BTC (0.005 USD)"

    page = client.get("/history/trades/").content.decode()
    [told] = file(client, "/history/trades.csv")
    [trade] = client.get("/api/v1/trades").json()["items"]
    [account] = client.get("/api/v1/pnl").json()["accounts"]
    [event] = client.get("/api/v1/events?kind=position_closed").json()["items"]

    assert words in page
    for one in (told, trade):
        assert (one["dust_quantity"], one["dust_cost"]) == ("0.00000012", "0.00500496")
        assert one["note"] == words
    assert (account["realized"], account["dust"]) == ("-3", "0.00500496")
    assert account["parts"][0]["dust"] == "0.00500496"
    assert event["words"].endswith(f"made -3 USD; {words}")


def test_without_a_price_the_open_result_is_unknown_not_zero(people: People) -> None:
    rows.write_position(people.engine)
    with tenant_scope(people.engine.tenant_id):
        [found] = profit_and_loss(account_id=people.engine.account_id)

    assert found.unrealized is None
    assert found.total is None
    assert "no price" in signed_in(people.vera).get("/history/").content.decode()


def test_the_audit_page_shows_filters_and_is_for_owners(people: People) -> None:
    olga = signed_in(people.olga)

    assert [signed_in(p).get("/audit/").status_code for p in (people.tom, people.vera)] == [
        403,
        403,
    ]
    assert [signed_in(people.tom).get("/audit.csv").status_code] == [403]
    page = olga.get("/audit/").content.decode()
    assert "engine.desire" in page
    assert "Nobody has verified the chains yet" in page
    few = olga.get("/audit/?action=member.").context["entries"]
    assert few
    assert {entry.action.split(".")[0] for entry in few} == {"member"}
    assert olga.get("/audit/?before=x").status_code == 400
    assert b"acme" not in signed_in(people.max).get("/audit/").content.lower()


def test_the_audit_file_holds_every_entry_with_its_hash(people: People) -> None:
    told = file(signed_in(people.olga), "/audit.csv")

    assert [int(row["sequence"]) for row in told] == list(range(len(told), 0, -1))
    assert all(len(row["hash"]) == 64 for row in told)
