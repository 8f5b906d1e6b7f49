"""An invitation as people live it: the form, the letter, signing up by its link, the dashboard."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories
from tests.browser.conftest import Site
from tests.browser.test_notifications import looked_at

pytestmark = pytest.mark.browser
SIZES = [(1440, "light"), (390, "dark")]
NEW = "newcomer@people.example"


def shoot(page: Page, name: str) -> None:
    """Wide and narrow, light and dark; nothing sticks out, and everybody can use it."""
    page.emulate_media(reduced_motion="reduce")  # no colour is looked at on its way to another
    for width, theme in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        looked_at(page, f"invitation-{name}", width, theme)
    page.set_viewport_size({"width": 1440, "height": 900})


def letters_link(site: Site, page: Page) -> str:
    """From the mailbox of this machine."""
    page.goto(f"{site.address}/mailbox/")
    letter = page.locator(".letter", has_text="the workspace Acme").first.inner_text()
    found = re.search(rf"{re.escape(site.address)}/invitation/[\w-]+/", letter)
    assert found, letter
    return found[0]


def test_somebody_invited_signs_up_by_the_link_and_sees_the_dashboard_as_viewer(
    site: Site, browser: Browser
) -> None:
    factories.make_tenant("acme")
    olga = site.page(browser)
    site.sign_in(olga, "olga@acme.example", "/team/")
    olga.get_by_label("E-mail address").fill(NEW)
    olga.get_by_role("button", name="Send the letter", exact=True).click()
    expect(olga.get_by_role("button", name=f"Revoke the invitation of {NEW}")).to_be_visible()
    expect(olga.locator("main")).not_to_contain_text("did not take it")
    shoot(olga, "team")

    page = site.page(browser)
    page.goto(letters_link(site, page))
    page.wait_for_url("**/invitation/")
    expect(page.locator("h1")).to_have_text("Acme invites you as viewer")
    shoot(page, "offered")
    page.get_by_role("link", name=f"Sign up as {NEW}").click()
    expect(page.locator("input[name=email]")).to_have_value(NEW)
    page.fill("input[name=password1]", factories.PASSWORD)
    page.fill("input[name=password2]", factories.PASSWORD)
    page.click("form:has([name=password2]) button[type=submit]")
    page.wait_for_url("**/invitation/")
    shoot(page, "theirs")
    page.get_by_role("button", name="Accept and join").click()

    page.wait_for_url(f"{site.address}/")
    expect(page.locator("aside")).to_contain_text("Acme")
    expect(page.locator("main")).to_contain_text("You are in Acme now, as viewer.")
    page.goto(f"{site.address}/team/")
    expect(page.locator("main")).to_contain_text("Viewer")
    expect(page.get_by_role("button", name="Send the letter")).to_have_count(0)
    olga.reload()
    expect(olga.get_by_role("button", name="Remove")).to_have_count(2)
    assert site.complaints == []
