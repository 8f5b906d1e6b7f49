"""Series for charts are what the pipeline saw; what is declared is what is drawn, and where."""

from dataclasses import replace

import numpy as np
import pytest
import talib

from tests.core.samples import market, walk
from trading.core import pipeline, plotting
from trading.core.config.pipeline import STRATEGY_NAMES, PipelineParams
from trading.core.config.plots import SHARED
from trading.core.config.strategies import PLOTS
from trading.core.records import INTENT, MAX_INTENTS, USED_BOOK
from trading.wiring.plots import NAMES, warm_up_bars

BARS = walk(3, 2500)
NEEDS_INPUTS = {("order_flow", "score"), ("funding_rate", "rate")}


def having(on: tuple[str, ...], **frames: int) -> PipelineParams:
    """Only these strategies vote, on the bot's own bars unless told otherwise."""
    plain = PipelineParams()
    groups = {
        name: replace(getattr(plain.strategies, name), weight=1.0 if name in on else 0.0)
        for name in STRATEGY_NAMES
    }
    frames = {"second": 0, "third": 0, "deciding": 0, **frames}
    return replace(
        plain,
        strategies=replace(plain.strategies, **groups),
        timeframes=replace(plain.timeframes, **frames),
    )


def drawn(params: PipelineParams, bars: np.ndarray = BARS, books: np.ndarray | None = None):
    """The series by (strategy, name)."""
    known = np.zeros(len(bars), USED_BOOK) if books is None else books
    series = plotting.draw_series(market(), pipeline.new_params(params), bars, known)
    return {(owner, plot.name): series[:, k] for k, (owner, plot) in enumerate(plotting.SERIES)}


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_a_strategy_draws_exactly_what_it_declares(name: str) -> None:
    seen = {key for key, values in drawn(having((name,))).items() if not np.isnan(values).all()}

    declared = {("", plot.name) for plot in SHARED} | {(name, plot.name) for plot in PLOTS[name]}
    assert seen == declared - NEEDS_INPUTS


def test_names_that_a_worker_keeps_are_those_of_the_columns() -> None:
    assert list(NAMES) == [f"{owner}.{plot.name}" for owner, plot in plotting.SERIES]


def test_labels_tell_the_values_of_the_revision() -> None:
    params = PipelineParams()

    for name, plots in PLOTS.items():
        for plot in plots:
            assert "{" not in plot.words(getattr(params.strategies, name))
    assert PLOTS["trend"][0].words(params.strategies.trend) == "EMA 20"


@pytest.mark.parametrize("frames", [{}, {"second": 5, "deciding": 1}])
def test_what_is_drawn_is_what_each_decision_saw(frames: dict[str, int]) -> None:
    params = having(STRATEGY_NAMES, **frames)
    record, markets, account = pipeline.new_params(params), market(), pipeline.new_account(10_000.0)
    decisions = np.zeros(len(BARS), pipeline.DECISION)
    details, asked = np.zeros(1, pipeline.DETAIL), np.zeros(MAX_INTENTS, INTENT)
    for i in range(len(BARS)):
        pipeline.on_bar(markets, 0, account, record, BARS, i, decisions, i, details, 0, asked)

    series = drawn(params)

    begun = int(
        np.argmax(decisions["rsi"] != 0.0)
    )  # before it no bar that is decided on had closed
    assert begun < frames.get("second", 1)
    for name in ("rsi", "adx"):
        assert np.isnan(series["", name][:begun]).all()
        np.testing.assert_array_equal(
            series["", name][begun:].astype("f4"), decisions[name][begun:]
        )


def test_averages_and_bands_agree_with_plain_formulas() -> None:
    params = having(STRATEGY_NAMES)
    series, closes = drawn(params), BARS["close"]

    trend, reversion = params.strategies.trend, params.strategies.mean_reversion
    np.testing.assert_allclose(series["trend", "slow"], talib.EMA(closes, trend.slow), rtol=1e-9)
    bands = talib.BBANDS(closes, reversion.period, reversion.width, reversion.width)
    for name, values in zip(("upper", "middle", "lower"), bands, strict=True):
        np.testing.assert_allclose(series["mean_reversion", name], values, rtol=1e-6)
    look = params.strategies.breakout.lookback
    tops = [BARS["high"][i - look : i].max() for i in range(look, len(BARS))]
    np.testing.assert_array_equal(series["breakout", "top"][look:], tops)
    assert np.isnan(series["breakout", "top"][:look]).all()


def test_the_book_that_a_decision_knew_is_drawn_until_it_is_too_old() -> None:
    books = np.zeros(len(BARS), USED_BOOK)
    close_ns = BARS["open_ns"][100] + 60_000_000_000
    books[100] = (close_ns - 1, 0.2, 0.4, 0.001, 50_000.0, 0.1)

    score = drawn(having(("order_flow",)), books=books)["order_flow", "score"]

    assert score[100] == 0.4
    assert np.isnan(score[:100]).all()
    assert np.isnan(score[110:]).all()


def test_after_its_warm_up_a_drawing_from_the_tail_is_that_of_the_whole_past() -> None:
    params = having(STRATEGY_NAMES)
    bars = walk(5, warm_up_bars(params) + 3000)

    whole, tail = drawn(params, bars), drawn(params, bars[-warm_up_bars(params) - 500 :])

    for key, values in whole.items():
        np.testing.assert_allclose(tail[key][-500:], values[-500:], rtol=1e-6, atol=1e-6)
