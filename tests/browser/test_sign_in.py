"""Signing up and second factors in a real Chromium, under the strict content policy."""

import base64
import hmac
import re
import struct
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories
from tests.browser.conftest import SCREENSHOTS, Site, sign_up

pytestmark = pytest.mark.browser

NEW = "newcomer@people.example"


@pytest.fixture
def near(site: Site) -> Iterator[Site]:
    """The site under the name passkeys are made for."""
    site.address = site.address.replace("127.0.0.1", "localhost")
    yield site
    assert site.complaints == []


def _shot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def _submit(page: Page, field: str) -> None:
    page.click(f"form:has([name={field}]) button[type=submit]")


def _confirm_password(page: Page) -> None:
    page.fill("input[name=password]", factories.PASSWORD)
    _submit(page, "password")


def _totp(secret: str) -> str:
    digest = hmac.digest(
        base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1"
    )
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def test_a_newcomer_signs_up_with_the_code_from_the_mailbox(browser: Browser, near: Site) -> None:
    page = near.page(browser)

    sign_up(near, page, NEW, workspace="Newcomer Trading", shoot=_shot)

    expect(page.locator("aside")).to_contain_text("Newcomer Trading")


def test_a_code_app_is_set_up_and_asked_for(browser: Browser, near: Site) -> None:
    factories.make_tenant("acme")
    page = near.page(browser)
    near.sign_in_by_form(page, "olga@acme.example")
    page.goto(f"{near.address}/accounts/2fa/")
    _shot(page, "factors")
    page.goto(f"{near.address}/accounts/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        _confirm_password(page)
    expect(page.locator("img[src^='data:image/svg']")).to_be_visible()
    _shot(page, "code-app")
    secret = page.locator("input[readonly], input[disabled]").first.input_value()
    page.fill("input[name=code]", _totp(secret))
    _submit(page, "code")
    page.wait_for_url("**/recovery-codes/**")
    _shot(page, "recovery-codes")

    again = near.page(browser)
    again.goto(f"{near.address}/")
    again.fill("input[name=login]", "olga@acme.example")
    _confirm_password(again)
    again.wait_for_url("**/2fa/authenticate/**")
    _shot(again, "second-factor")
    again.fill("input[name=code]", _totp(secret))
    again.locator("form:has(input[name=code]) button[type=submit]").first.click()
    again.wait_for_url(f"{near.address}/")


def test_a_passkey_is_made_and_signs_in_alone(browser: Browser, near: Site) -> None:
    factories.make_tenant("acme")
    page = near.page(browser)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    near.sign_in_by_form(page, "olga@acme.example")
    page.goto(f"{near.address}/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        _confirm_password(page)
    page.fill("input[name=name]", "Laptop")
    page.check("input[name=passwordless]")
    _shot(page, "passkey")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(re.compile(r"/accounts/2fa/(webauthn|recovery-codes)/(?!add)"))

    page.context.clear_cookies()
    page.goto(f"{near.address}/accounts/login/")
    _shot(page, "sign-in")
    page.click("#passkey_login")

    page.wait_for_url(f"{near.address}/")
    expect(page.locator("aside")).to_contain_text("Acme")
