"""The report as a file: one command, everything inside, nothing of it runs that is not ours."""

import html
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.marketdata.samples import make_bars, to_lines, write_csv
from trading.backtest.declared import METRICS, metrics_markdown
from trading.queries.report_file import render_file
from trading.queries.report_page import page
from trading.queries.report_tables import heat_map

DOCS = Path(__file__).resolve().parents[2] / "docs"
EMPTY_CHARTS: dict[str, Any] = {}


def backtest(store: Path, *arguments: str) -> dict[str, Any]:
    """What the command tells as JSON."""
    out = StringIO()
    call_command(
        "backtest", "--pair", "BTC/USD", "--profile", "active", "--json", "--trades", *arguments,
        stdout=out, stderr=StringIO(),
    )  # fmt: skip
    return json.loads(out.getvalue())


@pytest.fixture
def store(db, tmp_path, settings) -> Path:
    """Five thousand made-up minutes, imported."""
    settings.BARS_DIR = tmp_path / "store"
    path = write_csv(tmp_path / "kraken_BTCUSD_1m_2024.csv.gz", to_lines(make_bars(5_000)))
    call_command("import_bars", str(path), "--tick", "0.1", "--lot", "0.0001", stdout=StringIO())
    return tmp_path


def test_the_command_writes_one_file_with_everything_inside(store: Path) -> None:
    told = backtest(store, "--html", str(store / "report.html"))

    text = (store / "report.html").read_text(encoding="utf-8")
    assert told["closed_trades"] > 0
    assert told["verdict"]["headline"] in text
    assert 200_000 < len(text.encode()) < 2_000_000
    assert "BTC/USD" in text
    assert told["core_sha256"] in text
    assert not re.search(r'\s(?:src|href)="(?!#|https://www\.tradingview\.com/")', text)
    data = re.search(r'<script id="report-data" type="application/json">(.*?)</script>', text, re.S)
    assert data
    assert len(json.loads(data[1])["equity"]["time"]) > 100


def test_a_file_that_cannot_be_written_is_named(store: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        backtest(store, "--html", str(store / "nowhere" / "report.html"))


def test_the_body_bears_a_strict_policy(store: Path) -> None:
    backtest(store, "--html", str(store / "report.html"))

    text = (store / "report.html").read_text(encoding="utf-8")

    body = text[text.index("<article") : text.index("</article>")]
    assert " style=" not in body
    assert not re.search(r"\son\w+=", body)
    assert body.count("<script") == 1  # the data, which no browser runs
    assert "default-src 'none'" in html.unescape(text)


def test_words_of_others_are_escaped(store: Path) -> None:
    told = backtest(store)
    evil = '"><script>alert(1)</script>'
    told["markets"][0]["symbol"] = told["trades"][0]["symbol"] = evil
    told["verdict"]["sentences"] = [evil]

    text = render_file(told, {"equity": {"time": []}, "note": "</script><script>alert(2)"})

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_run_without_trades_is_a_page_too(store: Path) -> None:
    told = backtest(store, "--timerange", "20240101-20240102", "--cash", "0.01")

    shown = page(told, EMPTY_CHARTS)

    assert told["closed_trades"] == 0
    assert (shown["splits"], shown["random"], shown["trades"]) == ([], None, [])
    assert shown["verdict"]["headline"].startswith("Never traded in")
    assert "There is no trade to judge" in render_file(told, EMPTY_CHARTS)


def test_every_metric_is_shown_with_its_definition(store: Path) -> None:
    shown = page(backtest(store), EMPTY_CHARTS)

    rows = [row for group in shown["groups"] for row in group["rows"]]
    assert [row["label"] for row in rows] != []
    assert {row["help"] for row in rows} == {metric.definition for metric in METRICS}


def test_months_stand_in_years_of_twelve() -> None:
    (row,) = heat_map([["2018-02", 0.1], ["2018-03", -0.5]])

    assert row["year"] == "2018"
    assert [cell["text"] for cell in row["cells"][:4]] == ["", "+10.0", "−50.0", ""]
    assert row["cells"][1]["heat"] == "rp-heat-up-4"
    assert row["total"]["text"] == "−45.0"


def test_the_docs_say_what_every_metric_means() -> None:
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_markdown()
