"""What the report draws: bounded, in order, finite, and there for the smallest runs."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backtest.samples import run_of, walk_run
from tests.core.samples import walk
from trading.backtest import report_candles, report_data
from trading.backtest.report import Run


def ascending(times: list[float]) -> bool:
    return bool((np.diff(times) > 0).all())


def test_a_long_run_is_thinned_to_what_a_page_can_hold() -> None:
    told = report_data.build(walk_run())

    candles = [len(one["candles"]) for one in (*told["markets"], *told["trades"])]
    assert len(told["equity"]["time"]) <= 2_000
    assert sum(candles) <= 3_000
    assert len(json.dumps(told, allow_nan=False)) < 400_000


def test_times_ascend_and_rows_are_equally_long() -> None:
    told = report_data.build(walk_run())

    assert ascending(told["equity"]["time"])
    assert len({len(column) for column in told["equity"].values()}) == 1
    assert ascending([point[0] for point in told["rolling_wins"]])
    for one in told["trades"]:
        assert ascending([candle[0] for candle in one["candles"]])
        assert ascending([stop[0] for stop in one["stops"]])


def test_the_thinned_equity_keeps_its_extremes() -> None:
    run = walk_run()

    told = report_data.build(run)["equity"]

    equity = run.result.decisions["equity"]
    peaks = np.maximum(np.maximum.accumulate(equity), run.cash)
    assert max(told["equity"]) == round(equity.max(), 2)
    assert min(told["equity"]) == round(equity.min(), 2)
    assert min(told["drawdown"]) == pytest.approx((equity / peaks - 1).min(), abs=1e-5)


def test_marks_and_stops_of_a_trade_lie_on_its_candles() -> None:
    for one in report_data.build(walk_run())["trades"]:
        times = {candle[0] for candle in one["candles"]}

        assert one["entry"][0] in times
        assert {exit_[0] for exit_ in one["exits"]} <= times
        assert {stop[0] for stop in one["stops"]} <= times


def test_each_chosen_trade_is_shown_once_and_the_best_comes_first() -> None:
    run = walk_run()

    chosen = report_candles.choose(run.trips)

    assert len({id(trip) for _, trip in chosen}) == len(chosen) == 12
    assert chosen[0] == ("best", max(run.trips, key=lambda trip: trip.profit))


def small(trades: int) -> Run:
    """The shortest run of the walk with so many closed trades."""
    bars = walk(3, 2_000)
    return next(run for n in range(3, 2_000, 5) if len((run := run_of(bars[:n])).trips) == trades)


@pytest.mark.parametrize("trades", [0, 1])
def test_the_smallest_runs_have_everything_to_draw_or_nothing(trades: int) -> None:
    told = report_data.build(small(trades))

    assert len(told["trades"]) == trades
    assert told["bands"]["day"] == told["rolling_sharpe"] == told["days"]["counts"] == []
    assert told["markets"][0]["candles"]
    json.dumps(told, allow_nan=False)


def test_three_bars_are_enough() -> None:
    told = report_data.build(run_of(walk(3, 3)))

    assert len(told["equity"]["time"]) == len(told["markets"][0]["candles"]) == 3


@given(st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 1e5), max_size=300))
def test_a_histogram_counts_every_value_and_splits_at_zero(values: list[float]) -> None:
    told = report_data.histogram(np.array(values))

    if told["counts"]:
        assert sum(told["counts"]) == len(values)
        assert ascending(told["edges"])
        assert len(told["edges"]) == len(told["counts"]) + 1
        assert min(abs(edge) for edge in told["edges"]) < 1e-9
    else:
        assert len(values) < 5 or min(values) == max(values)


@given(st.integers(1, 3_000), st.integers(5, 200))
def test_candles_aggregated_hold_the_same_range(count: int, most: int) -> None:
    bars = walk(1, count)

    seconds, candles = report_candles.aggregate(bars, most, 8)

    rows = np.array(candles)
    assert len(rows) <= max(most, 1)
    assert seconds >= 60 or count == 1
    assert rows[:, 2].max() == round(bars["high"].max(), 8)
    assert rows[:, 3].min() == round(bars["low"].min(), 8)
    assert (rows[0, 1], rows[-1, 4]) == (round(bars["open"][0], 8), round(bars["close"][-1], 8))
