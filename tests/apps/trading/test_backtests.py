"""Pages of research: Olga owns, Tom trades, Vera views, Max is of another workspace."""

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from tenants.models import AuditEntry
from tenants.scoping import tenant_scope
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW
from tests.research.conftest import base, clock, fill, search
from trading.marketdata.store import BarStore
from trading.models import BacktestRun
from trading.operations import backtests as operations
from trading.research.requests import (
    BACKTEST,
    LOOKAHEAD,
    SWEEP,
    WALK_FORWARD,
    ResearchRequest,
    Walk,
)
from trading.research.space import with_values
from trading.wiring import research

ASKED = {
    "pairs": "bitfinex BTC/USD",
    "timeframe": "5m",
    "profile": "active",
    "cash": "10000",
}
KINDS = {
    "backtest": ResearchRequest(BACKTEST, base()),
    "sweep": ResearchRequest(SWEEP, base(), search()),
    "walk": ResearchRequest(WALK_FORWARD, base(), search(), Walk(1, 1, 10)),
    "lookahead": ResearchRequest(LOOKAHEAD, base(), probes=2),
}


@pytest.fixture
def store(people: People, tmp_path, settings) -> BarStore:
    settings.BARS_DIR = tmp_path / "bars"
    made = BarStore(settings.BARS_DIR)
    fill(made)
    return made


def ask(people: People, request: ResearchRequest = KINDS["backtest"]) -> BacktestRun:
    tenant_id = people.engine.tenant_id
    with tenant_scope(tenant_id):
        return operations.request_run(
            tenant_id=tenant_id, request=request, actor=people.tom, now=NOW
        )


def work(people: People, store: BarStore, run: BacktestRun) -> None:
    ids = {"tenant_id": people.engine.tenant_id, "run_id": run.id}
    while research.work_on(**ids, worker="w", store=store, clock=clock):
        pass


def rows(people: People) -> list[BacktestRun]:
    with tenant_scope(people.engine.tenant_id):
        return list(BacktestRun.objects.order_by("number", "id"))


def text(client: Client, path: str, code: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == code
    return answer.content.decode()


def test_an_empty_workspace_is_told_what_a_backtest_is(people: People) -> None:
    assert "No backtest yet" in text(signed_in(people.vera), "/backtests/")
    assert "New backtest" in text(signed_in(people.tom), "/backtests/")
    assert "New backtest" not in text(signed_in(people.vera), "/backtests/")


def test_tom_launches_a_backtest_and_it_is_on_record(people: People, store: BarStore) -> None:
    answer = signed_in(people.tom).post("/backtests/new/", ASKED)

    (run,) = rows(people)
    assert (answer.status_code, answer["Location"]) == (302, f"/backtests/{run.number}/")
    assert (run.status, run.requested_by, run.kind) == ("QUEUED", people.tom, "BACKTEST")
    assert run.request["pairs"] == ["BTC/USD"]
    assert run.request["timeframe"] == "5m"
    with tenant_scope(people.engine.tenant_id):
        assert AuditEntry.objects.filter(action="run.request", actor=people.tom).exists()


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"vary": "exits.stop_scale=1,2"}, "SWEEP"),
        (
            {"vary": "exits.stop_scale=1,2\n\nconfluence.min_votes=1:3:1", "sampler": "random"},
            "SWEEP",
        ),
        ({"vary": "exits.stop_scale=1,2", "train_days": "30", "test_days": "10"}, "WALK_FORWARD"),
    ],
)
def test_tom_launches_many_sets_from_the_page(
    people: People, store: BarStore, given: dict[str, str], kind: str
) -> None:
    answer = signed_in(people.tom).post("/backtests/new/", {**ASKED, **given})

    assert answer.status_code == 302
    (run,) = rows(people)
    assert run.kind == kind
    assert run.request["search"]["space"][0]["name"] == "exits.stop_scale"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"vary": "exits.stop_scal=1,2"}, "did you mean"),
        ({"vary": "exits.stop_scale=1,900"}, "exits.stop_scale"),
        ({"train_days": "30"}, "a walk-forward needs both"),
        ({"train_days": "30", "test_days": "10"}, "needs at least one"),
    ],
)
def test_a_search_that_cannot_be_is_told(
    people: People, store: BarStore, given: dict[str, str], words: str
) -> None:
    answer = signed_in(people.tom).post("/backtests/new/", {**ASKED, **given})

    assert answer.status_code == 200
    assert words in html.unescape(answer.content.decode())
    assert "<details open>" in answer.content.decode()
    assert rows(people) == []


def test_a_worker_is_called_once_the_row_is_there(
    people: People, store: BarStore, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    called: list[dict[str, Any]] = []
    monkeypatch.setattr("trading.tasks.send_run", lambda **call: called.append(call))

    with django_capture_on_commit_callbacks(execute=True):
        signed_in(people.tom).post("/backtests/new/", ASKED)

    assert [call["run_id"] for call in called] == [str(rows(people)[0].id)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pairs": []}, "Choose at least one pair."),
        ({"pairs": "kraken XBT/USD"}, "not one of the available choices"),
        ({"timeframe": "7m"}, "not one of the available choices"),
        ({"cash": "0"}, "greater than or equal to 1"),
        ({"cash": "much"}, "Enter a number."),
        ({"start": "2026-02-30"}, "Enter a valid date."),
        ({"start": "1971-12-01", "end": "1971-12-01"}, "Must lie after the first day."),
        ({"start": "2030-01-01"}, "has bars from 1971-11-26 to 1971-11-30 only."),
        ({"end": "1970-01-01"}, "has bars from 1971-11-26 to 1971-11-30 only."),
        ({"profile": "reckless"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_launched_is_told_beside_its_field(
    people: People, store: BarStore, changes: dict, words: str
) -> None:
    answer = signed_in(people.tom).post("/backtests/new/", {**ASKED, **changes})

    assert answer.status_code == 200
    assert words in answer.content.decode().replace("&quot;", '"')
    assert rows(people) == []


def test_without_bars_the_form_says_where_they_come_from(people: People) -> None:
    assert "No bars are stored yet" in text(signed_in(people.tom), "/backtests/new/")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_result_has_its_page(people: People, store: BarStore, kind: str) -> None:
    run = ask(people, KINDS[kind])
    work(people, store, run)

    shown = text(signed_in(people.vera), f"/backtests/{run.number}/")

    assert "Done" in shown
    assert run.params_hash != ""
    expected = {
        "backtest": ("Largest drawdown", "Buying and holding BTC/USD", "report-data", "taker fee"),
        "sweep": (
            "Best sets",
            "36 tried by grid",
            "partly luck",
            "exits.stop_scale",
            "report-data",
        ),
        "walk": ("All tests as one account", "Windows", "1 days of training"),
        "lookahead": ("No look-ahead.", "2 moments probed"),
    }[kind]
    for words in expected:
        assert words in shown
    for sign in (' style="', "<script>", " onclick="):
        assert sign not in shown


def test_a_result_is_told_beside_all_tries_of_the_workspace(
    people: People, store: BarStore
) -> None:
    run = ask(people, KINDS["backtest"])
    work(people, store, run)
    alone = text(signed_in(people.vera), f"/backtests/{run.number}/")
    sweep = ask(people, KINDS["sweep"])
    work(people, store, sweep)

    after = text(signed_in(people.vera), f"/backtests/{run.number}/")

    assert "has tried 1 parameter set on these pairs" in alone
    assert "has tried 37 parameter sets on these pairs" in after


def test_a_waiting_run_asks_again_every_second_and_an_ended_one_reloads_the_page(
    people: People, store: BarStore
) -> None:
    run = ask(people)
    client = signed_in(people.vera)
    page = text(client, "/backtests/1/")
    before = client.get("/backtests/1/progress/")
    work(people, store, run)
    after = client.get("/backtests/1/progress/")

    assert 'hx-get="/backtests/1/progress/"' in page
    assert "waiting for a worker" in before.content.decode()
    assert ("HX-Refresh" in before, after["HX-Refresh"]) == (False, "true")


def test_tom_cancels_and_archives(people: People, store: BarStore) -> None:
    ask(people)
    client = signed_in(people.tom)

    refused = client.post("/backtests/1/archive/", follow=True).content.decode()
    client.post("/backtests/1/cancel/")
    client.post("/backtests/1/archive/")

    assert "cancel it first" in refused
    assert rows(people)[0].status == "CANCELLED"
    assert "/backtests/1/" not in text(client, "/backtests/")
    assert "/backtests/1/" in text(client, "/backtests/?archived=1")


def test_vera_sees_and_changes_nothing(people: People, store: BarStore) -> None:
    ask(people)
    client = signed_in(people.vera)

    assert "Cancel" not in text(client, "/backtests/1/")
    for path in ("1/cancel/", "1/archive/"):
        assert client.post(f"/backtests/{path}").status_code == 403
    assert client.get("/backtests/new/").status_code == 403
    assert client.post("/backtests/new/", ASKED).status_code == 403
    assert [run.status for run in rows(people)] == ["QUEUED"]


def test_max_finds_nothing_of_it(people: People, store: BarStore) -> None:
    run = ask(people)
    work(people, store, run)
    client = signed_in(people.max)

    for path in ("", "progress/", "result.json"):
        assert client.get(f"/backtests/1/{path}").status_code == 404
    for path in ("cancel/", "archive/"):
        assert client.post(f"/backtests/1/{path}").status_code == 404
    assert client.get("/backtests/compare/?run=1&run=2").status_code == 404
    assert "No backtest yet" in text(client, "/backtests/")
    assert rows(people)[0].archived_at is None


@pytest.mark.parametrize("path", ["", "new/", "1/", "1/progress/", "1/result.json", "compare/"])
def test_nobody_sees_a_page_without_signing_in(people: People, path: str) -> None:
    answer = Client().get(f"/backtests/{path}")

    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


def test_runs_are_filtered_by_kind_and_status(people: People, store: BarStore) -> None:
    work(people, store, ask(people))
    ask(people, KINDS["sweep"])
    client = signed_in(people.vera)

    assert "/backtests/1/" not in text(client, "/backtests/?kind=SWEEP")
    assert "/backtests/2/" not in text(client, "/backtests/?status=DONE")
    assert "Nothing fits this filter" in text(client, "/backtests/?status=FAILED")
    assert "Nothing fits this filter" in text(client, "/backtests/?kind=%27")


def test_runs_stand_side_by_side(people: People, store: BarStore) -> None:
    other = replace(base(), params=with_values(base().params, {"exits.stop_scale": 3.0}))
    work(people, store, ask(people))
    work(people, store, ask(people, ResearchRequest(BACKTEST, other)))
    ask(people)
    client = signed_in(people.vera)

    compared = text(client, "/backtests/compare/?run=1&run=2")
    lonely = client.get("/backtests/compare/?run=1", follow=True).content.decode()
    unfinished = client.get("/backtests/compare/?run=1&run=3", follow=True).content.decode()

    assert "Run 1" in compared
    assert "Largest drawdown" in compared
    assert "<td>10,000.00</td>" in compared
    assert not re.search(r"\d{4}-\d\d-\d\dT", compared)
    assert "<code>exits.stop_scale</code>" in compared
    assert "Compare takes 2 to 8 different runs, was 1." in lonely
    assert "Run 3 has no result: it is queued." in unfinished


def test_a_failed_run_says_why(people: People, store: BarStore) -> None:
    run = ask(people, ResearchRequest(BACKTEST, base(symbols=("DOGE/USD",))))
    work(people, store, run)

    assert "no bars of DOGE/USD" in text(signed_in(people.vera), "/backtests/1/")


def test_the_whole_result_is_downloaded_as_json(people: People, store: BarStore) -> None:
    work(people, store, ask(people))

    answer = signed_in(people.vera).get("/backtests/1/result.json")

    assert answer["Content-Disposition"] == 'attachment; filename="run-1.json"'
    assert len(answer.json()["trades"]) == answer.json()["closed_trades"] > 0


def test_a_workspace_cannot_fill_the_queue_for_ever(
    people: People, store: BarStore, monkeypatch
) -> None:
    monkeypatch.setattr(operations, "MOST_UNFINISHED", 1)
    client = signed_in(people.tom)
    client.post("/backtests/new/", ASKED)

    answer = client.post("/backtests/new/", ASKED)

    assert "1 runs wait or run already" in answer.content.decode()
    assert len(rows(people)) == 1


def test_the_number_of_queries_does_not_grow_with_the_runs(people: People, store: BarStore) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = signed_in(people.vera)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/backtests/")
        return len(captured)

    ask(people)
    few = count()
    for _ in range(5):
        ask(people)

    assert count() == few
