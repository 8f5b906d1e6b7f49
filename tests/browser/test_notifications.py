"""Notifications as people see them: the bell, the inbox, settings; wide and narrow, light and dark."""

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tenants.models import Notice, User
from tenants.notifications.news import Audience, Kind, Severity
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.tenants.notices import some_news, tell_all
from tests.apps.trading import rows
from tests.browser.conftest import SCREENSHOTS, Site
from tests.browser.usable import grave_findings
from trading import operations
from trading.models import Alert

pytestmark = pytest.mark.browser
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]


def looked_at(page: Page, name: str, width: int, theme: str) -> None:
    """Keep a picture; nothing may stick out, and everybody can use it."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{theme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert grave_findings(page) == []


NO_POLLING = "window.setInterval = () => 0;"
QUICK_POLLING = (
    "const usual = setInterval; window.setInterval = (work, ms) => usual(work, ms / 20);"
)


def test_the_bell_polls_while_there_is_no_stream(site: Site, browser: Browser) -> None:
    engine = factories.make_engine("acme", factories.make_instrument(), venue="synthetic")
    page = site.page(browser)
    page.add_init_script(QUICK_POLLING)
    page.route_web_socket("**/ws/live", lambda socket: socket.close(code=1013))
    site.sign_in(page, "olga@acme.example")

    tell_all(engine.tenant_id, some_news())

    expect(page.locator("#bell")).to_have_accessible_name("Notifications, 1 unread")


def test_an_alert_rings_the_bell_is_read_and_acknowledged(site: Site, browser: Browser) -> None:
    engine = factories.make_engine("acme", factories.make_instrument(), venue="synthetic")
    page = site.page(browser)
    page.add_init_script(NO_POLLING)
    site.sign_in(page, "olga@acme.example")
    bell = page.locator("#bell")
    expect(bell).to_have_accessible_name("Notifications, 0 unread")

    alert = rows.write_alert(engine)
    with tenant_scope(engine.tenant_id):
        Alert.objects.filter(id=alert.id).update(raised_at=timezone.now())
        operations.tell_news(tenant_id=engine.tenant_id, now=timezone.now())

    expect(bell).to_have_accessible_name("Notifications, 1 unread")  # without a reload
    bell.click()
    expect(page.get_by_text("Kraken is silent")).to_be_visible()
    page.get_by_role("button", name="Mark as read: Paper: silence").click()
    expect(page.locator("#bell")).to_have_accessible_name("Notifications, 0 unread")
    page.get_by_role("button", name="Acknowledge: Paper: silence").click()
    expect(page.get_by_text("acknowledged by olga@acme.example")).to_be_visible()
    with tenant_scope(engine.tenant_id):
        assert Notice.objects.get().acknowledged_at is not None
    assert site.complaints == []


def test_the_inbox_and_its_settings_in_every_look(site: Site, browser: Browser) -> None:
    engine = factories.make_engine("acme", factories.make_instrument(), venue="synthetic")
    olga = User.objects.get(email="olga@acme.example")
    page = site.page(browser)
    site.sign_in_by_form(page, olga.email)
    page.goto(f"{site.address}/notifications/")
    expect(page.get_by_text("Nothing to tell yet")).to_be_visible()
    looked_at(page, "notifications-empty", 1440, "light")
    page.context.close()
    long = "The clock of this machine is 5.2 seconds off the venue's; entries are on hold. " * 3
    tell_all(
        engine.tenant_id,
        some_news(words=long),
        some_news(severity=Severity.WARNING, kind=Kind.HOLD, title="Paper: entries on hold: pause"),
        some_news(severity=Severity.INFO, kind=Kind.POSITION, title="Paper: long BTC/USD opened"),
        some_news(severity=Severity.WARNING, kind=Kind.SECURITY, audience=Audience.CONCERNED,
                  concerned_id=olga.pk, title="olga@acme.example is owner now", path="/team/"),
        now=timezone.now(),
    )  # fmt: skip
    for number, (width, theme) in enumerate(LOOKS, start=1):
        page = site.page(browser, width=width, theme=theme)
        site.sign_in_by_form(page, olga.email)
        page.locator("#bell").click()
        expect(page.locator(".inbox > li")).to_have_count(4 + number)  # each is a new browser
        looked_at(page, "notifications", width, theme)
        page.locator("#content").get_by_role("link", name="Settings").click()
        expect(page.get_by_label("Time zone")).to_have_value("UTC")
        looked_at(page, "notification-settings", width, theme)
        page.context.close()
    assert site.complaints == []


def test_an_owner_adds_a_webhook_and_tries_every_channel(site: Site, browser: Browser) -> None:
    factories.make_tenant("acme")
    page = site.page(browser, width=390, theme="dark")
    site.sign_in(page, "olga@acme.example", "/notifications/settings/")
    page.get_by_label("Address").fill("http://192.168.1.1/")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_text("accepted is https://host/path of a public host")).to_be_visible()
    page.get_by_label("Address").fill("https://nobody.invalid/hook")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.locator("#new-secret")).to_contain_text("nphook_")
    page.get_by_role("button", name="Send a test through each channel").click()
    expect(page.locator("#outcomes tbody tr")).to_have_count(3)
    expect(page.locator("#outcomes .refused")).to_have_count(1)
    looked_at(page, "notification-outcomes", 390, "dark")
    page.get_by_role("button", name="New secret for https://nobody.invalid/hook").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a new secret").click()
    expect(page.locator("#new-secret")).to_contain_text("nphook_")
    page.get_by_role("button", name="Disable https://nobody.invalid/hook").click()
    expect(page.get_by_text("disabled since")).to_be_visible()
    looked_at(page, "notification-webhooks", 390, "dark")
    page.get_by_role("button", name="Enable https://nobody.invalid/hook").click()
    expect(page.get_by_text("disabled since")).to_have_count(0)
    page.get_by_role("button", name="Remove https://nobody.invalid/hook").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the webhook").click()
    expect(page.get_by_text("is told nothing more")).to_be_visible()
    page.goto(f"{site.address}/notifications/settings/")
    expect(page.get_by_role("button", name="Remove https://nobody.invalid/hook")).to_have_count(0)
    assert site.complaints == []
