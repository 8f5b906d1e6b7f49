"""A workspace with several engines: all of them at a glance, and moving."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests import factories
from tests.apps.trading import rows
from tests.browser.conftest import SCREENSHOTS, Site
from tests.factories import EngineRows
from tests.faults.processes import wait_for

pytestmark = pytest.mark.browser
LOOKS = ((1440, "light"), (1440, "dark"), (390, "light"), (390, "dark"))


@pytest.fixture
def two(site: Site) -> tuple[EngineRows, EngineRows]:
    """Olga's two engines: one will run on the synthetic market, one is on hold and never started."""
    tenant = factories.make_tenant("acme", owner=factories.make_user("olga@example.com"))
    bitcoin, ether = (
        factories.make_instrument("bitfinex", pair) for pair in ("BTC/USD", "ETH/USD")
    )
    runs = factories.make_engine("acme", bitcoin, venue="synthetic", tenant=tenant, label="Quick")
    waits = factories.make_engine("acme", ether, tenant=tenant, label="Patient")
    rows.write_hold(waits, reason="paused by Olga")
    return runs, waits


def test_all_engines_move_on_one_page_which_leads_to_each(
    site: Site,
    browser: Browser,
    two: tuple[EngineRows, EngineRows],
    start_engine: Callable[..., Any],
) -> None:
    runs, _ = two
    start_engine("acme", speed="3000")
    page = site.page(browser)
    site.sign_in(page, "olga@example.com")
    row = page.locator(f'[data-engine="{runs.engine_id}"]')

    expect(page.locator("#socket")).to_have_text("live", timeout=90_000)
    expect(page.locator('[data-total="USD"] [data-live="equity"]')).not_to_have_text("20,000.00")
    expect(page.locator("#positions tr")).to_have_count(1, timeout=120_000)
    before = row.locator('[data-live="market-time"]').inner_text()
    wait_for(
        lambda: row.locator('[data-live="market-time"]').inner_text() > before, "the row to move"
    )
    expect(page.locator("#thoughts tr").nth(5)).to_be_visible()
    expect(page.locator("main")).to_contain_text("Patient. Paused by Olga. Resume lifts it.")
    for width, theme in LOOKS:
        look = site.page(browser, width=width, theme=theme)
        site.sign_in(look, "olga@example.com")
        expect(look.locator("#socket")).to_have_text("live")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        look.screenshot(path=SCREENSHOTS / f"overview-{width}-{theme}.png", full_page=True)
        assert look.evaluate("document.documentElement.scrollWidth") <= width

    page.get_by_role("link", name="Patient").first.click()
    expect(page.locator("h1")).to_have_text("Patient")
    page.locator("ol.breadcrumb").get_by_role("link", name="Dashboard").click()
    expect(page.locator("h1")).to_have_text("Dashboard")
    assert site.complaints == []
