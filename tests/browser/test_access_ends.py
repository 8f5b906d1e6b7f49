"""Access ends while a page is open: the page says so and moves no more; and what is refused says why."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, Membership, User
from tenants.roles import Role
from tenants.scoping import tenant_scope
from tests import factories
from tests.apps.step_up import SECRET as TOTP_SECRET
from tests.apps.step_up import give_second_factor
from tests.browser.conftest import Site
from tests.factories import NOW, EngineRows
from tests.vault.conftest import KEY, OTHER_KEY, OTHER_SECRET, SECRET
from tests.vault.venue import open_venue
from trading.stream.access import SECONDS_BETWEEN_CHECKS
from trading.wiring.key_checks import check_due_keys

pytestmark = pytest.mark.browser
SOON_MS = 3000 * SECONDS_BETWEEN_CHECKS


@pytest.fixture
def acme(site: Site) -> EngineRows:
    """Olga's workspace, in which Tom trades."""
    olga, tom = (factories.make_user(f"{name}@example.com") for name in ("olga", "tom"))
    tenant = factories.make_tenant("acme", owner=olga)
    with tenant_scope(tenant.id):
        tenant_operations.add_member(
            tenant_id=tenant.id, user=tom, role=Role.TRADER, actor=olga, now=NOW
        )
    return factories.make_engine(
        "acme", factories.make_instrument(), venue="synthetic", tenant=tenant
    )


def watching(site: Site, browser: Browser) -> Page:
    """Tom's page, connected."""
    page = site.page(browser)
    site.sign_in(page, "tom@example.com")
    expect(page.locator("#socket")).to_have_text("connected")
    return page


def test_a_page_says_when_its_readers_role_changed_and_when_the_workspace_is_left(
    site: Site, browser: Browser, acme: EngineRows
) -> None:
    page = watching(site, browser)
    socket = page.locator("#socket")

    with tenant_scope(acme.tenant_id):
        Membership.objects.filter(user__email="tom@example.com").update(role=Role.VIEWER)
    expect(socket).to_have_text("your role changed – reload the page", timeout=SOON_MS)
    page.reload()
    expect(page.get_by_role("button", name="Pause entries")).to_have_count(0)
    expect(socket).to_have_text("connected")

    with tenant_scope(acme.tenant_id):
        Membership.objects.filter(user__email="tom@example.com").delete()
    expect(socket).to_have_text("workspace left – reload the page", timeout=SOON_MS)


def test_signing_out_in_another_tab_ends_the_stream_of_this_one(
    site: Site, browser: Browser, acme: EngineRows
) -> None:
    page = watching(site, browser)

    other = page.context.new_page()
    other.goto(f"{site.address}/accounts/logout/")
    other.locator("main form button[type=submit]").click()

    expect(page.locator("#socket")).to_have_text("signed out", timeout=SOON_MS)
    page.reload()
    expect(page.locator("input[name=login]")).to_be_visible()


def test_a_bad_key_is_refused_in_one_sentence_each_time(
    site: Site, browser: Browser, acme: EngineRows, settings
) -> None:
    with tenant_scope(acme.tenant_id):
        ExchangeAccount.objects.update(venue="kraken")
    page = site.page(browser)
    site.sign_in(page, "olga@example.com")
    give_second_factor(User.objects.get(email="olga@example.com"))

    page.goto(f"{site.address}/exchange-accounts/{acme.account_id}/key/")
    page.fill("input[name=code]", code_now())
    page.locator("form:has(input[name=code]) button[type=submit]").first.click()
    page.fill("[name=key]", KEY)
    page.fill("[name=secret]", "not base64!")
    page.locator("form:has([name=key]) button[type=submit]").click()
    expect(page.locator("main .alert-danger, main .invalid-feedback")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("base64")
    assert KEY not in page.content().replace(f'value="{KEY}"', "")

    page.fill("[name=key]", KEY)
    page.fill("[name=secret]", SECRET)
    page.locator("form:has([name=key]) button[type=submit]").click()
    expect(page.locator("#accounts")).to_contain_text("being checked")
    with open_venue(key=OTHER_KEY, secret=OTHER_SECRET) as (simulator, _):
        settings.KRAKEN_URLS = (simulator.address, "", "")
        with ThreadPoolExecutor(1) as beside:  # Playwright's loop runs in this thread
            assert beside.submit(checked).result(30) == 1

    expect(page.locator("#accounts")).to_contain_text("Kraken does not accept the key")
    assert SECRET not in page.content()
    assert site.complaints == []


def checked() -> int:
    """As the fleet's process does it."""
    try:
        return check_due_keys()
    finally:
        connections.close_all()


def code_now() -> str:
    """What the authenticator app shows."""
    return str(totp.format_hotp_value(totp.hotp_value(TOTP_SECRET, int(time.time()) // 30)))
