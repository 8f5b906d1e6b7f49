"""Prices between bars: what pages are told a market and a position are worth, and when not to believe it."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.fakes import ENGINE_ID, ManualClock, MemorySink, random_bars, spec
from trading.core.config.pipeline import PipelineParams
from trading.engine.live import Identity, LiveView
from trading.engine.messages import BarClosed
from trading.engine.quotes import ORDER_SECONDS, STALE_SECONDS, Quote, Quotes
from trading.engine.state import CoreState

PRICES = st.floats(0.01, 1e6)
TOLD = Quote(last=100.0, bid=101.0, ask=103.0, change=0.05, volume=7.0)


@dataclass
class Pages:
    """What one engine with a position of 2 BTC tells the pages."""

    clock: ManualClock = field(default_factory=ManualClock)
    sink: MemorySink = field(default_factory=MemorySink)

    def __post_init__(self) -> None:
        self.quotes = Quotes(seconds=self.clock.monotonic)
        self.core = CoreState(engine_id=ENGINE_ID, specs=[spec()], params=[PipelineParams()])
        self.core.fund(1000.0)
        position = self.core.markets[0]["position"]
        position["quantity_lots"], position["entry_price"] = 20_000, 100.0
        position["stop_ticks"], position["target"] = 900, 120.0
        identity = Identity(engine_id=ENGINE_ID, mode="PAPER", venue="simulator", currency="USD")
        self.view = LiveView(
            sink=self.sink, identity=identity, clock=self.clock, quotes=self.quotes
        )

    def beat(self, seconds: float = 0.0) -> dict[str, Any]:
        """All that was told after some time."""
        self.clock.seconds += seconds
        self.sink.latest.clear()
        self.view.beat(self.core)
        return {key.split(":")[0]: value for key, value in self.sink.latest.items()}

    def close_bar(self, close: float) -> None:
        self.core.markets[0]["last_close"] = close
        bar = BarClosed(0, int(random_bars(1, 1)["open_ns"][0]), 1.0, close, 1.0, close, 1.0)
        self.core.on_bar(bar, holds=0)
        self.view.bar(bar, self.core)


@pytest.fixture
def pages() -> Pages:
    return Pages()


def test_a_position_is_worth_what_lies_between_the_best_prices(pages: Pages) -> None:
    before = pages.core.markets.tobytes(), pages.core.account.tobytes()
    pages.quotes.tell(0, TOLD)

    told = pages.beat(1.5)

    price, position = told["price"], told["position"]
    assert (price["price"], price["source"], price["is_stale"]) == ("102.0", "middle", False)
    assert (price["bid"], price["ask"]) == ("101.0", "103.0")
    assert (price["change"], price["volume"], price["wall_ms"]) == (0.05, 7.0, 0)
    assert (position["last_price"], position["unrealized"]) == ("102.0", "4.00")
    assert position["to_stop"] == pytest.approx(90 / 102 - 1, abs=1e-6)
    assert position["to_target"] == pytest.approx(120 / 102 - 1, abs=1e-6)
    assert before == (pages.core.markets.tobytes(), pages.core.account.tobytes())


def test_what_did_not_move_is_not_told_again(pages: Pages) -> None:
    pages.quotes.tell(0, TOLD)
    first, second = pages.beat(), pages.beat()

    assert "price" in first
    assert "price" not in second


def test_a_trade_outside_the_best_prices_takes_their_place(pages: Pages) -> None:
    pages.quotes.tell(0, TOLD)
    pages.quotes.trade(0, 102.5)
    inside = pages.beat(ORDER_SECONDS / 2)["price"]
    pages.quotes.trade(0, 99.5)  # of before the best prices, by another channel
    overtaken = pages.beat(ORDER_SECONDS)["price"]
    pages.quotes.trade(0, 103.5)
    outside = pages.beat()["price"]

    assert (inside["price"], inside["source"]) == ("102.0", "middle")
    assert (overtaken["price"], overtaken["source"]) == ("102.0", "middle")
    assert (outside["price"], outside["source"], outside["bid"]) == ("103.5", "trade", "")
    assert outside["change"] == 0.05


def test_the_age_of_the_newest_price_is_that_of_any_market_whatever_the_stream_says(
    pages: Pages,
) -> None:
    before = pages.quotes.age_of_newest()
    pages.quotes.tell(0, TOLD)
    pages.clock.seconds += 5.0
    pages.quotes.tell(1, TOLD)
    pages.clock.seconds += 2.0
    pages.quotes.hear()

    assert before is None
    assert pages.quotes.age_of_newest() == 2.0


def test_a_lost_connection_is_told_at_once_and_silence_in_time(pages: Pages) -> None:
    pages.quotes.tell(0, TOLD)
    pages.beat()
    pages.quotes.lose()
    lost = pages.beat(0.1)["price"]
    pages.quotes.hear()
    still = pages.beat(0.1)
    pages.quotes.trade(0, 102.0)
    again = pages.beat(0.1)["price"]
    for _ in range(5):
        pages.quotes.hear()
        assert "price" not in pages.beat(STALE_SECONDS - 1)
    silent = pages.beat(STALE_SECONDS + 1)["price"]

    assert (lost["is_stale"], lost["price"]) == (True, "102.0")
    assert "price" not in still, "a connection that is there again has not told this market yet"
    assert (again["is_stale"], again["source"]) == (False, "trade")
    assert (silent["is_stale"], silent["price"]) == (True, "102.0")


def test_a_closed_bar_is_newer_than_a_stale_price_and_older_than_a_fresh_one(pages: Pages) -> None:
    pages.quotes.tell(0, TOLD)
    pages.close_bar(99.0)
    (fresh,) = [value for key, value in pages.sink.latest.items() if key.startswith("price")]
    pages.quotes.lose()
    pages.clock.seconds += 1.0
    pages.close_bar(98.0)
    (closed,) = [value for key, value in pages.sink.latest.items() if key.startswith("price")]

    assert (fresh["price"], fresh["source"]) == ("102.0", "middle")
    assert (closed["price"], closed["source"], closed["is_stale"]) == ("98.0", "close", False)
    assert closed["wall_ms"] == 1000


@given(told=st.lists(st.one_of(PRICES, st.tuples(PRICES, PRICES, PRICES)), min_size=1, max_size=30))
def test_the_price_never_lies_outside_what_was_told_last(told: list[Any]) -> None:
    clock = ManualClock()
    quotes = Quotes(seconds=clock.monotonic)
    for one in told:
        clock.seconds += ORDER_SECONDS + 1
        if isinstance(one, tuple):
            last, bid, ask = one
            quotes.tell(0, Quote(last=last, bid=bid, ask=ask))
        else:
            quotes.trade(0, one)
    found = quotes.find(0)

    assert found is not None
    if found.has_best:
        assert found.bid <= found.price <= found.ask
        assert isinstance(told[-1], tuple) or found.bid <= told[-1] <= found.ask
    else:
        assert found.price == (told[-1][0] if isinstance(told[-1], tuple) else told[-1])
