"""What pages are made of, used as people do: by keyboard, without scripts, refused, on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tenants.models import Membership
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.trading import rows as engine_rows
from tests.browser.conftest import Site
from tests.factories import EngineRows
from tests.faults.processes import wait_for
from trading import operations
from trading.models import Decision, EngineCommand, Position

pytestmark = pytest.mark.browser


@pytest.fixture
def acme(site: Site) -> EngineRows:
    """Olga's engine, which nobody has started."""
    return factories.make_engine("acme", factories.make_instrument(), venue="synthetic")


def opened(site: Site, browser: Browser, path: str = "/", **look: Any) -> Page:
    page = site.page(browser, **look)
    site.sign_in(page, "olga@acme.example", path)
    return page


def commands(rows: EngineRows) -> int:
    with tenant_scope(rows.tenant_id):
        return EngineCommand.objects.count()


def test_a_question_is_answered_by_keyboard_and_leads_back(
    site: Site, browser: Browser, acme: EngineRows
) -> None:
    page = opened(site, browser)
    opener, asking = page.get_by_role("button", name="Kill").first, page.get_by_role("dialog")

    opener.press("Enter")
    expect(asking).to_contain_text("nothing is entered until an owner revives the engine")
    expect(asking.get_by_label("To go on, type kill")).to_be_focused()
    page.keyboard.press("Escape")
    expect(asking).to_be_hidden()
    expect(opener).to_be_focused()
    escaped = commands(acme)
    opener.press("Enter")
    page.keyboard.type("kill")
    page.keyboard.press("Enter")

    expect(page.locator("#answer")).to_contain_text("Killed")
    expect(asking).to_be_hidden()
    assert (escaped, commands(acme)) == (0, 1)
    assert site.complaints == []


def test_a_question_needs_no_script(site: Site, browser: Browser, acme: EngineRows) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    site.sign_in(page, "olga@acme.example")

    page.get_by_role("button", name="Close all").first.click()
    before = commands(acme)
    page.get_by_role("dialog").get_by_label("To go on").fill("close all")
    page.get_by_role("dialog").get_by_role("button", name="Close all").click()

    wait_for(lambda: commands(acme) == 1, "the command of a page without scripts")
    assert before == 0


def test_what_cannot_be_undone_wants_a_word_typed(
    site: Site, browser: Browser, acme: EngineRows
) -> None:
    with tenant_scope(acme.tenant_id):
        operations.stop_engine(engine_id=acme.engine_id, actor=None, now=factories.NOW)
    page = opened(site, browser, f"/exchange-accounts/{acme.account_id}/")
    asking = page.get_by_role("dialog")

    page.get_by_role("button", name="Disable the account").click()
    asking.get_by_label("To go on, type disable").fill("no")
    asking.get_by_role("button", name="Disable").click()
    expect(asking).to_be_visible()
    asking.get_by_label("To go on, type disable").fill("disable")
    asking.get_by_role("button", name="Disable").click()

    expect(page.locator("main .alert")).to_contain_text("is disabled")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("main .alert")).to_have_count(0)


def give_role(rows: EngineRows, role: Role) -> None:
    with tenant_scope(rows.tenant_id):
        Membership.objects.update(role=role)


def test_a_button_says_when_it_is_refused_or_gets_no_answer(
    site: Site, browser: Browser, acme: EngineRows
) -> None:
    page, command = opened(site, browser), "**/commands/pause/"
    answer, pause = page.locator("#answer"), page.get_by_role("button", name="Pause entries")

    give_role(acme, Role.VIEWER)
    pause.click()
    expect(answer).to_contain_text("Your role in this workspace does not cover this.")
    page.route(command, lambda route: route.fulfill(status=500, body="<h1>oh</h1>"))
    pause.click()
    expect(answer).to_contain_text("Something broke on the server")
    page.unroute(command)
    page.route(command, lambda route: route.abort())
    pause.click()
    expect(answer).to_contain_text("it is not known whether this was done")
    page.unroute(command)
    give_role(acme, Role.OWNER)
    pause.click()

    expect(answer).to_have_text("Pausing: no new entries. Exits and stops keep running.")
    assert commands(acme) == 1


def test_a_page_that_does_not_move_says_what_it_misses(
    site: Site, browser: Browser, acme: EngineRows, start_engine: Callable[..., Any]
) -> None:
    start_engine("acme", speed="3000")
    wait_for(lambda: decided(acme), "the engine's first decision")
    page = opened(site, browser, "/decisions/")
    deaf = site.page(browser)
    deaf.route_web_socket("**/ws/live", lambda socket: socket.close())
    site.sign_in(deaf, "olga@acme.example", "/decisions/")

    expect(page.locator(".as-of")).to_contain_text("UTC.")
    expect(page.get_by_text("Something newer has happened")).to_be_visible()
    page.get_by_role("link", name="show it").click()
    expect(deaf.get_by_text("No connection: what happens now is not noticed here.")).to_be_visible()


def decided(rows: EngineRows) -> bool:
    with tenant_scope(rows.tenant_id):
        return Decision.objects.exists()


@pytest.fixture
def traded(acme: EngineRows) -> EngineRows:
    """A trade that lost."""
    engine_rows.write_position(acme)
    with tenant_scope(acme.tenant_id):
        Position.objects.update(
            quantity=0, closed_at=factories.NOW, exit_price=1, realized_pnl=-1234, exit_reason=1
        )
    return acme


def test_a_phone_shows_what_was_earned_at_first_and_the_rest_when_asked(
    site: Site, browser: Browser, traded: EngineRows
) -> None:
    page = opened(site, browser, "/history/", width=390)
    earned = page.get_by_role("cell", name="−1,234.00").last
    quantity = page.get_by_role("columnheader", name="Quantity", exact=True)

    box = earned.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    expect(quantity).to_be_hidden()
    page.get_by_label("All columns").last.check()

    expect(quantity).to_be_visible()
    assert site.complaints == []


def test_a_chart_can_be_read_as_a_table_and_says_when_it_cannot_be_read(
    site: Site, browser: Browser, acme: EngineRows
) -> None:
    page = site.page(browser)
    page.route("**/chart/**", lambda route: route.abort())
    site.sign_in(page, "olga@acme.example")

    expect(page.get_by_text("This chart cannot be read now.").first).to_be_visible()
    page.unroute("**/chart/**")
    page.get_by_role("button", name="Try again").first.click()

    expect(page.get_by_text("No bars yet")).to_be_visible()
