"""A trader opens the report from disk: charts are drawn, nothing is fetched, nothing complains."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.marketdata.samples import make_bars, to_lines, write_csv

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
Open = Callable[..., Page]
MANY, NONE = "20240101-20240701", "1704067200-1704067380"  # half a year, three minutes


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about, and every address it asked."""
    return []


@pytest.fixture
def report(browser: Browser, complaints: list[str], tmp_path: Path, settings) -> Iterator[Open]:
    """Open the report of a range of made-up bars."""
    settings.BARS_DIR = tmp_path / "store"
    bars = [str(write_csv(tmp_path / f"kraken_BTCUSD_{name}_2024.csv.gz", to_lines(make_bars(count, step_ns=step * 10**9))))
            for name, count, step in (("15m", 17_000, 900), ("1m", 500, 60))]  # fmt: skip
    call_command("import_bars", *bars, "--tick", "0.1", "--lot", "0.0001", stdout=StringIO())

    def open_report(span: str, *, timeframe: str, width: int = 1440, theme: str = "light") -> Page:
        path = tmp_path / f"{timeframe}.html"
        call_command(
            "backtest", "--pair", "BTC/USD", "--timeframe", timeframe, "--timerange", span,
            "--profile", "active", "--html", str(path), stdout=StringIO(), stderr=StringIO(),
        )  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                complaints.append(request.url) if not request.url.startswith("file:") else None
            ),
        )
        page.goto(path.as_uri())
        return page

    yield open_report
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_it_fits_the_screen_and_draws_every_chart(
    report: Open, complaints: list[str], width: int, theme: str
) -> None:
    page = report(MANY, timeframe="15m", width=width, theme=theme)

    for name in ("equity", "rolling", "overview", "trade"):
        expect(page.locator(f'[data-chart="{name}"] canvas').first).to_be_visible()
    for name in ("days", "multiples", "hours", "bands"):
        expect(page.locator(f'[data-chart="{name}"] svg')).to_be_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(300)
    page.screenshot(path=SCREENSHOTS / f"report-{width}-{theme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


def test_trades_can_be_leafed_through_and_the_page_printed(
    report: Open, complaints: list[str]
) -> None:
    page = report(MANY, timeframe="15m")
    first = page.locator("#trade-note").inner_text()

    page.get_by_role("button", name="Next trade").click()
    second = page.locator("#trade-note").inner_text()
    page.get_by_role("button", name="Trade before").click()

    assert first != second
    expect(page.locator("#trade-note")).to_have_text(first)
    assert len(page.pdf()) > 10_000
    assert complaints == []


def test_three_bars_without_a_trade_are_a_report_too(report: Open, complaints: list[str]) -> None:
    page = report(NONE, timeframe="1m", width=390)

    expect(page.locator(".rp-headline")).to_contain_text("Never traded in 2 minutes.")
    expect(page.locator('[data-chart="trade"]')).to_contain_text("No trade was closed.")
    expect(page.locator('[data-chart="equity"] canvas').first).to_be_visible()
    assert complaints == []
