"""What the simulated venue does to orders, case by case, and what finer bars add to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.play import CHASES, EAGER, LIMITS, WHOLE
from tests.core.samples import MINUTE_NS, market, walk
from trading.backtest import runner
from trading.core import fills, pipeline
from trading.core.codes import Liquidity, Purpose
from trading.core.config.money import CostParams
from trading.core.config.pipeline import PipelineParams
from trading.core.records import BAR, FILL, INTENT, MAX_FILLS
from trading.marketdata.timeframes import NS, resample

FREE = CostParams(
    taker_fee_bps=0, maker_fee_bps=0, half_spread_bps=0, slippage_bps=0, impact_bps=0, latency_ms=0
)


class Book:
    """One market's simulated book, told orders and bars by hand."""

    def __init__(self, **costs: float) -> None:
        params = PipelineParams(costs=replace(FREE, **costs))
        self.params, self.sims = pipeline.new_params(params), fills.new_sims(1)
        self.markets, self.found = market(), np.zeros(MAX_FILLS, FILL)

    def order(self, purpose: Purpose, side: int, lots: int, ticks: int = 0, until: int = 0) -> None:
        intents = np.zeros(1, INTENT)
        intents[0] = (1, 0, purpose, side, lots, ticks, 0, 0, until)
        fills.accept(self.sims, 0, intents, 0)

    def bar(self, minute: int, open_: float, high: float, low: float, volume: float = 1.0) -> list:
        """Fills of one bar as (lots, price in ticks, liquidity, final)."""
        bars, told = np.zeros(1, BAR), []
        bars[0] = (minute * MINUTE_NS, open_, high, low, open_, volume)
        for match in (fills.match_open, fills.match_range):
            count = match(self.sims, 0, self.markets, self.params, bars, 0, self.found)
            told += [
                (
                    int(f["quantity_lots"]),
                    int(f["price_ticks"]),
                    int(f["liquidity"]),
                    int(f["final"]),
                )
                for f in self.found[:count]
            ]
        return told


TAKER, MAKER = int(Liquidity.TAKER), int(Liquidity.MAKER)


@pytest.mark.parametrize(
    ("costs", "side", "ticks"),
    [
        ({}, 1, 10_000),
        ({"half_spread_bps": 5.0, "slippage_bps": 5.0}, 1, 10_010),
        ({"half_spread_bps": 5.0, "slippage_bps": 5.0}, -1, 9_990),
        ({"latency_ms": 6_000.0}, 1, 10_020),  # a tenth of the minute, of a way of 2 up
        ({"latency_ms": 6_000.0}, -1, 9_960),  # and of 4 down
        ({"latency_ms": 60_000.0}, 1, 10_200),
        ({"impact_bps": 100.0}, 1, 10_010),  # 1 % of the volume: a tenth of 100 bps
    ],
)
def test_a_market_order_pays_for_spread_latency_and_size(
    costs: dict[str, float], side: int, ticks: int
) -> None:
    book = Book(**costs)
    book.order(Purpose.EXIT, side, 100)

    assert book.bar(1, 100.0, 102.0, 96.0, volume=1.0) == [(100, ticks, TAKER, 1)]


def test_an_order_in_a_bar_without_volume_counts_as_all_of_it() -> None:
    book = Book(impact_bps=100.0)
    book.order(Purpose.EXIT, 1, 100)

    assert book.bar(1, 100.0, 100.0, 100.0, volume=0.0) == [(100, 10_100, TAKER, 1)]


def test_a_limit_fills_only_where_the_price_goes_through_it_and_pays_the_makers_fee() -> None:
    book = Book(maker_fee_bps=10.0, taker_fee_bps=50.0, half_spread_bps=9.0, fill_share=1.0)
    book.order(Purpose.ENTRY, 1, 100, ticks=9_900)

    assert book.bar(1, 100.0, 101.0, 99.0) == []  # touched is not traded
    assert book.bar(2, 100.0, 101.0, 98.99) == [(100, 9_900, MAKER, 1)]
    assert book.found[0]["fee_units"] == round(99.0 * 0.01 * 0.001 * 1e8)


def test_a_limit_gets_its_share_of_the_volume_and_ends_with_its_time() -> None:
    book = Book(fill_share=0.1)
    book.order(Purpose.ENTRY, -1, 250, ticks=10_100, until=4 * MINUTE_NS)

    assert book.bar(1, 100.0, 102.0, 99.0, volume=0.1) == [(100, 10_100, MAKER, 0)]
    assert book.bar(2, 100.0, 102.0, 99.0, volume=0.0005) == []  # less than a lot
    assert book.bar(3, 100.0, 102.0, 99.0, volume=0.1) == [(100, 10_100, MAKER, 0)]
    assert book.bar(4, 100.0, 102.0, 99.0, volume=0.1) == [(0, 0, MAKER, 1)]
    assert book.bar(5, 100.0, 102.0, 99.0, volume=9.0) == []


def test_of_a_stop_and_a_limit_in_one_bar_the_stop_comes_first() -> None:
    book = Book(fill_share=1.0)
    book.order(Purpose.PROTECT, -1, 100, ticks=9_800)
    book.order(Purpose.ENTRY, 1, 100, ticks=9_900)

    assert book.bar(1, 100.0, 101.0, 97.0) == [(100, 9_800, TAKER, 1)]


def fine_and_coarse(seed: int, minutes: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    fine = walk(seed, minutes)
    fine["open_ns"] += 4 * MINUTE_NS
    parts = resample(iter([fine]), from_seconds=60, to_seconds=300, known_from_ns=0)
    return fine, np.concatenate(list(parts))


def run(coarse: np.ndarray, fine: np.ndarray | None, params: PipelineParams) -> runner.Result:
    markets = market()
    markets["instrument"]["timeframe_ns"] = 300 * NS
    finer = [fine] if fine is not None else ()
    return runner.run(series=[coarse], markets=markets, params=[params], cash=10_000.0, finer=finer)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), params=st.sampled_from([EAGER, WHOLE, LIMITS, CHASES]))
def test_the_bar_itself_as_its_only_finer_bar_changes_no_byte(
    seed: int, params: PipelineParams
) -> None:
    _, coarse = fine_and_coarse(seed)

    plain, told = run(coarse, None, params), run(coarse, coarse, params)

    assert plain.decisions.tobytes() == told.decisions.tobytes()
    assert plain.fills.tobytes() == told.fills.tobytes()


def test_finer_bars_tell_when_a_stop_was_touched() -> None:
    fine, coarse = fine_and_coarse(3)

    stops = [
        fill["time_ns"]
        for fill in run(coarse, fine, EAGER).fills
        if fill["purpose"] == Purpose.PROTECT
    ]

    assert any(time % (300 * NS) for time in stops)
    assert set(stops) <= set(fine["open_ns"].tolist())
