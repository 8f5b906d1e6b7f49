"""Fills pair into round trips, worked out by hand."""

from decimal import Decimal

import numpy as np
import pytest

from tests.backtest.samples import DAY, GRID, ROWS, fill, result, walk_run
from trading.backtest import trips
from trading.core.codes import ExitReason, Purpose, Regime
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.core.explain import DECISION


def test_fills_pair_into_round_trips_with_fees_in_the_profit() -> None:
    first, second = trips.round_trips(result([1000.0] * 3, ROWS), [GRID])

    assert (first.quantity, first.entry_price, first.exit_price) == (1, 100, 110)
    assert (first.profit, first.fees, first.reason) == (Decimal("9.5"), Decimal("0.5"), "target")
    assert (second.quantity, second.entry_price, second.exit_price) == (2, 102, 99)
    assert (second.profit, second.fees, second.reason) == (-7, 1, "stop")


def test_a_short_trip_earns_when_the_price_falls() -> None:
    rows = [
        fill(0, Purpose.ENTRY, -1, 100, 200, 0.25),
        fill(1, Purpose.EXIT, 1, 100, 190, 0.25, ExitReason.TIME),
    ]

    (trip,) = trips.round_trips(result([1000.0] * 3, rows), [GRID])

    assert (trip.side, trip.profit, trip.reason) == ("short", Decimal("4.5"), "time")


def test_a_position_still_open_is_no_round_trip() -> None:
    assert trips.round_trips(result([1000.0] * 3, ROWS[:1]), [GRID]) == []


def test_an_entry_sold_in_parts_is_one_trip_whose_exits_share_its_profit() -> None:
    rows = [
        fill(0, Purpose.ENTRY, 1, 200, 200, 1.0),  # 2 BTC at 100
        fill(1, Purpose.EXIT, -1, 100, 220, 0.5, ExitReason.TARGET),  # 1 at 110
        fill(2, Purpose.EXIT, -1, 50, 240, 0.25, ExitReason.TRAILING_STOP),  # ½ at 120
        fill(3, Purpose.PROTECT, -1, 50, 190, 0.25, ExitReason.STOP),  # ½ at 95
    ]

    (trip,) = trips.round_trips(result([1000.0] * 3, rows), [GRID])

    assert [leg.profit for leg in trip.exits] == [9, Decimal("9.5"), -3]
    assert sum(leg.profit for leg in trip.exits) == trip.profit == Decimal("15.5")
    assert sum(leg.fees for leg in trip.exits) == trip.fees == 2
    assert [leg.reason for leg in trip.exits] == ["target", "trailing stop", "stop"]
    assert (trip.reason, trip.exit_ns) == ("stop", DAY // 8)


def test_what_led_to_the_entry_is_read_from_its_decision() -> None:
    run = result([1000.0] * 3, [fill(24, Purpose.ENTRY, 1, 100, 200, 0.25, seq=7),
                                fill(48, Purpose.EXIT, -1, 100, 220, 0.25, ExitReason.TARGET, seq=9)])  # fmt: skip
    entry = run.decisions[0]
    entry["intent_seq"], entry["regime"], entry["side"] = 7, Regime.TREND, 1
    entry["stop_distance"] = 5.0
    entry["strategy"] = 2

    (trip,) = trips.round_trips(run, [GRID])

    assert (trip.strategy, trip.regime, trip.equity) == (STRATEGY_NAMES[2], "trend", 1000.0)
    assert trip.risk == 5
    assert trip.r == pytest.approx(9.5 / 5)


def test_an_entry_nobody_is_named_for_is_credited_to_none() -> None:
    decision = np.zeros(1, DECISION)[0]
    decision["strategy"] = -1

    assert trips.credited_strategy(decision) == "none"


def test_of_a_whole_run_the_trips_add_up_to_what_was_realised() -> None:
    run = walk_run()

    entries = int(run.result.account[0]["entries"])
    held = int(run.result.markets["position"]["quantity_lots"][0] != 0)

    assert len(run.trips) == entries - held > 100
    assert {trip.strategy for trip in run.trips} <= set(STRATEGY_NAMES)
    assert all(trip.risk and trip.equity for trip in run.trips)
    if not held:
        earned = float(sum(trip.profit for trip in run.trips))
        assert float(run.result.account[0]["equity"]) - run.cash == pytest.approx(earned, abs=1e-6)
