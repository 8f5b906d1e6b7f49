"""Buy and hold, and random entries against a slow walk through every try."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backtest.samples import walk_run
from tests.core.samples import walk
from trading.backtest import baselines
from trading.core.config.money import CostParams
from trading.core.records import BAR

COSTS = CostParams(taker_fee_bps=80.0, half_spread_bps=10.0, slippage_bps=10.0)
FREE = CostParams(taker_fee_bps=0.0, half_spread_bps=0.0, slippage_bps=0.0)


def test_buy_and_hold_pays_the_same_costs_once() -> None:
    bars = np.zeros(3, BAR)
    bars["open"], bars["close"] = [100, 110, 90], [110, 88, 121]

    told = baselines.buy_and_hold(bars, COSTS)

    assert told["return"] == pytest.approx(121 / 101 - 1)
    assert told["max_drawdown"] == pytest.approx(1 - 88 / 110)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(0, 30), st.integers(0, 99))
def test_places_never_overlap_and_hold_each_trade_once(held, free, seed) -> None:
    lengths = np.array(held, np.int32)
    bars = int(lengths.sum()) + free

    order, entries = baselines.place(lengths, bars, 20, np.random.default_rng(seed))

    ends = entries + lengths[order]
    assert (np.sort(order, axis=1) == np.arange(len(held))).all()
    assert (entries[:, 0] >= 0).all()
    assert (entries[:, 1:] >= ends[:, :-1]).all()
    assert (ends <= bars).all()


def test_trades_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="hold 6 bars, there are only 5"):
        baselines.place(np.array([3, 3]), 5, 1, np.random.default_rng(0))


def test_random_tries_equal_a_slow_walk_through_each_of_them() -> None:
    run = walk_run()
    told = baselines.random_entries(
        trips=run.trips, series=run.series, costs=COSTS, seed=5, draws=7
    )

    trades = baselines._trades(list(run.trips), run.series[0])
    order, entries = baselines.place(trades.held, len(run.series[0]), 7, np.random.default_rng(5))
    for k in range(7):
        equity, nets = 1.0, []
        for number, at in zip(order[k], entries[k], strict=True):
            side, until = trades.sides[number], at + trades.held[number]
            entry = trades.opens[at] * (1 + side * 0.0020)
            exit_ = trades.opens[until] * (1 - side * 0.0020)
            quantity = 1 / entry
            nets.append(side * (exit_ - entry) * quantity - 0.0080 * (entry + exit_) * quantity)
            equity *= 1 + trades.shares[number] * nets[-1]
        assert told.returns[k] == pytest.approx(equity - 1)
        assert told.expectancies[k] == pytest.approx(np.mean(nets))


def test_the_runs_own_trades_compound_to_its_own_return() -> None:
    run = walk_run()

    told = baselines.random_entries(trips=run.trips, series=run.series, costs=run.costs, seed=1)

    if run.result.markets["position"]["quantity_lots"][0] == 0:
        earned = float(run.result.account[0]["equity"]) / run.cash - 1
        assert told.observed[0] == pytest.approx(earned, rel=1e-6)
    again = baselines.random_entries(trips=run.trips, series=run.series, costs=run.costs, seed=1)
    assert (told.returns == again.returns).all()


def test_random_entries_at_no_cost_earn_nothing_on_a_price_that_stands_still() -> None:
    run = walk_run()
    still = run.series[0].copy()
    for field in ("open", "high", "low", "close"):
        still[field] = 100.0

    told = baselines.random_entries(trips=run.trips, series=[still], costs=FREE, seed=1)

    assert np.abs(told.returns).max() == 0


def test_without_trades_there_are_no_tries() -> None:
    told = baselines.random_entries(trips=[], series=[walk(1, 3)], costs=COSTS, seed=1)

    assert (told.trades, len(told.returns)) == (0, 0)


def test_a_thousand_tries_of_two_thousand_trades_are_quick() -> None:
    held = np.random.default_rng(1).integers(1, 100, 2_000).astype(np.int32)
    opens = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0, 0.001, 500_001)))
    trades = baselines._Trades(opens, held, np.ones(2_000), np.full(2_000, 0.1))

    began = time.perf_counter()
    baselines._draw(trades, COSTS, 1_000, np.random.default_rng(3))

    assert time.perf_counter() - began < 3  # 0.3 s on an idle machine
