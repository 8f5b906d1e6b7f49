"""Research over the API: asked, carried out by a worker, and byte for byte what the command tells."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tenants.scoping import tenant_scope
from tests.apps.api.conftest import ASKED, post
from tests.research.conftest import clock
from trading.models import BacktestRun
from trading.research.results import canonical
from trading.wiring import research

SPACE = ["exits.stop_scale=2,4", "confluence.min_score=0.3,0.4"]


def work(people, store, number: int) -> None:
    tenant_id = people.engine.tenant_id
    with tenant_scope(tenant_id):
        run_id = BacktestRun.objects.get(number=number).id
    while research.work_on(
        tenant_id=tenant_id, run_id=run_id, worker="w", store=store, clock=clock
    ):
        pass


def test_a_backtest_equals_the_commands(people, as_caller, store) -> None:
    client = as_caller("tom-trade")
    answer = post(client, "/backtest/run", {**ASKED, "params": {"exits.stop_scale": 3}})
    number = answer.json()["run"]
    assert answer.status_code == 202
    assert answer["Location"] == f"/api/v1/backtest/runs/{number}"
    assert client.get(answer["Location"]).json()["status"] == "QUEUED"

    work(people, store, number)

    told = client.get(answer["Location"]).json()
    result = client.get(f"{answer['Location']}/result")
    out = StringIO()
    call_command("backtest", "--pair", "BTC/USD", "--timeframe", "5m", "--profile", "active",
                 "--param", "exits.stop_scale=3", "--json", "--trades", stdout=out)  # fmt: skip
    command = json.loads(out.getvalue())
    digest = command.pop("result_sha256")
    assert told["status"] == "DONE"
    assert told["result_sha256"] == result["X-Result-SHA256"] == digest
    assert canonical(result.json()) == canonical(command)
    assert told["created_at_ms"] == 1_767_614_400_000 or told["created_at_ms"] > 0
    report = client.get(f"{answer['Location']}/report.html")
    assert report["Content-Type"].startswith("text/html")
    assert b"BTC/USD" in report.content


def test_a_sweep_is_watched_and_its_trials_are_paged(people, as_caller, store) -> None:
    client = as_caller("tom-trade")
    number = post(client, "/backtest/optimize", {**ASKED, "space": SPACE}).json()["run"]

    work(people, store, number)

    told = client.get(f"/api/v1/backtest/runs/{number}").json()
    assert (told["done"], told["total"], told["trials"]) == (4, 4, 4)
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = client.get(f"/api/v1/backtest/runs/{number}/trials?limit=3{cursor}").json()
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [one["index"] for one in seen] == [0, 1, 2, 3]


def test_runs_are_listed_newest_first_page_by_page(as_caller) -> None:
    client = as_caller("tom-trade")
    for _ in range(5):
        post(client, "/backtest/run", ASKED)

    first = client.get("/api/v1/backtest/runs?limit=3").json()
    second = client.get(f"/api/v1/backtest/runs?limit=3&cursor={first['next']}").json()

    assert [one["run"] for one in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert second["next"] is None


def test_a_run_is_cancelled_and_archived_once(as_caller) -> None:
    client = as_caller("tom-trade")
    number = post(client, "/backtest/run", ASKED).json()["run"]
    path = f"/backtest/runs/{number}"

    assert post(client, f"{path}/archive").status_code == 409
    assert post(client, f"{path}/cancel").json()["status"] == "CANCELLED"
    assert post(client, f"{path}/cancel").status_code == 409
    assert post(client, f"{path}/archive").json()["archived_at"] is not None
    assert client.get("/api/v1/backtest/runs").json()["items"] == []
    listed = client.get("/api/v1/backtest/runs?archived=true").json()["items"]
    assert [one["run"] for one in listed] == [number]
    assert client.get(f"/api/v1{path}/result").status_code == 409


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("run", {}, "pairs", "required"),
    ("run", {"pairs": []}, "pairs", "at least 1"),
    ("run", {"pairs": ["nonsense"]}, "pairs", "nonsense"),
    ("run", {"pairs": ["BTC/USD", "BTC/EUR"]}, "", "one quote currency"),
    ("run", {**ASKED, "timeframe": "7q"}, "timeframe", "7q"),
    ("run", {**ASKED, "cash": "-1"}, "cash", "1"),
    ("run", {**ASKED, "cash": "NaN"}, "cash", "number"),
    ("run", {**ASKED, "profil": "active"}, "profil", "did you mean 'profile'"),
    ("run", {**ASKED, "params": {"exits.stop_scal": 3}}, "params", "did you mean"),
    ("run", {**ASKED, "params": {"exits.stop_scale": 900}}, "params", "exits.stop_scale"),
    ("run", {**ASKED, "params": {"exits.stop_scale": [1, 2]}}, "params", "exits.stop_scale"),
    ("run", {**ASKED, "params": {"exits": {"stop_scale": "x"}}}, "params", "stop_scale"),
    ("run", {**ASKED, "start_ms": 10, "end_ms": 5}, "", "end must lie after"),
    ("run", {**ASKED, "timeframe_detail": "1h"}, "", "detail"),
    ("optimize", ASKED, "space", "required"),
    ("optimize", {**ASKED, "space": ["risk.nothing=1,2"]}, "space", "no such parameter"),
    ("walk-forward", {**ASKED, "space": SPACE, "train_days": 0, "test_days": 1}, "train_days", "1"),
]


@pytest.mark.parametrize(("kind", "body", "field", "words"), WRONG)
def test_a_wrong_request_names_field_and_what_is_accepted(
    as_caller, kind: str, body: dict[str, Any], field: str, words: str
) -> None:
    client = as_caller("tom-trade")

    answer = post(client, f"/backtest/{kind}", body)

    problem = answer.json()
    assert answer.status_code == 400
    found = [one for one in problem["errors"] if one["field"].split("[")[0].split(".")[0] == field]
    assert found, problem
    assert words in found[0]["message"]
    assert client.get("/api/v1/backtest/runs").json()["items"] == []


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ('{"pairs": NaN}', "application/json", 400),
        ("[1]", "application/json", 400),
        ("{", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("pairs=BTC", "application/x-www-form-urlencoded", 415),
        ('{"pairs": "' + "x" * 1_000_001 + '"}', "application/json", 413),
    ],
)
def test_a_body_that_is_none_is_refused(as_caller, text: str, kind: str, code: int) -> None:
    answer = as_caller("tom-trade").post("/api/v1/backtest/run", text, content_type=kind)

    assert answer.status_code == code
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=-1", "cursor=9" * 3])
def test_a_wrong_page_is_refused(as_caller, query: str) -> None:
    assert as_caller("vera").get(f"/api/v1/backtest/runs?{query}").status_code == 400


def test_what_can_be_asked_for_is_listed(as_caller, store) -> None:
    client = as_caller("vera-read")

    series = client.get("/api/v1/series").json()
    parameters = {one["name"]: one for one in client.get("/api/v1/parameters").json()}

    assert [(one["exchange"], one["pair"], one["timeframe"]) for one in series] == [
        ("bitfinex", "BTC/USD", "1m"),
        ("bitfinex", "ETH/USD", "1m"),
    ]
    assert parameters["exits.stop_scale"]["low"] < parameters["exits.stop_scale"]["high"]
    assert {one["name"] for one in client.get("/api/v1/profiles").json()} == {"balanced", "active"}
