"""A customer's view: the page moves, pause stops entries, nobody else sees it, nothing complains."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tenants import operations as tenant_operations
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tests import factories
from tests.browser.conftest import SCREENSHOTS, Site
from tests.factories import NOW, EngineRows
from tests.faults.processes import wait_for
from trading.core.codes import Purpose, Reason
from trading.models import Decision, EngineCommand, OrderIntent

pytestmark = pytest.mark.browser
FIFTY_BARS_PER_SECOND = "3000"
StartEngine = Callable[..., Any]


@pytest.fixture
def acme(site: Site) -> EngineRows:
    """Olga's engine on the synthetic market; Vera may look, Max has a workspace of his own."""
    olga, vera, stranger = (
        factories.make_user(f"{name}@example.com") for name in ("olga", "vera", "max")
    )
    tenant = factories.make_tenant("acme", owner=olga)
    factories.make_tenant("other", owner=stranger)
    with tenant_scope(tenant.id):
        tenant_operations.add_member(
            tenant_id=tenant.id, user=vera, role=Role.VIEWER, actor=olga, now=NOW
        )
    return factories.make_engine(
        "acme", factories.make_instrument(), venue="synthetic", tenant=tenant
    )


def count(rows: EngineRows, model: Any, **conditions: Any) -> int:
    with tenant_scope(rows.tenant_id):
        return model.objects.filter(**conditions).count()


def entries(rows: EngineRows) -> int:
    return count(rows, OrderIntent, purpose=Purpose.ENTRY)


def live(page: Page, name: str) -> str:
    return page.locator(f'[data-live="{name}"]').inner_text()


def open_live_page(site: Site, browser: Browser, email: str, **look: Any) -> Page:
    page = site.page(browser, **look)
    site.sign_in(page, email)
    expect(page.locator("#socket")).to_have_text("live")
    return page


def test_the_page_moves_and_pause_stops_entries_until_resume(
    site: Site, browser: Browser, acme: EngineRows, start_engine: StartEngine
) -> None:
    start_engine("acme", speed=FIFTY_BARS_PER_SECOND)
    wait_for(lambda: count(acme, Decision) > 0, "the engine's first decision")
    page = open_live_page(site, browser, "olga@example.com")

    first = live(page, "market-time")
    wait_for(lambda: live(page, "market-time") > first, "market time to move on the page")
    assert page.locator("#chart canvas").count() > 0
    wait_for(lambda: entries(acme) > 0, "an entry before the pause", seconds=120)

    page.get_by_role("button", name="Pause entries").click()
    expect(page.locator("#holds")).to_contain_text("Entries on hold")
    wait_for(
        lambda: count(acme, EngineCommand, kind="PAUSE", finished_at__isnull=False) == 1,
        "the engine to finish the command",
    )
    before = entries(acme)
    wait_for(
        lambda: count(acme, Decision, reason=Reason.HELD) > 0,
        "a setup that only the hold refused",
        seconds=180,
    )
    assert entries(acme) == before
    expect(page.locator("#decisions")).to_contain_text("Entries are on hold.")

    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#holds")).not_to_contain_text("Entries on hold")
    wait_for(lambda: entries(acme) > before, "an entry after the resume", seconds=180)
    assert site.complaints == []


def test_max_sees_nothing_of_it_and_vera_has_no_buttons(
    site: Site, browser: Browser, acme: EngineRows, start_engine: StartEngine
) -> None:
    start_engine("acme", speed=FIFTY_BARS_PER_SECOND)
    wait_for(lambda: count(acme, Decision) > 0, "the engine's first decision")

    stranger, vera = site.page(browser), open_live_page(site, browser, "vera@example.com")
    site.sign_in(stranger, "max@example.com")
    refused = stranger.request.get(f"{site.address}/engines/{acme.engine_id}/")
    heard = stranger.evaluate(
        """() => new Promise((done) => {
            const texts = [];
            const socket = new WebSocket(`ws://${location.host}/ws/live`);
            socket.onmessage = (event) => texts.push(event.data);
            setTimeout(() => done({ texts, open: socket.readyState === WebSocket.OPEN }), 2000);
        })"""
    )

    expect(stranger.locator("main")).to_contain_text("First steps")
    assert refused.status == 404
    assert heard == {"texts": [], "open": True}
    expect(vera.locator('[data-live="market-time"]')).not_to_have_text("–")
    assert vera.get_by_role("button", name="Pause entries").count() == 0
    assert site.complaints == []


def test_a_page_whose_engine_falls_silent_says_so_and_recovers(
    site: Site, browser: Browser, acme: EngineRows, start_engine: StartEngine
) -> None:
    engine = start_engine("acme", speed=FIFTY_BARS_PER_SECOND)
    wait_for(lambda: count(acme, Decision) > 0, "the engine's first decision")
    page = open_live_page(site, browser, "olga@example.com")

    expect(page.locator('[data-live="rate"]')).to_have_text(
        re.compile(r"^\d+(\.\d)? bars a second$")
    )
    engine.kill()
    expect(page.locator("#socket")).to_contain_text("stale")

    start_engine("acme", speed=FIFTY_BARS_PER_SECOND)
    expect(page.locator("#socket")).to_have_text("live")


def test_close_all_asks_first_and_closes_the_position(
    site: Site, browser: Browser, acme: EngineRows, start_engine: StartEngine
) -> None:
    start_engine("acme", speed=FIFTY_BARS_PER_SECOND)
    wait_for(lambda: count(acme, Decision) > 0, "the engine's first decision")
    page = open_live_page(site, browser, "olga@example.com")
    expect(page.locator('[data-live="position-side"]')).to_have_text("LONG", timeout=180_000)

    asking, opener = page.get_by_role("dialog"), page.get_by_role("button", name="Close all").first
    opener.click()
    expect(asking).to_contain_text("Every open position is closed at the next price")
    page.keyboard.press("Enter")  # the word has the focus, and it is not there
    expect(asking).to_be_visible()
    page.keyboard.press("Escape")
    expect(asking).to_be_hidden()
    expect(opener).to_be_focused()
    dismissed = count(acme, EngineCommand)
    opener.click()
    asking.get_by_label("To go on, type close all").fill("close all")
    asking.get_by_role("button", name="Close all").click()
    expect(asking).to_be_hidden()

    expect(page.locator('[data-live="position-side"]')).to_have_text("FLAT")
    expect(page.locator("#holds")).to_contain_text("Entries on hold")
    assert dismissed == 0


def test_it_fits_the_screen_in_both_themes(
    site: Site, browser: Browser, acme: EngineRows, start_engine: StartEngine
) -> None:
    start_engine("acme", speed=FIFTY_BARS_PER_SECOND)
    wait_for(lambda: entries(acme) > 2, "a few entries", seconds=180)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    for width, theme in product((1440, 390), ("light", "dark")):
        page = open_live_page(site, browser, "olga@example.com", width=width, theme=theme)
        expect(page.locator('[data-live="equity"]')).not_to_have_text("–")
        page.wait_for_timeout(1500)
        page.screenshot(path=SCREENSHOTS / f"dashboard-{width}-{theme}.png", full_page=True)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        page.context.close()
    assert site.complaints == []


def test_the_empty_workspace_fits_the_screen(site: Site, browser: Browser) -> None:
    factories.make_tenant("empty", owner=factories.make_user("nina@example.com"))
    page = site.page(browser, width=390, theme="dark")

    site.sign_in(page, "nina@example.com")

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "empty-390-dark.png", full_page=True)
    expect(page.locator("main")).to_contain_text("First steps")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert site.complaints == []
