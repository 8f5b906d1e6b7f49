"""An owner makes a key on the page; a program uses it by the published schema; the docs page tries it."""

import time
from itertools import product
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests import factories
from tests.browser.conftest import SCREENSHOTS, Site
from tests.browser.usable import grave_findings
from tests.faults.processes import worker_of_research
from tests.research.conftest import fill
from trading.marketdata.store import BarStore

pytestmark = pytest.mark.browser


def test_a_key_is_made_used_and_revoked(site: Site, browser: Browser, settings) -> None:
    fill(BarStore(settings.BARS_DIR))
    factories.make_tenant("acme", owner=factories.make_user("olga@example.com"))
    page = site.page(browser)
    site.sign_in(page, "olga@example.com", "/keys/")
    expect(page.locator("main")).to_contain_text("No key yet")
    page.fill("input[name=label]", "Research")
    page.select_option("select[name=scope]", "trade")
    page.get_by_role("button", name="Make the key").click()
    key = page.locator("#new-key").inner_text()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "keys.png", full_page=True)

    with (
        worker_of_research(site.environment),
        httpx.Client(base_url=site.address, headers={"X-API-Key": key}) as program,
    ):
        run = backtest(program)
    assert run["status"] == "DONE"
    assert program_report_is_whole(site, key, run["run"])

    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{site.address}/keys/")
    page.screenshot(path=SCREENSHOTS / "keys-390.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Revoke Research").click()
    page.get_by_role("dialog").get_by_label("To go on, type revoke").fill("revoke")
    page.get_by_role("dialog").get_by_role("button", name="Revoke the key").click()
    expect(page.locator("main")).to_contain_text("revoked")
    refused = httpx.get(f"{site.address}/api/v1/status", headers={"X-API-Key": key})
    assert refused.status_code == 401
    assert site.complaints == []


def backtest(program: httpx.Client) -> dict[str, Any]:
    asked = {"pairs": ["BTC/USD"], "timeframe": "5m", "profile": "active"}
    answer = program.post("/api/v1/backtest/run", json=asked, headers={"Idempotency-Key": "1"})
    assert answer.status_code == 202, answer.text
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        run: dict[str, Any] = program.get(answer.headers["Location"]).json()
        if run["status"] not in ("QUEUED", "RUNNING"):
            return run
        time.sleep(0.2)
    raise AssertionError(f"not done within a minute: {run}")


def program_report_is_whole(site: Site, key: str, number: int) -> bool:
    address = f"{site.address}/api/v1/backtest/runs/{number}/report.html"
    report = httpx.get(address, headers={"X-API-Key": key})
    return report.status_code == 200 and "BTC/USD" in report.text


def test_the_docs_page_shows_every_route_and_tries_one(site: Site, browser: Browser) -> None:
    factories.make_tenant("acme", owner=factories.make_user("olga@example.com"))
    page = site.page(browser)
    site.sign_in(page, "olga@example.com", "/api/v1/docs")

    chapters = page.locator(".opblock-tag")
    schema = httpx.get(f"{site.address}/api/v1/schema", params={"format": "json"}).json()
    routes = [route for path in schema["paths"].values() for route in path.values()]
    expect(chapters).to_have_count(len({tag for one in routes for tag in one.get("tags", [])}))
    page.get_by_placeholder("Filter by tag").fill("health")
    chapters.first.click()
    health = page.locator(".opblock").filter(has_text="/api/v1/health")
    health.locator(".opblock-summary-control").click()
    health.get_by_role("button", name="Try it out").click()
    health.get_by_role("button", name="Execute").click()
    expect(health.locator(".live-responses-table")).to_contain_text('"status": "ok"')
    grave = []
    for width, theme in product((1440, 390), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.dataset.bsTheme") != theme:
            page.get_by_role("button", name="Switch between dark and light").click()
        page.screenshot(path=SCREENSHOTS / f"api-docs-{width}-{theme}.png", full_page=True)
        grave += [f"{width} {theme}: {one}" for one in grave_findings(page)]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert grave == [], "\n".join(grave)
    assert site.complaints == []
