"""The chart page and its indicators: drawn by a worker, read by the page and the API."""

import numpy as np
import pytest
from celery import current_app
from django.core.cache import cache

from tenants.scoping import tenant_scope
from tests.apps.trading import rows
from tests.apps.trading.conftest import People, signed_in
from tests.factories import NOW, EngineRows
from trading.core import explain
from trading.core.config.strategies import PLOTS
from trading.models import Engine
from trading.queries import charts
from trading.wiring.plots import draw_plots

CALLS = "charts"
OPENED = NOW.replace(hour=0)
MINUTE_NS = 60_000_000_000


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    cache.clear()
    with current_app.connection_for_write() as broker:
        broker.default_channel.client.delete(CALLS)


def calls() -> int:
    """How often a worker was called."""
    with current_app.connection_for_read() as broker:
        return int(broker.default_channel.client.llen(CALLS))


def plots(people: People, name: str = "vera", asked: str = "keltner"):
    path = f"/engines/{people.engine.engine_id}/plots/0/?strategies={asked}"
    return signed_in(getattr(people, name)).get(path)


def draw(engine: EngineRows) -> None:
    """As the worker does."""
    draw_plots(tenant_id=engine.tenant_id, engine_id=engine.engine_id, market_index=0)


def test_a_worker_is_called_once_and_its_drawing_is_read_by_everybody(people: People) -> None:
    rows.write_decision(people.engine, at=OPENED)

    states = [plots(people, name).json()["state"] for name in ("vera", "olga", "vera")]
    called = calls()
    draw(people.engine)

    told = plots(people).json()
    assert states == ["working"] * 3
    assert called == 1
    assert told["state"] == "ready"
    assert [one["name"] for one in told["series"]] == [plot.name for plot in PLOTS["keltner"]]
    assert len(told["opened"]) == charts.CHART_BARS
    assert told["opened"][-1] == int(OPENED.timestamp() * 1000)
    assert all(value is not None for one in told["series"] for value in one["values"])


def test_a_new_decision_makes_the_drawing_old(people: People) -> None:
    rows.write_decision(people.engine, at=OPENED)
    draw(people.engine)
    rows.write_decision(people.engine, at=OPENED.replace(minute=1))

    assert plots(people).json() == {"state": "working"}


def test_strategies_that_share_a_scale_bring_what_all_of_them_see(people: People) -> None:
    rows.write_decision(people.engine, at=OPENED)
    draw(people.engine)

    told = plots(people, asked="reversal,trend").json()["series"]

    assert [(one["strategy"], one["name"], one["pane"]) for one in told][:2] == [
        ("", "rsi", "rsi"),
        ("", "adx", "adx"),
    ]


def test_the_book_of_a_stored_decision_is_drawn(people: People) -> None:
    made = rows.write_decision(people.engine, at=OPENED)
    stored = bytearray(made.record)
    head = np.frombuffer(stored, explain.DECISION, count=1)
    head["bar_open_ns"] += MINUTE_NS
    head["book"][0] = (head["bar_open_ns"][0] + MINUTE_NS - 1, 0.1, 0.42, 0.001, 9_000.0, 0.0)
    rows.write_decision(people.engine, at=OPENED.replace(minute=1), record=bytes(stored))
    draw(people.engine)

    (score,) = [
        one for one in plots(people, asked="order_flow").json()["series"] if one["name"] == "score"
    ]

    assert [value for value in score["values"] if value is not None] == [0.42]


def test_before_the_first_decision_there_is_nothing_to_draw(people: People) -> None:
    assert plots(people).json() == {"state": "empty"}
    assert calls() == 0


def test_what_cannot_be_drawn_is_told_in_words(people: People) -> None:
    rows.write_decision(people.engine, at=OPENED)
    with tenant_scope(people.engine.tenant_id):
        engine = Engine.objects.select_related("account").get(id=people.engine.engine_id)
        engine.account.venue = "replay"
        engine.account.save()
    draw(people.engine)

    told = plots(people).json()

    assert told["state"] == "failed"
    assert "BTC/USD" in told["words"]


def test_an_unknown_strategy_is_refused_by_name(people: People) -> None:
    answer = plots(people, asked="keltner,kelntner")

    assert answer.status_code == 400
    assert answer.json()["words"].startswith(
        "strategies: 'kelntner' is no strategy; there are trend,"
    )


@pytest.mark.parametrize("path", ["plots/7/", "markets/7/", "plots/99999999999/"])
def test_a_market_that_is_not_there_has_no_page(people: People, path: str) -> None:
    answer = signed_in(people.olga).get(f"/engines/{people.engine.engine_id}/{path}")

    assert answer.status_code == 404


def test_the_page_offers_the_strategies_that_are_on_and_ticks_the_asked_ones(
    people: People,
) -> None:
    shown = signed_in(people.vera).get("/charts/?show=trend,supertrend").content.decode()

    ticked = [name for name in PLOTS if f'value="{name}" checked' in shown]
    assert ticked == ["trend", "supertrend"]
    assert 'value="breakout"' not in shown


def test_without_a_choice_the_heaviest_strategy_is_ticked(people: People) -> None:
    shown = signed_in(people.vera).get("/charts/").content.decode()

    assert [name for name in PLOTS if f'value="{name}" checked' in shown] == ["keltner"]


def test_a_workspace_without_a_market_is_told_so(people: People) -> None:
    assert "No market to show yet" in signed_in(people.max).get("/charts/").content.decode()


def test_the_chart_tells_votes_scores_and_the_stop_of_each_bar(people: People) -> None:
    made = rows.write_decision(people.engine, at=OPENED)
    stored = bytearray(made.record)
    head = np.frombuffer(stored, explain.DECISION, count=1)
    detail = np.frombuffer(stored, explain.DETAIL, offset=explain.DECISION.itemsize)
    head["bar_open_ns"] += MINUTE_NS
    head["side"], head["position_lots"], head["stop_ticks"] = -1, -5, 421_234
    detail["votes"]["abstain"] = 1
    detail["votes"][0, 5] = (-0.75, 0.6, 100.0, 200.0, charts.VOTED)
    rows.write_decision(people.engine, at=OPENED.replace(minute=1), record=bytes(stored))

    chart = signed_in(people.vera).get(f"/engines/{people.engine.engine_id}/chart/0/").json()

    assert chart["stops"] == [{"open_ms": chart["bars"][-1]["open_ms"], "price": 42_123.4}]
    assert chart["scores"][0]["score"] is None
    assert (chart["scores"][1]["score"], chart["scores"][1]["confidence"]) == (-0.123, 0.456)
    assert chart["scores"][1]["votes"] == {"keltner": -0.75}
