"""A newcomer's way: sign-up, a paper account, a bot, an engine, a first decision; wide and narrow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site, sign_up
from tests.browser.test_portal import looked_at
from tests.faults.processes import ended_afterwards
from tests.forking import Program

pytestmark = pytest.mark.browser
SIZES = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]


@pytest.fixture
def fleet(site: Site, tmp_path: Path) -> Iterator[None]:
    """What starts engines that pages only ask for."""
    places = {**site.environment, "NOVA_TAPE_DIR": str(tmp_path / "tapes")}
    process = Program("manage.py", "run_fleet", environment=places)
    with ended_afterwards(process):
        yield


def shoot(page: Page, name: str) -> None:
    """In every size and theme."""
    for width, theme in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
        looked_at(page, f"first-{name}", width, theme)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_newcomer_comes_to_a_first_decision(site: Site, browser: Browser, fleet: None) -> None:
    page = site.page(browser)
    sign_up(site, page, "newcomer@people.example", workspace="Newcomer Trading")
    expect(page.locator("#first-steps")).to_contain_text("An exchange account")
    shoot(page, "welcome")

    page.get_by_role("link", name="Practise on the synthetic market").click()
    expect(page.get_by_label("Venue", exact=True)).to_have_value("synthetic")
    page.get_by_label("Name", exact=True).fill("Practice")
    page.get_by_label("Pace", exact=True).select_option("600")
    shoot(page, "account")
    page.get_by_role("button", name="Add the account").click()

    expect(page.locator("h1")).to_have_text("New bot on Practice")
    page.get_by_role("link", name="Dashboard", exact=True).click()
    expect(page.get_by_text("No bars yet")).to_be_visible()
    page.get_by_role("link", name="Make a bot").click()
    page.get_by_label("Name", exact=True).fill("First bot")
    page.get_by_label("BTC/USD", exact=True).check()
    page.get_by_label("Profile").select_option("active")
    shoot(page, "bot")
    page.get_by_role("button", name="Make the bot").click()

    expect(page.locator("#first-steps li.is-done")).to_have_count(2)
    shoot(page, "engine")
    page.locator("#first-steps").get_by_role("button", name="Start the engine").click()
    expect(page.get_by_role("button", name="Stop the engine")).to_be_visible()
    expect(page.locator("#decisions .decision").first).to_be_visible(timeout=120_000)
    shoot(page, "decision")

    page.goto(f"{site.address}/exchange-accounts/")
    shoot(page, "accounts")
    page.get_by_role("link", name="Settings of Practice").click()
    shoot(page, "settings")
    page.get_by_role("button", name="Disable the account").click()
    asking = page.get_by_role("dialog")
    asking.get_by_label("To go on, type disable").fill("disable")
    asking.get_by_role("button", name="Disable").click()
    expect(page.locator("main")).to_contain_text("stop its engine first")
    page.goto(f"{site.address}/bots/")
    expect(page.locator("main")).to_contain_text("First bot")
    assert site.complaints == []
