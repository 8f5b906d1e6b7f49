"""What an engine did, read and taken home from the pages."""

import csv

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, expect

from tenants.scoping import tenant_scope
from tests import factories
from tests.browser.conftest import SCREENSHOTS, Site
from tests.engine.fakes import random_bars
from tests.faults.processes import ended_afterwards, run_engine
from trading.marketdata.store import BarStore
from trading.models import Fill
from trading.queries.history import TABLES

pytestmark = pytest.mark.browser


def test_history_and_audit_log_are_shown_and_downloaded(
    site: Site, browser: Browser, settings, tmp_path
) -> None:
    settings.DATA_DIR = tmp_path
    bars = random_bars(1, 2000)
    series = factories.store_bars(
        bars, store=BarStore(settings.BARS_DIR), venue="bitfinex", symbol="BTC/USD"
    )
    rows = factories.make_engine("acme", series.instrument)
    with ended_afterwards(engine := run_engine(rows, site.environment)):
        assert engine.wait(120) == 0
    call_command("verify_audit")
    with tenant_scope(rows.tenant_id):
        fills = Fill.objects.count()
    page = site.page(browser)
    site.sign_in(page, "olga@acme.example")

    page.get_by_role("navigation", name="Pages").get_by_role("link", name="History").click()
    expect(page.locator("main")).to_contain_text("Profit and loss, fees included")
    expect(page.locator("main tbody").nth(1).locator("tr").first).to_contain_text("BTC/USD")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "history.png", full_page=True)
    for name in TABLES:
        page.goto(f"{site.address}/history/{name}/")
        table = page.locator(".table-tall")
        assert table.evaluate("(el) => el.scrollWidth - el.clientWidth") <= 0, name
    spare = page.get_by_role("columnheader", name="Venue trade id")
    expect(spare).to_be_hidden()
    page.locator(".all-columns").last.click()
    expect(spare).to_be_visible()
    page.locator(".nav-tabs").get_by_role("link", name="Fills").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download fills as CSV").click()
    with started.value.path().open(newline="") as file:
        assert len(list(csv.DictReader(file))) == fills > 4

    page.goto(f"{site.address}/audit/")
    expect(page.locator("main")).to_contain_text("whole")
    expect(page.locator("main")).to_contain_text("engine.desire")
    page.screenshot(path=SCREENSHOTS / "audit.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 900})
    for path in ("/history/", "/history/orders/", "/audit/"):
        page.goto(f"{site.address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.screenshot(path=SCREENSHOTS / "audit-390.png", full_page=True)
    assert site.complaints == []
