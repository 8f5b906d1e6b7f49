"""The portal as people see it: menu, decisions, bots; wide and narrow, light and dark."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories
from tests.apps.trading import rows
from tests.browser.conftest import SCREENSHOTS, Site
from tests.factories import NOW, EngineRows
from trading.core.codes import Reason, Stage
from trading.models import Decision

pytestmark = pytest.mark.browser
LOOKS = [(1440, "light"), (1440, "dark"), (360, "light"), (360, "dark")]


def looked_at(page: Page, name: str, width: int, theme: str) -> None:
    """Keep a picture; nothing may stick out to the side."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{theme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def write_rows() -> tuple[EngineRows, Decision]:
    engine = factories.make_engine("acme", factories.make_instrument(), venue="synthetic")
    midnight = NOW.replace(hour=0)
    for minute in range(1, 8):
        reason = Reason.NO_VOTE if minute % 3 else Reason.HELD
        at = midnight + timedelta(minutes=minute)
        rows.write_decision(engine, at=at, stage=Stage.VOTES, reason=reason)
    rows.write_hold(engine)
    return engine, rows.write_decision(engine, at=midnight)


def test_a_person_finds_out_why_it_did_not_trade(site: Site, browser: Browser) -> None:
    _, decision = write_rows()
    for width, theme in LOOKS:
        page = site.page(browser, width=width, theme=theme)
        site.sign_in(page, "olga@acme.example")
        looked_at(page, "portal-dashboard", width, theme)
        if width < 992:
            page.get_by_role("button", name="Menu", exact=True).click()
            expect(page.get_by_role("link", name="Decisions", exact=True)).to_be_visible()
            looked_at(page, "portal-menu", width, theme)
        page.get_by_role("link", name="Decisions", exact=True).press("Enter")
        expect(page.locator("tbody tr")).to_have_count(8)
        looked_at(page, "portal-decisions", width, theme)
        page.get_by_label("Stage").select_option("confluence")
        page.get_by_role("button", name="Filter").click()
        page.get_by_role("link", name="The votes were too weak.").click()
        expect(page).to_have_url(f"{site.address}/decisions/{decision.id}/")
        expect(page.locator("#change")).to_contain_text("0.198 more")
        expect(page.locator("#chart canvas").first).to_be_visible()
        looked_at(page, "portal-decision", width, theme)
        page.context.close()
    assert site.complaints == []


def test_a_person_tightens_a_bot_and_sees_what_changed(site: Site, browser: Browser) -> None:
    factories.make_engine("acme", factories.make_instrument(), venue="synthetic")
    for number, (width, theme) in enumerate(LOOKS, start=1):
        page = site.page(browser, width=width, theme=theme)
        site.sign_in(page, "olga@acme.example", "/bots/")
        looked_at(page, "portal-bots", width, theme)
        page.get_by_role("link", name="Bot", exact=True).click()
        page.get_by_role("link", name="Change", exact=True).click()
        page.get_by_label("max_open_positions").fill(str(5 - number))
        looked_at(page, "portal-bot-edit", width, theme)
        page.get_by_role("button", name="Save as a new revision").click()
        expect(page.locator("#differences")).to_contain_text("risk.max_open_positions")
        expect(page.locator("h1")).to_contain_text(f"revision {number + 1}")
        looked_at(page, "portal-bot", width, theme)
        page.context.close()
    assert site.complaints == []
