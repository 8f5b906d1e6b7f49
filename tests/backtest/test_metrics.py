"""Every metric against an example worked out by hand, and what holds for all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backtest.samples import DAY, GRID, ROWS, result, walk_run
from trading.backtest import breakdowns, declared, equity, metrics, trips

profits = st.lists(st.integers(-(10**14), 10**14).map(lambda units: units / 1e8), max_size=60)


def test_every_declared_metric_is_measured_and_every_measured_one_declared() -> None:
    run = walk_run()

    measured = metrics.measure(run.result, run.trips, run.grids, cash=run.cash)

    assert list(measured) == [metric.name for metric in declared.METRICS]


def test_trade_metrics_are_those_of_the_two_trips() -> None:
    run = result([1000.0, 1009.5, 1002.5, 1002.5], ROWS, held=[1, 0, 1, 0])

    told = metrics.measure(run, trips.round_trips(run, [GRID]), [GRID], cash=1000.0)

    assert (told["trades"], told["win_rate"]) == (2, 0.5)
    assert told["profit_factor"] == pytest.approx(9.5 / 7)
    assert told["expectancy"] == pytest.approx(1.25)
    assert (told["average_win"], told["average_loss"]) == (9.5, -7)
    assert (told["best_trade"], told["worst_trade"]) == (9.5, -7)
    assert (told["longest_winning_streak"], told["longest_losing_streak"]) == (1, 1)
    assert told["average_hold_hours"] == pytest.approx(4.0)
    assert told["time_in_market"] == 0.5
    assert told["fees"] == pytest.approx(1.5)
    assert told["net_profit"] == pytest.approx(2.5)
    assert told["return"] == pytest.approx(0.0025)
    assert (told["sharpe"], told["cagr"], told["turnover"]) == (None, None, None)


def test_turnover_and_exposure_are_values_over_equity() -> None:
    run = result([1000.0] * 74, ROWS, held=[100] * 37 + [0] * 37)
    run.decisions["close"] = 200.0

    assert metrics.turnover(run, [GRID]) == pytest.approx((100 + 110 + 100 + 104 + 198) / 1000 * 5)
    assert metrics.exposure(run, [GRID]) == pytest.approx(0.5 * 200 / 1000)


def test_the_yearly_return_compounds_and_needs_a_month() -> None:
    assert metrics.yearly(1.21, 730) == pytest.approx(0.1)
    assert metrics.yearly(1.21, 29) is None
    assert metrics.yearly(-0.1, 365) is None


def test_ratios_of_days_are_put_on_a_year_by_root_365() -> None:
    returns = np.array([0.01, -0.005] * 20)
    deviation = 0.0075 * (40 / 39) ** 0.5

    assert metrics.annual_volatility(returns) == pytest.approx(deviation * 365**0.5)
    assert metrics.sharpe(returns) == pytest.approx(0.0025 / deviation * 365**0.5)
    assert metrics.sortino(returns) == pytest.approx(0.0025 / (0.005 / 2**0.5) * 365**0.5)
    assert metrics.skewness(returns) == pytest.approx(0, abs=1e-12)
    assert metrics.kurtosis(returns) == pytest.approx(1)
    assert metrics.calmar(0.3, 0.1) == pytest.approx(3)


def test_ratios_that_are_undefined_are_none() -> None:
    still, short = np.zeros(40), np.array([0.01, -0.01])

    assert (metrics.sharpe(still), metrics.sortino(still), metrics.kurtosis(still)) == (None,) * 3
    assert (metrics.sharpe(short), metrics.annual_volatility(short)) == (None, None)
    assert metrics.sortino(np.full(40, 0.01)) is None
    assert (metrics.calmar(None, 0.1), metrics.calmar(0.1, 0.0)) == (None, None)
    assert (metrics.win_rate([]), metrics.expectancy([]), metrics.profit_factor([3.0])) == (
        None,
    ) * 3


@given(profits)
def test_what_holds_for_any_trades(given_profits: list[float]) -> None:
    won = metrics.longest_streak(given_profits, won=True)
    lost = metrics.longest_streak(given_profits, won=False)
    factor = metrics.profit_factor(given_profits)

    assert won + lost <= max(len(given_profits), 1)
    assert factor is None or factor >= 0
    if factor is not None and abs(sum(given_profits)) > 1e-3:
        assert (factor > 1) == (sum(given_profits) > 0)


def test_a_day_without_bars_keeps_the_equity_before_it() -> None:
    opens = np.array([0, 0.5, 3, 3.9]) * DAY

    days, closes = equity.daily_closes(opens.astype("i8"), np.array([1.0, 2.0, 3.0, 4.0]))

    assert days.tolist() == [0, 1, 2, 3]
    assert closes.tolist() == [2, 2, 2, 4]
    assert equity.daily_returns(closes, 1.0).tolist() == [1, 0, 0, 1]


def test_months_are_those_of_the_calendar() -> None:
    days = np.arange("2018-01-30", "2018-02-03", dtype="M8[D]").astype(int)

    assert equity.monthly_returns(days, np.array([100.0, 110, 99, 121]), 100.0) == [
        ("2018-01", pytest.approx(0.1)),
        ("2018-02", pytest.approx(0.1)),
    ]


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=400), st.integers(8, 60))
def test_a_thinned_path_keeps_its_ends_and_its_extremes(path: list[float], most: int) -> None:
    values = np.array(path)

    kept = equity.keep_extremes([values], most)

    assert len(kept) <= max(most, 2)
    assert (kept[0], kept[-1]) == (0, len(path) - 1)
    assert (values[kept].min(), values[kept].max()) == (values.min(), values.max())
    assert (np.diff(kept) > 0).all()


def test_every_split_adds_up_to_all_trades() -> None:
    run = walk_run()
    earned = float(sum(trip.profit for trip in run.trips))

    splits = breakdowns.break_down(run.trips)

    assert set(splits) == {"strategy", "regime", "hour", "month", "pair", "side", "exit_reason"}
    for name, rows in splits.items():
        assert sum(row["profit"] for row in rows) == pytest.approx(earned), name
        if name != "exit_reason":
            assert sum(row["count"] for row in rows) == len(run.trips)
    assert breakdowns.break_down([]) == {name: [] for name in splits}
