"""Every indicator is TA-Lib's, and every window is the plain sum or extreme of its values."""

import math

import numpy as np
import pytest
import talib

from tests.core.samples import from_prices, real_bars, walk
from trading.core.indicators import adx, atr, bollinger, ema, rsi, window
from trading.core.jit import kernel

TOLERANCE = 1e-9  # relative; TA-Lib adds in another order, nothing else may differ
PERIODS = (2, 5, 14, 50)


@kernel
def run_ema(s, closes, period, out):
    for i in range(len(closes)):
        out[i] = ema.update(s[0], closes[i], period)


@kernel
def run_rsi(s, closes, period, out):
    for i in range(len(closes)):
        out[i] = rsi.update(s[0], closes[i], period)


@kernel
def run_atr(s, bars, period, out):
    for i in range(len(bars)):
        out[i] = atr.update(s[0], bars[i].high, bars[i].low, bars[i].close, period)


@kernel
def run_adx(s, bars, period, out):
    for i in range(len(bars)):
        out[i] = adx.update(s[0], bars[i].high, bars[i].low, bars[i].close, period)


@kernel
def run_bands(s, closes, period, width, mid, half):
    for i in range(len(closes)):
        mid[i], half[i] = bollinger.update(s[0], closes[i], period, width)


@kernel
def run_extreme(s, values, size, sign, out):
    for i in range(len(values)):
        out[i] = window.push_extreme(s[0], values[i], size, sign)


@kernel
def run_sums(s, values, size, means, deviations):
    for i in range(len(values)):
        window.push_sum(s[0], values[i], size)
        means[i] = window.mean(s[0], size)
        deviations[i] = window.deviation(s[0], size)


def over(run, module, values, *arguments) -> np.ndarray:
    out = np.full(len(values), np.inf)
    state = window.state(256) if module is window else module.STATE
    run(np.zeros(1, state), values, *arguments, out)
    return out


def bands_over(closes: np.ndarray, period: int, width: float) -> tuple[np.ndarray, np.ndarray]:
    mid, half = np.full(len(closes), np.inf), np.full(len(closes), np.inf)
    run_bands(np.zeros(1, window.state(256)), closes, period, width, mid, half)
    return mid, half


@pytest.fixture(params=["generated", "tiny prices", "real"])
def bars(request: pytest.FixtureRequest) -> np.ndarray:
    if request.param == "real":
        return real_bars()
    return walk(7, 3000, price=1e-6 if request.param == "tiny prices" else 40_000.0)


def assert_same(ours: np.ndarray, theirs: np.ndarray, *, warm_up: int) -> None:
    assert np.isnan(ours[:warm_up]).all()
    assert np.isfinite(ours[warm_up:]).all()
    assert np.isnan(theirs[:warm_up]).all()
    np.testing.assert_allclose(ours[warm_up:], theirs[warm_up:], rtol=TOLERANCE, atol=0)


@pytest.mark.parametrize("period", PERIODS)
def test_ema_is_talibs_and_warms_up_for_period_minus_one(bars: np.ndarray, period: int) -> None:
    ours = over(run_ema, ema, bars["close"].copy(), period)

    assert_same(ours, talib.EMA(bars["close"].copy(), period), warm_up=period - 1)


@pytest.mark.parametrize("period", PERIODS)
def test_rsi_is_talibs_and_warms_up_for_period(bars: np.ndarray, period: int) -> None:
    ours = over(run_rsi, rsi, bars["close"].copy(), period)
    theirs = talib.RSI(bars["close"].copy(), period)
    moved = np.abs(ours - 50.0) > 1e-12  # without any move TA-Lib says 0 and we say 50

    assert_same(np.where(moved, ours, theirs), theirs, warm_up=period)


@pytest.mark.parametrize("period", PERIODS)
def test_atr_is_talibs_and_warms_up_for_period(bars: np.ndarray, period: int) -> None:
    ours = over(run_atr, atr, bars, period)

    theirs = talib.ATR(bars["high"].copy(), bars["low"].copy(), bars["close"].copy(), period)
    assert_same(ours, theirs, warm_up=period)


@pytest.mark.parametrize("period", [5, 14, 50])
def test_adx_is_talibs_and_warms_up_for_twice_period(bars: np.ndarray, period: int) -> None:
    ours = over(run_adx, adx, bars, period)

    theirs = talib.ADX(bars["high"].copy(), bars["low"].copy(), bars["close"].copy(), period)
    assert_same(ours, theirs, warm_up=2 * period - 1)


@pytest.mark.parametrize(("period", "width"), [(20, 2.0), (5, 1.0), (50, 2.5)])
def test_bollinger_bands_are_talibs(bars: np.ndarray, period: int, width: float) -> None:
    closes = bars["close"].copy()

    mid, half = bands_over(closes, period, width)

    # TA-Lib's running variance loses digits at large prices (its half width is off by up to
    # 1e-7 of the price); the exact reference is the plain deviation in the tests below.
    scale = closes.max()
    upper, middle, lower = talib.BBANDS(closes, period, width, width)
    assert_same(mid, middle, warm_up=period - 1)
    steady = slice(period - 1, None)
    np.testing.assert_allclose((mid + half)[steady], upper[steady], rtol=0, atol=2e-7 * scale)
    np.testing.assert_allclose((mid - half)[steady], lower[steady], rtol=0, atol=2e-7 * scale)


@pytest.mark.parametrize("size", [2, 3, 20, 200, 255])
def test_a_windows_mean_and_deviation_are_the_plain_ones(bars: np.ndarray, size: int) -> None:
    values = bars["close"][:1500].copy()
    means, deviations = np.empty(len(values)), np.empty(len(values))

    run_sums(np.zeros(1, window.state(256)), values, size, means, deviations)

    assert np.isnan(means[: size - 1]).all()
    assert np.isnan(deviations[: size - 1]).all()
    for i in range(size - 1, len(values)):
        seen = values[i - size + 1 : i + 1]
        plain = math.fsum(seen) / size
        spread = math.sqrt(math.fsum((x - plain) ** 2 for x in seen) / size)
        assert means[i] == pytest.approx(plain, rel=1e-12)
        assert deviations[i] == pytest.approx(spread, rel=1e-6, abs=1e-9 * plain)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("size", [1, 3, 20, 240])
def test_a_windows_extreme_is_the_plain_one(size: int, sign: int) -> None:
    values = np.round(walk(3, 1500)["close"], 1)  # rounded: equal extremes must be met too
    out = over(lambda s, v, n, o: run_extreme(s, v, n, sign, o), window, values, size)

    pick = max if sign > 0 else min
    assert out.tolist() == [pick(values[max(0, i - size + 1) : i + 1]) for i in range(len(values))]


@pytest.mark.parametrize("monotonic", ["rising", "falling", "flat"])
def test_an_extreme_leaves_the_window_even_when_every_bar_replaces_it(monotonic: str) -> None:
    steps = {"rising": 1.0, "falling": -1.0, "flat": 0.0}[monotonic]
    values = 1000.0 + steps * np.arange(600.0)

    out = over(lambda s, v, n, o: run_extreme(s, v, n, 1, o), window, values, 7)

    assert out.tolist() == [max(values[max(0, i - 6) : i + 1]) for i in range(len(values))]


def test_a_market_that_never_moved_has_no_strength_either_way() -> None:
    flat = np.full(60, 100.0)
    bars = from_prices(flat, flat, np.zeros(60), np.ones(60))

    assert over(run_rsi, rsi, flat, 14)[14:].tolist() == [50.0] * 46
    assert over(run_adx, adx, bars, 14)[27:].tolist() == [0.0] * 33
    assert over(run_atr, atr, bars, 14)[14:].tolist() == [0.0] * 46
    assert bands_over(flat, 20, 2.0)[1][19:].tolist() == [0.0] * 41
