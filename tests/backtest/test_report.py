"""The report's numbers, against examples worked out by hand."""

from decimal import Decimal

import numpy as np
import pytest

from trading.backtest import report
from trading.backtest.report import Grid
from trading.backtest.runner import Result
from trading.core import fills, pipeline
from trading.core.codes import ExitReason, Purpose, Reason
from trading.core.config.money import CostParams
from trading.core.records import BAR, FILL

DAY = 86_400_000_000_000
GRID = Grid("BTC/USD", Decimal("0.5"), Decimal("0.01"))


def fill(hours: float, purpose: Purpose, side: int, lots: int, ticks: int, fee: float, reason=0):
    row = np.zeros(1, FILL)
    row["time_ns"], row["purpose"], row["side"] = int(hours * DAY / 24), purpose, side
    row["quantity_lots"], row["price_ticks"], row["final"] = lots, ticks, 1
    row["fee_units"], row["reason"] = round(fee * 1e8), reason
    return row


def result(equity: list[float], rows: list[np.ndarray], *, held: list[int] | None = None) -> Result:
    decisions = np.zeros(len(equity), pipeline.DECISION)
    decisions["bar_open_ns"] = np.arange(len(equity)) * DAY
    decisions["equity"], decisions["reason"] = equity, Reason.NO_VOTE
    decisions["position_lots"] = held or 0
    account = pipeline.new_account(equity[-1])
    account["fees"] = sum(float(row["fee_units"][0]) for row in rows) / 1e8
    return Result(
        decisions,
        np.zeros(len(equity), "i8"),
        np.concatenate(rows) if rows else np.zeros(0, FILL),
        np.zeros(len(rows), "i8"),
        account,
        pipeline.new_markets(1),
        fills.new_sims(1),
    )


# 1 BTC bought at 100 and sold at 110, then 2 BTC bought in two fills (100 and 104) and sold at 99.
ROWS = [
    fill(0, Purpose.ENTRY, 1, 100, 200, 0.25),
    fill(6, Purpose.EXIT, -1, 100, 220, 0.25, ExitReason.TARGET),
    fill(24, Purpose.ENTRY, 1, 100, 200, 0.25),
    fill(24, Purpose.ENTRY, 1, 100, 208, 0.25),
    fill(26, Purpose.PROTECT, -1, 200, 198, 0.5, ExitReason.STOP),
]


def test_fills_pair_into_round_trips_with_fees_in_the_profit() -> None:
    first, second = report.round_trips(result([1000.0] * 3, ROWS), [GRID])

    assert (first.quantity, first.entry_price, first.exit_price) == (1, 100, 110)
    assert (first.profit, first.fees, first.reason) == (Decimal("9.5"), Decimal("0.5"), "target")
    assert (second.quantity, second.entry_price, second.exit_price) == (2, 102, 99)
    assert (second.profit, second.fees, second.reason) == (-7, 1, "stop")


def test_a_short_trip_earns_when_the_price_falls() -> None:
    rows = [
        fill(0, Purpose.ENTRY, -1, 100, 200, 0.25),
        fill(1, Purpose.EXIT, 1, 100, 190, 0.25, ExitReason.TIME),
    ]

    (trip,) = report.round_trips(result([1000.0] * 3, rows), [GRID])

    assert (trip.side, trip.profit, trip.reason) == ("short", Decimal("4.5"), "time")


def test_a_position_still_open_is_no_round_trip() -> None:
    assert report.round_trips(result([1000.0] * 3, ROWS[:1]), [GRID]) == []


def test_trade_metrics_are_those_of_the_two_trips() -> None:
    run = result([1000.0, 1009.5, 1002.5, 1002.5], ROWS, held=[1, 0, 1, 0])

    told = report.metrics(run, report.round_trips(run, [GRID]), cash=1000.0)

    assert told["closed_trades"] == 2
    assert told["win_rate"] == 0.5
    assert told["profit_factor"] == pytest.approx(9.5 / 7)
    assert told["expectancy"] == pytest.approx(1.25)
    assert (told["average_win"], told["average_loss"]) == (9.5, -7)
    assert told["average_hold_hours"] == pytest.approx(4.0)
    assert told["time_in_market"] == 0.5
    assert told["fees"] == pytest.approx(1.5)
    assert told["return"] == pytest.approx(0.0025)
    assert told["exits"] == {"target": 1, "stop": 1}
    assert told["decisions"] == {"no vote": 4}


def test_drawdown_is_the_deepest_fall_and_the_longest_wait() -> None:
    run = result([1000.0, 1200.0, 900.0, 1100.0, 1200.0, 1250.0, 1240.0], [])

    told = report.metrics(run, [], cash=1000.0)

    assert told["max_drawdown"] == pytest.approx(0.25)
    assert told["longest_drawdown_days"] == 3
    assert (told["win_rate"], told["expectancy"], told["average_hold_hours"]) == (None, None, None)


def test_a_fall_that_never_recovers_lasts_until_the_end() -> None:
    run = result([1000.0, 1200.0, 900.0, 900.0, 900.0, 900.0], [])

    assert report.metrics(run, [], cash=1000.0)["longest_drawdown_days"] == 4


def test_the_yearly_return_compounds_and_needs_a_month() -> None:
    assert report.yearly(1.21, 730) == pytest.approx(0.1)
    assert report.yearly(1.21, 29) is None
    assert report.yearly(-0.1, 365) is None


def test_the_sharpe_ratio_is_mean_over_deviation_of_days_times_root_365() -> None:
    steps = np.array([0.01, -0.005] * 20)
    run = result((1000.0 * np.cumprod(1 + steps)).tolist(), [])

    told = report.metrics(run, [], cash=1000.0)["sharpe_daily"]

    assert told == pytest.approx(0.0025 / 0.0075 * 365**0.5)


def test_buy_and_hold_pays_the_same_costs_once() -> None:
    bars = np.zeros(3, BAR)
    bars["open"], bars["close"] = [100, 110, 90], [110, 88, 121]
    costs = CostParams(taker_fee_bps=80.0, half_spread_bps=10.0, slippage_bps=10.0)

    told = report.buy_and_hold(bars, costs)

    assert told["return"] == pytest.approx(121 / 101 - 1)
    assert told["max_drawdown"] == pytest.approx(1 - 88 / 110)
