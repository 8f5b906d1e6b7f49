"""Every page, wide and narrow, light and dark: whole, quiet, within the screen, and usable by all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.urls import URLPattern
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tenants.models import User
from tenants.scoping import tenant_scope
from tenants.urls import urlpatterns as tenant_pages
from tests import factories
from tests.apps.step_up import give_second_factor
from tests.browser.conftest import SCREENSHOTS, Site
from tests.browser.usable import grave_findings
from tests.engine.fakes import random_bars
from tests.faults.processes import ended_afterwards, run_engine
from tests.research.conftest import base
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES
from trading.marketdata.store import BarStore
from trading.models import BacktestRun, Bot, Decision
from trading.operations import backtests
from trading.queries.bars import open_store
from trading.research.requests import BACKTEST, ResearchRequest
from trading.urls import urlpatterns as trading_pages
from trading.wiring.research import work_on

pytestmark = pytest.mark.browser

# As a page is loaded and examined by axe; in the other theme it is looked at after a switch.
LOOKS = ((1440, "light"), (390, "dark"))
OTHER_THEME = {"light": "dark", "dark": "light"}
# What moved under the reader's eyes while the page came to rest; 0.1 is what people begin to notice.
MOST_SHIFT = 0.05
WATCH_SHIFTS = """
    window.shifted = [];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
        if (!entry.hadRecentInput) window.shifted.push([entry.value, entry.sources.map((source) =>
            source.node?.outerHTML?.slice(0, 120) ?? source.node?.textContent ?? "")]);
    })).observe({ type: "layout-shift", buffered: true });
"""
STILL_LOADS = "[data-state=loading] > #chart"
SWITCH_THEME = "document.querySelector('[data-theme-switch]').click()"
PLACEHOLDERS = ("lorem ipsum", "todo", "none none", "{{", "{%", "undefined", "nan")
# What is not a page: answers to buttons, files, data of charts, and what the frame asks for.
NOT_PAGES = frozenset(
    {
        "account_protection", "account_tier", "acknowledge", "add_webhook", "archive_run", "audit_file", "cancel_run",
        "change_member", "chart", "check_key", "command", "decision_chart", "disable_account",
        "disable_key", "disable_webhook", "enable_account", "enable_webhook", "health", "history_file", "mark_pair", "plots", "put_in_force", "read_all",
        "open_invitation", "notices", "read_notification", "remove_webhook", "renew_invitation", "test_channels", "unread_count", "revert_bot",
        "revoke_invitation", "revoke_key", "rotate_webhook", "run_progress", "run_report",
        "run_result", "switch_workspace", "unmark_pair", "wish", "withdraw_revision",
    }
)  # fmt: skip
OTHERS = (
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/logout/",
)
BEFORE_SIGN_IN = ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")


@dataclass(frozen=True)
class Installation:
    """A workspace in which everything has happened once."""

    site: Site
    addresses: Mapping[str, str]
    codes: list[str]  # of the owner's second factor, without which some pages are not shown


def pages() -> Iterator[URLPattern]:
    """Every named route that shows a page."""
    for pattern in (*tenant_pages, *trading_pages):
        if pattern.name not in NOT_PAGES:
            yield pattern


def addresses(values: Mapping[str, Any]) -> dict[str, str]:
    """The address of each page; a page whose parts are not known here fails."""
    found = {}
    for pattern in pages():
        parts = {name: values[f"{pattern.name}.{name}"] if f"{pattern.name}.{name}" in values
                 else values[name] for name in pattern.pattern.converters}  # fmt: skip
        found[pattern.name] = "/" + reverse_of(pattern, parts)
    return found


def reverse_of(pattern: URLPattern, parts: Mapping[str, Any]) -> str:
    """The pattern with its parts filled in."""
    address = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = {"UUIDConverter": "uuid", "IntConverter": "int", "SlugConverter": "slug"}
        address = address.replace(f"<{kind[type(converter).__name__]}:{name}>", str(parts[name]))
    return address


@pytest.fixture
def installation(site: Site, settings, tmp_path) -> Installation:
    """An engine has replayed a day, two backtests have run."""
    settings.DATA_DIR = tmp_path
    series = factories.store_bars(
        random_bars(1, 2000),
        store=BarStore(settings.BARS_DIR),
        venue="bitfinex",
        symbol="BTC/USD",
    )
    rows = factories.make_engine("acme", series.instrument)
    with ended_afterwards(engine := run_engine(rows, site.environment)):
        assert engine.wait(120) == 0
    run, other = (finished_run(rows.tenant_id, PROFILES[one]) for one in ("active", "balanced"))
    with tenant_scope(rows.tenant_id):
        values = {
            "engine_id": rows.engine_id,
            "decision_id": Decision.objects.latest("id").id,
            "bot_id": Bot.objects.get().id,
            "account_id": rows.account_id,
            "number": run.number,
            "market": 0,
            "what": "fills",
        }
    found = addresses(values)
    found["compare_runs"] += f"?run={run.number}&run={other.number}"
    olga = User.objects.get(email="olga@acme.example")
    give_second_factor(olga)
    return Installation(site, found, RecoveryCodes.activate(olga).get_unused_codes())


def finished_run(tenant_id: UUID, params: PipelineParams) -> BacktestRun:
    """A backtest, made as the worker makes it."""
    request = ResearchRequest(BACKTEST, base(params=params))
    with tenant_scope(tenant_id):
        run = backtests.request_run(
            tenant_id=tenant_id, request=request, actor=None, now=timezone.now()
        )
    while work_on(
        tenant_id=tenant_id, run_id=run.id, worker="w", store=open_store(), clock=timezone.now
    ):
        pass
    return run


def test_every_page_is_whole_in_every_look(installation: Installation, browser: Browser) -> None:
    site, grave = installation.site, []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for width, theme in LOOKS:
        page = site.page(browser, width=width, theme=theme)
        page.add_init_script(WATCH_SHIFTS)
        for address in BEFORE_SIGN_IN:
            grave += looked_at(page, site, address.strip("/"), address, width, theme)
        site.sign_in(page, "olga@acme.example", "/accounts/2fa/reauthenticate/")
        page.fill("input[name=code]", installation.codes.pop())
        page.locator("form:has(input[name=code]) button[type=submit]").first.click()
        page.wait_for_url(lambda url: "reauthenticate" not in url)
        own = {one.strip("/"): one for one in OTHERS}
        for name, address in {**installation.addresses, **own}.items():
            grave += looked_at(page, site, name, address, width, theme)
        page.context.close()

    assert grave == [], "\n".join(grave)
    assert site.complaints == []


def looked_at(page: Page, site: Site, name: str, address: str, width: int, theme: str) -> list[str]:
    """Keep a picture of either theme; what is wrong for people who see, hear or move differently."""
    answer = page.goto(f"{site.address}{address}")
    assert answer is not None
    assert (answer.status, page.url) == (200, f"{site.address}{address}")
    page.wait_for_load_state("load")
    expect(page.locator(STILL_LOADS)).to_have_count(0)
    assert_still(page, address, width)
    assert_whole(page, name, address, width, theme)
    found = grave_findings(page)
    page.evaluate(SWITCH_THEME)
    assert_whole(page, name, address, width, OTHER_THEME[theme])
    page.evaluate(SWITCH_THEME)
    return [f"{address} {width} {theme}: {one}" for one in found]


def assert_still(page: Page, address: str, width: int) -> None:
    """Nothing moved while the page came to rest: two frames later all that was going to had."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    shifts = page.evaluate("window.shifted")
    assert sum(value for value, _ in shifts) < MOST_SHIFT, (address, width, shifts)


def assert_whole(page: Page, name: str, address: str, width: int, theme: str) -> None:
    assert page.evaluate("document.documentElement.dataset.bsTheme") == theme, address
    picture = f"page-{name.replace('/', '-')}-{width}-{theme}.png"
    page.screenshot(path=SCREENSHOTS / picture, full_page=True)
    words = page.locator("body").inner_text().lower().split()
    text = " ".join(words)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
    for placeholder in PLACEHOLDERS:
        assert placeholder not in (text if " " in placeholder else words), (address, placeholder)
