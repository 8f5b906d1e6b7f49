"""The audit log, profit and loss, and the ledger's tables over the API."""

from tests.apps.trading import rows
from trading.queries.history import TABLES


def test_the_audit_log_is_told_page_by_page_without_a_gap(people, as_caller) -> None:
    client, found, cursor = as_caller("olga-admin"), [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/audit?limit=2{f'&cursor={cursor}' if cursor else ''}").json()
        found += page["items"]
        cursor = page["next"]

    assert [one["sequence"] for one in found] == list(range(len(found), 0, -1))
    assert len(found) > 4
    assert all(len(one["hash"]) == 64 for one in found)


def test_the_audit_log_is_filtered_and_refuses_what_it_cannot_read(people, as_caller) -> None:
    client = as_caller("olga-admin")

    few = client.get("/api/v1/audit?action=member.&actor=OLGA@example.com").json()["items"]
    wrong = client.get("/api/v1/audit?since=soon")

    assert {one["action"] for one in few} == {"member.add"}
    assert wrong.status_code == 400
    assert "since" in str(wrong.json()["errors"])


def test_every_table_is_a_file_and_another_name_is_none(people, as_caller) -> None:
    rows.write_fill(people.engine)
    client = as_caller("tom-read")

    for name in TABLES:
        answer = client.get(f"/api/v1/ledger/{name}.csv")
        assert answer["Content-Type"].startswith("text/csv")
        assert answer.getvalue().decode().split("\r\n")[0] == ",".join(TABLES[name].columns)
    missing = client.get("/api/v1/ledger/secrets.csv")
    assert missing.status_code == 404
    assert "orders, fills" in missing.json()["detail"]


def test_profit_and_loss_is_told_in_exact_text(people, as_caller) -> None:
    rows.write_decision(people.engine)
    rows.write_position(people.engine)

    [account] = as_caller("tom-read").get("/api/v1/pnl").json()["accounts"]

    assert (account["currency"], account["unrealized"], account["realized"]) == ("USD", "0", "0")
    assert account["parts"][0]["pair"] == "BTC/USD"
    assert as_caller("max-admin").get("/api/v1/pnl").json() == {"accounts": []}
