"""A real Chromium in front of real daphne, database, Redis and engine."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tenants.models import User
from tests import factories
from tests.database import FreshDatabase
from tests.faults.processes import ROOT, SHORT_LEASE, ended_afterwards
from tests.forking import Program
from tests.pages import served
from tests.run_all import BROWSERS

SCREENSHOTS = ROOT / "var" / "test" / "screenshots"
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here; as root on Debian: apt-get install chromium")
    # Playwright keeps a loop running in this thread, which Django takes for an async view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=45_000)
    as_root = ("--no-sandbox",) if os.getuid() == 0 else ()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=[*QUIET, *as_root])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass
class Site:
    """Pages and sockets of one test on a port of their own."""

    address: str
    environment: dict[str, str]
    complaints: list[str] = field(default_factory=list)

    def page(self, browser: Browser, *, width: int = 1440, theme: str = "light") -> Page:
        """A new browser whose every complaint is kept."""
        context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
        )
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self._heard("error", str(error)))
        page.on("requestfailed", lambda request: self._request_failed(request.url))
        return page

    def sign_in(self, page: Page, email: str, path: str = "/") -> None:
        """Open a page in a session that the server's own code has begun."""
        client = Client()
        client.force_login(User.objects.get(email=email))
        (session,) = client.cookies.values()
        page.context.add_cookies(
            [{"name": session.key, "value": session.value, "url": self.address}]
        )
        page.goto(f"{self.address}{path}")

    def sign_in_by_form(self, page: Page, email: str) -> None:
        """As a person does, half a second of the password's hash and two more pages."""
        page.goto(f"{self.address}/")
        page.fill("input[name=login]", email)
        page.fill("input[name=password]", factories.PASSWORD)
        page.click("form:has(input[name=password]) button[type=submit]")
        page.wait_for_url(f"{self.address}/")

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _request_failed(self, url: str) -> None:
        if not url.startswith(self.address):
            self.complaints.append(f"asked a foreign address: {url}")


@pytest.fixture
def site(
    browser: Browser, fresh_database: FreshDatabase, settings, tmp_path: Path
) -> Iterator[Site]:
    """daphne, answering."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    settings.BARS_DIR = tmp_path / "bars"
    environment = {
        **fresh_database.environment,
        **SHORT_LEASE,
        "NOVA_BARS_DIR": str(settings.BARS_DIR),
        "NOVA_ENV": "development",
    }
    with served(environment, log=tmp_path / "daphne.log") as address:
        yield Site(address, environment)
    for context in browser.contexts:
        context.close()


def sign_up(
    site: Site,
    page: Page,
    email: str,
    *,
    workspace: str,
    shoot: Callable[[Page, str], None] = lambda page, name: None,
) -> None:
    """As a newcomer does, with the code from the mailbox."""
    page.goto(f"{site.address}/accounts/signup/")
    page.fill("input[name=email]", email)
    page.fill("input[name=password1]", factories.PASSWORD)
    page.fill("input[name=password2]", factories.PASSWORD)
    shoot(page, "sign-up")
    page.click("form:has([name=password2]) button[type=submit]")
    expect(page.locator("input[name=code]")).to_be_visible()
    shoot(page, "confirm")
    with page.context.expect_page() as opened:
        page.click("text=mailbox on this machine")
    mailbox = opened.value
    letter = mailbox.locator(".letter", has_text=re.compile("code", re.I)).first.inner_text()
    shoot(mailbox, "mailbox")
    mailbox.close()
    code = re.search(r"^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", letter, re.M)
    assert code, letter
    page.fill("input[name=code]", code[1])
    page.click("form:has([name=code]) button[type=submit]")
    page.wait_for_url("**/welcome/")
    page.fill("input[name=name]", workspace)
    shoot(page, "welcome")
    page.click("form:has([name=name]) button[type=submit]")


@pytest.fixture
def start_engine(site: Site) -> Iterator[Callable[..., Program]]:
    """Run engines until the test ends."""
    started: list[Program] = []

    def start(slug: str, *, venue: str = "synthetic", speed: str) -> Program:
        command = ("manage.py", "run_engine", "--tenant", slug, "--exchange", venue)
        process = Program(*command, "--speed", speed, environment=site.environment)
        started.append(process)
        return process

    try:
        yield start
    finally:
        with ended_afterwards(*started):
            pass
