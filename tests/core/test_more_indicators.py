"""Indicators of several values: TA-Lib where it has them, slow plain lists elsewhere."""

import math

import numpy as np
import pytest
import talib

from tests.core.samples import real_bars, walk
from trading.core.indicators import (
    choppiness,
    ichimoku,
    macd,
    momentum,
    stochastic,
    supertrend,
    swings,
    volatility_rank,
    vwap,
)


@pytest.fixture(params=["generated", "real"])
def bars(request: pytest.FixtureRequest) -> np.ndarray:
    return walk(8, 1500) if request.param == "generated" else real_bars(1500)


def columns(bars: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(bars[name].copy() for name in ("high", "low", "close"))


def each(module, bars: np.ndarray, call) -> list:
    """What an indicator says of every bar."""
    state = np.zeros(1, module.STATE)[0]
    return [call(state, bar) for bar in bars]


def test_macds_histogram_is_talibs_once_the_seeds_are_forgotten(bars: np.ndarray) -> None:
    found = each(macd, bars, lambda s, b: macd.update(s, b["close"], 12, 26, 9))

    _, _, expected = talib.MACD(bars["close"].copy(), 12, 26, 9)
    assert np.isnan(found[:33]).all()
    assert not np.isnan(found[33])
    np.testing.assert_allclose(found[300:], expected[300:], atol=1e-6 * bars["close"].mean())


@pytest.mark.parametrize(("period", "smooth"), [(14, 3), (5, 1), (60, 10)])
def test_the_slow_stochastic_is_talibs(bars: np.ndarray, period: int, smooth: int) -> None:
    found = each(
        stochastic,
        bars,
        lambda s, b: stochastic.update(s, b["high"], b["low"], b["close"], period, smooth),
    )

    k, d = talib.STOCH(*columns(bars), period, smooth, 0, smooth, 0)
    first = period + 2 * smooth - 3
    flat = np.array([
        bars["high"][max(0, i - period - 2 * smooth) : i + 1].max()
        == bars["low"][max(0, i - period - 2 * smooth) : i + 1].min()
        for i in range(len(bars))
    ])  # fmt: skip
    mine = np.array(found)
    assert np.isnan(mine[:first, 1]).all()
    keep = ~flat & (np.arange(len(bars)) >= first)
    np.testing.assert_allclose(mine[keep, 0], k[keep], atol=1e-6)
    np.testing.assert_allclose(mine[keep, 1], d[keep], atol=1e-6)


@pytest.mark.parametrize("period", [1, 10, 30])
def test_momentum_is_talibs_rate_of_change(bars: np.ndarray, period: int) -> None:
    found = each(momentum, bars, lambda s, b: momentum.update(s, b["close"], period))

    expected = talib.ROCP(bars["close"].copy(), period)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def true_range(bars: np.ndarray, i: int) -> float:
    before = bars["close"][i - 1]
    high, low = bars["high"][i], bars["low"][i]
    return max(high - low, abs(high - before), abs(low - before))


def test_choppiness_is_its_formula(bars: np.ndarray) -> None:
    found = each(
        choppiness,
        bars,
        lambda s, b: choppiness.update(s, b["high"], b["low"], b["close"], 14),
    )

    for i, value in enumerate(found):
        if i < 14:
            assert math.isnan(value)
            continue
        span = slice(i - 13, i + 1)
        height = bars["high"][span].max() - bars["low"][span].min()
        total = math.fsum(true_range(bars, k) for k in range(i - 13, i + 1))
        if height > 0:
            expected = 100 * math.log10(max(total / height, 1.0)) / math.log10(14)
            assert value == pytest.approx(expected, abs=1e-6)


def test_the_supertrend_is_the_one_of_final_bands(bars: np.ndarray) -> None:
    found = each(
        supertrend,
        bars,
        lambda s, b: supertrend.update(s, b["high"], b["low"], b["close"], 10, 3.0),
    )

    atr = talib.ATR(*columns(bars), 10)
    middle = (bars["high"] + bars["low"]) / 2
    upper, lower = middle + 3 * atr, middle - 3 * atr
    side = 0
    for i in range(len(bars)):
        if math.isnan(atr[i]):
            assert found[i][0] == 0
            continue
        if side:
            if bars["close"][i - 1] <= upper[i - 1]:
                upper[i] = min(upper[i], upper[i - 1])
            if bars["close"][i - 1] >= lower[i - 1]:
                lower[i] = max(lower[i], lower[i - 1])
        close = bars["close"][i]
        if side == 0:
            side = 1 if close >= middle[i] else -1
        elif side < 0 and close > upper[i]:
            side = 1
        elif side > 0 and close < lower[i]:
            side = -1
        assert found[i][0] == side
        assert found[i][1] == pytest.approx(lower[i] if side > 0 else upper[i], rel=1e-9)


def test_ichimokus_cloud_over_a_bar_was_drawn_26_bars_before(bars: np.ndarray) -> None:
    found = each(ichimoku, bars, lambda s, b: ichimoku.update(s, b, 9, 26, 52))

    def middle(i: int, period: int) -> float:
        if i + 1 < period:
            return math.nan
        span = slice(i + 1 - period, i + 1)
        return (bars["high"][span].max() + bars["low"][span].min()) / 2

    for i in range(0, len(bars), 7):
        tenkan, kijun, top, bottom, before = found[i]
        np.testing.assert_allclose([tenkan, kijun], [middle(i, 9), middle(i, 26)])
        if i < 26:
            assert math.isnan(top)
            continue
        spans = (middle(i - 26, 9) + middle(i - 26, 26)) / 2, middle(i - 26, 52)
        assert before == bars["close"][i - 26]
        if not any(map(math.isnan, spans)):
            assert (top, bottom) == pytest.approx((max(spans), min(spans)))


def test_the_rolling_vwap_is_the_weighted_mean_and_deviation(bars: np.ndarray) -> None:
    found = each(vwap, bars, lambda s, b: vwap.update(s, b, 20))

    price = (bars["high"] + bars["low"] + bars["close"]) / 3
    for i, (average, deviation) in enumerate(found):
        if i < 19:
            assert math.isnan(average)
            continue
        span = slice(i - 19, i + 1)
        weight = bars["volume"][span]
        if weight.sum() <= 0:
            assert math.isnan(average)
            continue
        mean = np.average(price[span], weights=weight)
        spread = math.sqrt(np.average((price[span] - mean) ** 2, weights=weight))
        assert average == pytest.approx(mean, rel=1e-9)
        assert deviation == pytest.approx(spread, rel=1e-5, abs=1e-7 * mean)


@pytest.mark.parametrize(("sign", "name"), [(1, "high"), (-1, "low")])
def test_a_swing_is_confirmed_after_its_reach_and_never_earlier(
    bars: np.ndarray, sign: int, name: str
) -> None:
    values, reach = bars[name] * sign, 5
    state = np.zeros(1, swings.STATE)[0]
    expected = []
    for i, bar in enumerate(bars):
        told = swings.update(state, bar[name], reach, sign)

        centre = i - reach
        span = values[centre - reach : i + 1] if centre >= reach else np.zeros(0)
        newer = values[centre + 1 : i + 1]
        is_swing = len(span) == 11 and values[centre] == span.max() and newer.max() < values[centre]
        assert told == is_swing
        if is_swing:
            expected.append(bars[name][centre])
        if len(expected) >= 2:
            assert (state["before"], state["last"]) == tuple(expected[-2:])
    assert len(expected) > 20


def test_volatility_is_ranked_among_its_own_last_hundred_values(bars: np.ndarray) -> None:
    found = each(
        volatility_rank,
        bars,
        lambda s, b: volatility_rank.update(s, b["high"], b["low"], b["close"]),
    )

    value, values = 0.0, []
    for i in range(len(bars)):
        moved = true_range(bars, i) if i else bars["high"][0] - bars["low"][0]
        value += (moved / bars["close"][i] - value) / 14
        if i < 100:
            assert math.isnan(found[i])
        else:
            assert found[i] == pytest.approx(np.mean(np.array(values[-100:]) < value), abs=0.011)
        values.append(value)
