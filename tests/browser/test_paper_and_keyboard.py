"""Pages printed, and pages used without a mouse."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading import rows
from tests.browser.conftest import SCREENSHOTS, Site
from trading.models import EngineCommand

pytestmark = pytest.mark.browser
PAGES = ("/", "/history/fills/", "/decisions/", "/execution/", "/bots/", "/status/")
MOST_STOPS = 60  # of the Tab key, on one page
WHITE = "rgb(255, 255, 255)"
# Where the focus is, and whether an eye can find it.
FOCUS = """() => {
  const el = document.activeElement, style = getComputedStyle(el), box = el.getBoundingClientRect();
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return {
    name: (el.getAttribute("aria-label") || el.textContent || el.name || el.tagName).trim().slice(0, 40),
    isBody: el === document.body,
    isMarked: ring || style.boxShadow !== "none",
    isSeen: box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0,
  };
}"""


@pytest.fixture
def reader(site: Site, browser: Browser) -> Page:
    """Olga at her desk, in the dark."""
    engine = factories.make_engine("acme", factories.make_instrument(), venue="synthetic")
    rows.write_decision(engine)
    rows.write_fill(engine)
    page = site.page(browser, theme="dark")
    site.sign_in(page, "olga@acme.example")
    return page


def test_a_page_on_paper_is_ink_whole_and_without_buttons(reader: Page, site: Site) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for path in PAGES:
        reader.goto(f"{site.address}{path}")
        reader.evaluate("dispatchEvent(new Event('beforeprint'))")
        reader.emulate_media(media="print")

        assert reader.evaluate("getComputedStyle(document.body).backgroundColor") == WHITE, path
        assert reader.locator("aside, footer, .btn").filter(visible=True).count() == 0, path
        assert reader.evaluate(
            "[...document.querySelectorAll('.table-responsive, .table-scroll')]"
            ".every((el) => getComputedStyle(el).overflowX === 'visible')"
        ), path
        expect(reader.locator("main h1")).to_be_visible()
        name = path.strip("/").replace("/", "-") or "dashboard"
        reader.pdf(path=SCREENSHOTS / f"paper-{name}.pdf", format="A4")
        reader.screenshot(path=SCREENSHOTS / f"paper-{name}.png", full_page=True)

        reader.emulate_media(media="screen")
        reader.evaluate("dispatchEvent(new Event('afterprint'))")
        assert reader.locator("html").get_attribute("data-bs-theme") == "dark"
    assert site.complaints == []


def test_every_stop_of_the_tab_key_can_be_seen(reader: Page, site: Site) -> None:
    reader.emulate_media(reduced_motion="reduce")
    for path in PAGES:
        reader.goto(f"{site.address}{path}")
        reader.keyboard.press("Tab")
        first = reader.evaluate(FOCUS)
        assert (first["name"], first["isSeen"]) == ("Skip to the content", True), path

        found = stops(reader)
        assert [one for one in found if not (one["isMarked"] and one["isSeen"])] == [], path
        assert len(found) > 15, path


def stops(page: Page) -> list[dict[str, Any]]:
    """Where the Tab key leads, until it leaves the page."""
    found = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["isBody"]:
            break
        found.append(focus)
    return found


def test_what_lifts_a_hold_is_the_first_stop_of_the_page_on_a_phone(
    site: Site, browser: Browser
) -> None:
    engine = factories.make_engine("acme", factories.make_instrument(), venue="synthetic")
    rows.write_hold(engine)
    page = site.page(browser, width=390, theme="dark")
    site.sign_in(page, "olga@acme.example")
    expect(page.locator("#holds")).to_contain_text("Paused by Olga")

    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    focus = page.evaluate(FOCUS)
    page.keyboard.press("Enter")

    assert (focus["name"], focus["isMarked"], focus["isSeen"]) == ("Resume", True, True)
    expect(page.locator("#notice-answer")).to_contain_text("Resuming entries")
    with tenant_scope(engine.tenant_id):
        assert list(EngineCommand.objects.values_list("kind", flat=True)) == ["RESUME"]
    assert site.complaints == []


def test_the_skip_link_leads_past_the_menu(reader: Page, site: Site) -> None:
    reader.goto(f"{site.address}/history/fills/")

    reader.keyboard.press("Tab")
    reader.keyboard.press("Enter")
    reader.keyboard.press("Tab")

    assert reader.evaluate("document.querySelector('main').contains(document.activeElement)")
