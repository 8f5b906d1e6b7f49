"""Votes once and decisions many times come to the bytes of whole runs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backtest.samples import WALK_GRID
from tests.core.play import CHASES, EAGER, LIMITS, WHOLE
from tests.core.samples import market, real_bars, walk
from trading.backtest import runner, trips, two_stage
from trading.core.config.pipeline import PipelineParams
from trading.research.objectives import measure

CASH = 10_000.0
KINDS = st.sampled_from([EAGER, WHOLE, LIMITS, CHASES])


def varied(params: PipelineParams, stop: float, votes: int, loss: float) -> PipelineParams:
    """The same votes under other limits, stops and sizes."""
    keltner = replace(params.strategies.keltner, weight=params.strategies.keltner.weight * 3)
    return replace(
        params,
        strategies=replace(params.strategies, keltner=keltner),
        exits=replace(params.exits, stop_scale=stop, structural_stop=votes % 2),
        confluence=replace(params.confluence, min_votes=votes, solo_confidence=0.7),
        risk=replace(params.risk, max_daily_loss=loss, cooldown_bars=7, max_gap_bars=2),
        sizing=replace(params.sizing, risk_per_trade=0.003),
    )


def assert_same(bars: np.ndarray, observed: two_stage.Observed, params: PipelineParams) -> int:
    whole = runner.run(series=[bars], markets=market(), params=[params], cash=CASH)

    found = two_stage.decide(observed, params, cash=CASH)

    assert found.fills.tobytes() == whole.fills.tobytes()
    assert found.account.tobytes() == whole.account.tobytes()
    closed = [float(trip.profit) for trip in trips.round_trips(whole, [WALK_GRID])]
    assert trips.profits(found.fills, WALK_GRID) == closed
    ends = {"end_equity": float(whole.account[0]["equity"]), "profits": closed, "cash": CASH}
    every, some = whole.decisions, found.path
    one, daily = measure(open_ns=every["bar_open_ns"], equity=every["equity"], **ends)
    two, other = measure(open_ns=some["open_ns"], equity=some["equity"], **ends)
    assert one == two
    assert daily.tobytes() == other.tobytes()
    return len(closed)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    params=KINDS,
    stop=st.floats(0.5, 8.0),
    votes=st.integers(1, 3),
    loss=st.floats(0.005, 0.1),
)
def test_any_limits_over_the_same_votes_are_those_of_a_whole_run(
    seed: int, params: PipelineParams, stop: float, votes: int, loss: float
) -> None:
    bars = walk(seed, 3000)
    bars["open_ns"][900:] += 7 * 60_000_000_000
    observed = two_stage.observe(bars, market(), params)

    assert_same(bars, observed, params)
    assert_same(bars, observed, varied(params, stop, votes, loss))


def test_real_bars_trade_the_same_in_one_stage_and_in_two() -> None:
    bars = real_bars(20_000)
    observed = two_stage.observe(bars, market(), WHOLE)

    assert assert_same(bars, observed, varied(WHOLE, 3.0, 2, 0.02)) > 20


def test_parameters_that_change_votes_are_refused() -> None:
    observed = two_stage.observe(walk(1, 300), market(), WHOLE)
    other = replace(WHOLE.strategies.trend, fast=11)

    with pytest.raises(ValueError, match="votes depend on these parameters"):
        two_stage.decide(
            observed,
            replace(WHOLE, strategies=replace(WHOLE.strategies, trend=other)),
            cash=CASH,
        )
