"""Pages move between bars: the price, its age, what a position is worth at it; stale is said."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, expect

from tests import factories
from tests.browser.conftest import Site
from tests.engine.fakes import MemorySink, spec
from tests.factories import EngineRows
from trading.core.config.pipeline import PipelineParams
from trading.engine.clock import SystemClock
from trading.engine.live import Identity, LiveView
from trading.engine.quotes import Quote, Quotes
from trading.engine.state import CoreState
from trading.stream.publisher import RedisPublisher

pytestmark = pytest.mark.browser


@pytest.fixture
def acme(site: Site) -> EngineRows:
    """Olga's engine; what it tells pages, the test tells."""
    return factories.make_engine("acme", factories.make_instrument(), venue="synthetic")


class Teller:
    """What pages are told by an engine that holds 2 BTC, without its decisions."""

    def __init__(self, rows: EngineRows, redis_url: str) -> None:
        self.quotes = Quotes(time.monotonic)
        self._url, self._rows = redis_url, rows
        self._core = CoreState(engine_id="0" * 32, specs=[spec()], params=[PipelineParams()])
        self._core.fund(1000.0)
        position = self._core.markets[0]["position"]
        position["quantity_lots"], position["entry_price"] = 20_000, 40_000.0
        position["stop_ticks"] = 390_000
        self._sink = MemorySink()
        identity = Identity(
            engine_id=str(rows.engine_id), mode="PAPER", venue="synthetic", currency="USD"
        )
        self._view = LiveView(
            sink=self._sink, identity=identity, clock=SystemClock(), quotes=self.quotes
        )
        self._threads = ThreadPoolExecutor(1)  # Playwright keeps a loop running in this one

    def tell(self) -> None:
        """What has changed."""
        self._sink.latest.clear()
        self._view.beat(self._core)
        self._threads.submit(asyncio.run, self._publish()).result()

    def live_until(self, condition: Callable[[], bool]) -> None:
        """Beats, until a page knows that the engine lives."""
        for _ in range(60):
            self.tell()
            if condition():
                return
            time.sleep(0.25)
        pytest.fail("the page does not take it that the engine lives")

    def close(self) -> None:
        self._threads.shutdown()

    async def _publish(self) -> None:
        publisher = RedisPublisher(url=self._url, tenant_id=str(self._rows.tenant_id))
        for key, value in self._sink.latest.items():
            publisher.publish(key, value)
        await publisher.close()


@pytest.fixture
def teller(acme: EngineRows, redis_url: str) -> Iterator[Teller]:
    made = Teller(acme, redis_url)
    yield made
    made.close()


def test_prices_and_positions_move_between_bars_and_say_when_they_are_stale(
    site: Site, browser: Browser, acme: EngineRows, teller: Teller
) -> None:
    page, chart = site.page(browser), site.page(browser)
    for one in (page, chart):
        site.sign_in(one, "olga@acme.example")
    chart.goto(f"{site.address}/engines/{acme.engine_id}/markets/0/")
    value = {name: page.locator(f'[data-live="{name}"]') for name in
             ("last-price", "last", "unrealized", "stop", "price-age", "quotes", "change")}  # fmt: skip

    for bid, told, worth, way in ((40_400.0, "40,450.0", "+900.00", "−3.58"),
                                  (39_900.0, "39,950.0", "−100.00", "−2.38")):  # fmt: skip
        teller.quotes.tell(0, Quote(last=1.0, bid=bid, ask=bid + 100, change=0.0123))
        teller.tell()
        expect(value["last-price"]).to_have_text(told)
        expect(value["last"]).to_have_text(told)
        expect(value["unrealized"]).to_have_text(worth)
        expect(value["stop"]).to_have_text(f"39,000 ({way} %)")
        expect(chart.locator("#price")).to_have_text(told)
    expect(value["quotes"]).to_have_text("39,900.0 / 40,000.0")
    expect(value["change"]).to_have_text("+1.23 % in 24 h")
    teller.live_until(lambda: "s ago" in value["price-age"].inner_text())
    expect(value["price-age"]).to_contain_text("between the best bid and ask, ")
    teller.quotes.lose()
    teller.tell()

    for age in (value["price-age"], chart.locator("#price-age")):
        expect(age).to_contain_text("stale: between the best bid and ask, ")
    expect(value["last-price"]).to_have_text("39,950.0")
    assert site.complaints == []
