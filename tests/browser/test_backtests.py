"""A trader launches a backtest from the page and watches it finish."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests import factories
from tests.browser.conftest import SCREENSHOTS, Site
from tests.faults.processes import worker_of_research
from tests.research.conftest import fill
from trading.marketdata.store import BarStore

pytestmark = pytest.mark.browser


@pytest.fixture
def worker(site: Site) -> Iterator[None]:
    """The worker of research, as the installation runs it."""
    with worker_of_research(site.environment):
        yield


def test_a_backtest_is_launched_from_the_page_and_seen_to_finish(
    site: Site, browser: Browser, settings, worker: None
) -> None:
    fill(BarStore(settings.BARS_DIR))
    factories.make_tenant("acme", owner=factories.make_user("olga@example.com"))
    page = site.page(browser)
    site.sign_in(page, "olga@example.com")

    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Backtests").click()
    expect(page.locator("main")).to_contain_text("No backtest yet")
    page.get_by_role("link", name="New backtest").first.click()
    for pair in ("bitfinex BTC/USD", "bitfinex ETH/USD"):
        page.get_by_label(pair).check()
    page.select_option("select[name=timeframe]", "1m")
    page.select_option("select[name=profile]", "active")
    page.get_by_role("button", name="Launch").click()

    expect(page.locator("h1")).to_have_text("Backtest 1")
    expect(page.locator("main")).to_contain_text("Largest drawdown")  # the page reloads itself
    expect(page.locator("main")).to_contain_text("Buying and holding ETH/USD")
    expect(page.locator('[data-chart="equity"] canvas').first).to_be_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "backtest.png", full_page=True)

    page.set_viewport_size({"width": 390, "height": 900})
    for path in ("/backtests/1/", "/backtests/", "/backtests/new/"):
        page.goto(f"{site.address}{path}")
        page.screenshot(
            path=SCREENSHOTS / f"backtests{path.replace('/', '-')}390.png", full_page=True
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert site.complaints == []
