"""The pages of a second factor: whole, quiet, within the screen, and usable by all."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from playwright.sync_api import Browser

from tests import factories
from tests.apps.step_up import give_second_factor
from tests.browser.conftest import SCREENSHOTS, Site
from tests.browser.test_every_page import LOOKS, WATCH_SHIFTS, looked_at

pytestmark = pytest.mark.browser

PASSWORD_AGAIN = "/accounts/reauthenticate/"
WITHOUT = ("/accounts/2fa/webauthn/add/", "/accounts/2fa/totp/activate/")
CONFIRM, AT_SIGN_IN = "/accounts/2fa/reauthenticate/", "/accounts/2fa/authenticate/"
WITH = (
    "/accounts/2fa/",
    "/accounts/2fa/totp/deactivate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/",
)


def test_the_pages_of_a_second_factor_are_whole_in_every_look(site: Site, browser: Browser) -> None:
    olga = factories.make_user("olga@acme.example")
    factories.make_tenant("acme", owner=olga)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    grave: list[str] = []
    for width, theme in LOOKS:
        Authenticator.objects.filter(user=olga).delete()
        page = site.page(browser, width=width, theme=theme)
        page.add_init_script(WATCH_SHIFTS)

        def look(*addresses: str, of=page, width=width, theme=theme) -> None:
            for one in addresses:
                grave.extend(looked_at(of, site, one.strip("/"), one, width, theme))

        def give(name: str, value: str, of=page) -> None:
            of.fill(f"input[name={name}]", value)
            of.locator(f"form:has(input[name={name}]) button[type=submit]").first.click()
            of.wait_for_url(lambda url: "reauthenticate" not in url)

        site.sign_in(page, olga.email)
        look(PASSWORD_AGAIN)
        give("password", factories.PASSWORD)
        look(*WITHOUT)
        behind = page.locator("img.qr").evaluate("(el) => getComputedStyle(el).backgroundColor")
        assert behind == "rgb(255, 255, 255)", "apps read black on white"
        give_second_factor(olga)
        code, *_ = RecoveryCodes.activate(olga).get_unused_codes()
        look(CONFIRM)
        give("code", code)
        look(*WITH)
        page.context.clear_cookies()
        page.goto(f"{site.address}/accounts/login/")
        page.fill("input[name=login]", olga.email)
        give("password", factories.PASSWORD)
        page.wait_for_url(f"**{AT_SIGN_IN}**")
        look(AT_SIGN_IN)

    assert grave == [], "\n".join(grave)
    assert site.complaints == []
