"""The chart page: indicators of the real core, chosen by keyboard, told bar by bar."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories
from tests.browser.conftest import SCREENSHOTS, Site
from tests.engine.fakes import random_bars
from tests.factories import EngineRows
from tests.faults.processes import ended_afterwards, run_engine, worker_of_research
from trading.marketdata.store import BarStore

pytestmark = pytest.mark.browser
FEW = "ichimoku,stochastic_divergence,keltner"


@pytest.fixture
def replayed(site: Site, settings) -> EngineRows:
    """An engine that has replayed a day and a half."""
    series = factories.store_bars(
        random_bars(1, 2000),
        store=BarStore(settings.BARS_DIR),
        venue="bitfinex",
        symbol="BTC/USD",
    )
    rows = factories.make_engine("acme", series.instrument)
    with ended_afterwards(engine := run_engine(rows, site.environment)):
        assert engine.wait(120) == 0
    return rows


def opened(
    site: Site, browser: Browser, show: str, *, width: int = 1440, theme: str = "light"
) -> Page:
    page = site.page(browser, width=width, theme=theme)
    site.sign_in(page, "olga@acme.example", f"/charts/?show={show}")
    return page


def test_a_reader_sees_on_any_bar_what_the_strategies_saw(
    site: Site, browser: Browser, replayed: EngineRows
) -> None:
    page = opened(site, browser, FEW)
    expect(page.locator("#plots-state")).to_have_text("Drawing…")

    with worker_of_research(site.environment):
        expect(page.locator("#plots-state")).to_contain_text("As the strategies saw them")
    values = page.locator('[data-values="ichimoku"]')
    expect(values).to_contain_text("Tenkan 9")
    expect(page.locator("#readout")).to_contain_text("close")
    newest = page.locator("#readout b").first.inner_text()
    for width, theme in ((1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")):
        other = (
            page
            if (width, theme) == (1440, "light")
            else opened(site, browser, FEW, width=width, theme=theme)
        )
        expect(other.locator("#plots-state")).to_contain_text("As the strategies saw them")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        other.screenshot(path=SCREENSHOTS / f"chart-{width}-{theme}.png", full_page=True)
        assert other.evaluate("document.documentElement.scrollWidth") <= width

    page.locator("#chart").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#readout b").first).not_to_have_text(newest)
    expect(page.locator("#spoken")).to_contain_text("close")

    page.get_by_label(re.compile("ichimoku")).press("Space")
    expect(values).to_be_hidden()
    expect(page).to_have_url(re.compile(r"show=[^&]*keltner"))
    assert "ichimoku" not in page.url
    assert site.complaints == []
