"""What own trades, models and the order book change, each against its formula."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.core import adaptive, book, entering, gate, learner, pipeline, risk, sizing
from trading.core.codes import Gate, Regime, Verdict, Volatility
from trading.core.config.features import FEATURE_HASH, N_FEATURES
from trading.core.config.pipeline import PipelineParams
from trading.core.records import ENTRIES, OUTCOMES

HOUR_NS, MINUTE_NS = 3_600_000_000_000, 60_000_000_000
P = pipeline.new_params(PipelineParams())[0]
RESULTS = st.lists(st.floats(-3.0, 5.0).filter(lambda r: abs(r) > 1e-6), min_size=1, max_size=60)


def trade(market: np.void, r: float, *, k: int = 5, regime: int = 1, hour: int = 3, at: int = 0):
    position = market["position"]
    position["strategy"], position["regime"] = k, regime
    position["decided_ns"] = hour * HOUR_NS
    adaptive.record(market["learning"], P["learning"], position, r, 10.0, at, MINUTE_NS)


def expected_factor(results: list[float], temperature: float) -> float:
    last = results[-25:]
    if len(last) < 5:
        return 1.0
    mean, deviation = np.mean(last), np.std(last)
    ratio = mean / deviation if deviation > 0 else (4.0 if mean > 0 else -4.0)
    edge = 0.3 + 1.4 / (1 + math.exp(-max(min(ratio, 30), -30)))
    here = 0.6 + 0.8 * np.mean([r > 0 for r in last])
    return min(max(edge * here * temperature, 0.3), 2.0)


@settings(max_examples=60, deadline=None)
@given(results=RESULTS)
def test_a_strategys_weight_follows_its_own_last_25_trades(results: list[float]) -> None:
    market = pipeline.new_markets(1)[0]
    temperature = 1.0

    for r in results:
        trade(market, r)
        temperature += 0.15 * ((1.1 if r > 0 else 0.85) - temperature)
        temperature = min(max(temperature, 0.6), 1.4)

    found = market["learning"]["factors"][5, Regime.TREND]
    assert found == pytest.approx(expected_factor(results, temperature), rel=1e-6)
    assert (market["learning"]["factors"][6] == 1.0).all()


def test_a_strategy_that_keeps_losing_rests_and_comes_back() -> None:
    market = pipeline.new_markets(1)[0]
    for _ in range(20):
        trade(market, -1.0, at=1_000 * MINUTE_NS)
    learning, until = market["learning"], (1_000 + 120) * MINUTE_NS

    assert adaptive.weight_factor(learning, P["learning"], 5, 1, until - 1) == 0.0
    assert adaptive.weight_factor(learning, P["learning"], 5, 1, until) == pytest.approx(0.3)


def test_an_hour_that_loses_lowers_confidence_and_asks_for_more_votes() -> None:
    market = pipeline.new_markets(1)[0]
    for r in (-1.0, -1.0, -1.0, 1.0):
        trade(market, r, hour=3)
    learning, p = market["learning"], P["learning"]
    assert adaptive.session_factor(learning, p, 3 * HOUR_NS) == 1.0  # four trades say nothing
    trade(market, -1.0, hour=3)

    assert adaptive.session_factor(learning, p, 3 * HOUR_NS) == pytest.approx(0.85)
    assert adaptive.session_votes(learning, p, 27 * HOUR_NS) == 5
    assert adaptive.session_factor(learning, p, 4 * HOUR_NS) == 1.0
    for _ in range(20):
        trade(market, 1.0, hour=3)
    assert adaptive.session_factor(learning, p, 3 * HOUR_NS) == pytest.approx(1.15)


def test_the_learner_finds_the_feature_that_decides_and_is_silent_before_50() -> None:
    rng, state = np.random.default_rng(5), np.zeros(1, learner.STATE)[0]
    for n in range(2000):
        features = rng.normal(size=N_FEATURES)
        if n == 49:
            assert math.isnan(learner.predict(state, features))
        learner.learn(state, features, features[3] > 0, 0.05)

    favourable = np.zeros(N_FEATURES)
    favourable[3] = 2.0
    assert learner.predict(state, favourable) > 0.85
    assert learner.predict(state, -favourable) < 0.15


def arrays(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in gate.SHAPES.items()}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_compiled_network_is_the_one_of_matrices(seed: int) -> None:
    weights = arrays(seed)
    features = np.random.default_rng(seed + 1).normal(size=N_FEATURES)
    model = gate.new_model(weights, feature_hash=FEATURE_HASH)[0]

    first = np.maximum(weights["w1"] @ features + weights["b1"], 0)
    second = np.maximum(weights["w2"] @ first + weights["b2"], 0)
    logit = float(weights["w3"] @ second + weights["b3"])

    assert gate.network(model, features) == pytest.approx(
        1 / (1 + math.exp(-min(max(logit, -30), 30))), abs=1e-9
    )


@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        ({"w1": np.zeros((2, 2))}, "w1 must have the shape"),
        ({"b3": np.array(np.nan)}, "b3 has values that are no finite numbers"),
        ({"w2": None}, "w2 is missing"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(change: dict, accepted: str) -> None:
    weights = {k: v for k, v in {**arrays(1), **change}.items() if v is not None}

    with pytest.raises(gate.BadModel, match=accepted):
        gate.new_model(weights, feature_hash=FEATURE_HASH)


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(gate.BadModel, match="made for features"):
        gate.new_model(arrays(1), feature_hash="0" * 64)


def asked(model: np.ndarray | None, probability: float) -> tuple[float, bool, np.void, np.void]:
    """What a model that always says ``probability`` does to a candidate of confidence 0.6."""
    if model is not None:
        logit = math.log(probability / (1 - probability))
        for name in ("w1", "b1", "w2", "b2", "w3"):
            model[name] = 0.0
        model["b3"] = logit
    params = pipeline.new_params(PipelineParams(), model)[0]
    d, x = np.zeros(1, pipeline.DECISION)[0], np.zeros(1, pipeline.DETAIL)[0]
    d["confidence"], d["side"], d["close"] = 0.6, 1, 100.0
    d["stop_distance"], d["target_distance"] = 1.0, 2.0
    market = pipeline.new_markets(1)[0]
    now = market["frames"][0]["now"]
    least, passes = entering.ask_model(d, x, market, params, now, (1, 0.005, 0))
    return least, passes, d, x


def test_a_model_lowers_confidence_by_at_most_15_percent_and_refuses_below_its_limit() -> None:
    model = gate.new_model(arrays(1), feature_hash=FEATURE_HASH)

    _, high, d_high, _ = asked(model.copy(), 0.9)
    _, low, d_low, x_low = asked(model.copy(), 0.1)

    assert high
    assert not low
    assert d_high["confidence"] == pytest.approx(0.7 * 0.6 + 0.3 * 0.9)
    assert d_low["confidence"] == pytest.approx(0.85 * 0.6)
    assert x_low["gates"][Gate.PROBABILITY]["verdict"] == Verdict.REFUSED


def test_without_a_model_the_fallbacks_confidence_is_asked_for_and_said() -> None:
    least, passes, d, x = asked(None, 0.5)

    assert passes
    assert least == pytest.approx(0.55)
    assert math.isnan(d["probability"])
    assert x["gates"][Gate.PROBABILITY]["verdict"] == Verdict.ABSENT


def account(results: list[float], *, equity: float = 10_000.0, peak: float = 10_000.0) -> np.void:
    record = pipeline.new_account(equity)[0]
    record["peak_equity"] = peak
    for k, r in enumerate(results):
        record["outcomes"][k % OUTCOMES] = r
    record["exits"] = len(results)
    return record


def test_kelly_caps_the_risk_and_never_locks() -> None:
    p = P["sizing"]
    poor, good = account([1.0, -1.0, -1.0] * 20), account([3.0, -1.0] * 30)
    slight = account([1.1, -1.0] * 30)  # f = .5 - .5 / 1.1 = 4.5 %; a quarter of it over 1 %: 1.14

    assert sizing.kelly_factor(poor, p) == pytest.approx(0.1)
    assert sizing.kelly_factor(good, p) == 1.0
    assert sizing.kelly_factor(slight, p) == 1.0
    assert sizing.kelly_factor(account([-1.0] * 49), p) == 1.0  # too few to say
    thin = account([1.02, -1.0] * 30)
    bet = 0.5 - 0.5 / 1.02
    assert sizing.kelly_factor(thin, p) == pytest.approx(0.25 * bet / 0.01)


def test_the_risk_of_ruin_throttles_to_its_limit() -> None:
    p = P["sizing"]
    slight = account([1.02, -1.0] * 30)
    edge = (0.5 * 1.02 - 0.5) / (0.5 * 1.02 + 0.5)
    factor = sizing.ruin_factor(slight, p)

    ruin = ((1 - edge) / (1 + edge)) ** (1 / (p["risk_per_trade"] * factor))
    assert 0.1 < factor < 1.0
    assert ruin == pytest.approx(p["max_ruin"])
    assert sizing.ruin_factor(account([-1.0] * 60), p) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("fallen", "factor"), [(0.0, 1.0), (0.03, 0.8), (0.08, 0.6), (0.15, 0.35), (0.3, 0.15)]
)
def test_risk_shrinks_with_the_fall_from_the_peak(fallen: float, factor: float) -> None:
    assert sizing.drawdown_factor(account([], equity=10_000 * (1 - fallen))) == factor


@pytest.mark.parametrize(
    ("streak", "factor"), [(-2, 1.0), (-3, 0.85), (-9, 0.4), (2, 1.0), (3, 1.05), (9, 1.2)]
)
def test_risk_follows_the_streak(streak: int, factor: float) -> None:
    assert sizing.streak_factor(streak) == pytest.approx(factor)


def test_all_factors_together_leave_a_twentieth_and_never_add_to_the_risk() -> None:
    now = pipeline.new_markets(1)[0]["frames"][0]["now"]
    now["spread"] = 0.02
    sized = np.zeros(1, pipeline.DETAIL["sized"])[0]
    record = account([-1.0] * 60, equity=7_000.0)
    record["streak"] = -9

    storm = sizing.scale(sized, record, P["sizing"], now, int(Volatility.HIGH), 0.99)

    assert storm == 0.05
    assert sized["spread"] == 0.5
    grid = pipeline.new_markets(1)[0]["instrument"]
    grid["lot_size"] = 1.0
    calm = sizing.size_lots(account([]), P["sizing"], grid, 1.0, (0.5, 0.0), 1.3)
    assert calm == 200  # 1 % of 10,000 over a loss of 0.5, the factor above 1 cut


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.integers(0, 40))
def test_correlation_is_that_of_returns_over_common_bars(seed: int, shift: int) -> None:
    rng = np.random.default_rng(seed)
    markets = pipeline.new_markets(2)
    steps = rng.normal(0, 0.01, (150, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    closes = 100 * np.exp(np.cumsum(steps, axis=0))
    for i in range(150):
        risk.remember(markets[0]["history"], i, closes[i, 0])
        if i >= shift and i % 7:
            risk.remember(markets[1]["history"], i, closes[i, 1])
    common = [i for i in range(50, 150) if i >= shift and i % 7]

    found = risk.correlation(markets[0]["history"], markets[1]["history"])

    returns = closes[common][1:] / closes[common][:-1] - 1
    assert found == pytest.approx(np.corrcoef(returns.T)[0, 1], abs=1e-9)


def test_a_hedge_is_no_correlated_risk() -> None:
    markets = pipeline.new_markets(2)
    for i in range(100):
        for market in markets:
            risk.remember(market["history"], i, 100.0 + i % 5)
    markets[1]["position"]["quantity_lots"] = -5

    assert risk.most_correlated(markets, 0, -1) == pytest.approx(1.0)
    assert risk.most_correlated(markets, 0, 1) == 0.0


@pytest.mark.parametrize(
    ("start", "end", "hours"), [(3, 4, {3}), (22, 2, {22, 23, 0, 1}), (5, 5, set())]
)
def test_quiet_hours_may_pass_midnight(start: int, end: int, hours: set[int]) -> None:
    p = P["risk"].copy()
    p["quiet_from"], p["quiet_to"] = start, end

    assert {h for h in range(24) if risk.is_quiet(p, h * HOUR_NS + 1)} == hours


def test_entries_of_the_last_hour_are_counted_from_the_ring() -> None:
    record = pipeline.new_account(1.0)[0]
    for n in range(ENTRIES + 10):
        record["entered_ns"][n % ENTRIES] = (n + 1) * MINUTE_NS

    assert risk.entries_since(record, 44 * MINUTE_NS) == 30


LEVELS = st.lists(st.floats(0.01, 50.0), min_size=1, max_size=30)


def levels(sizes: list[float], side: int, price: float = 100.0) -> np.ndarray:
    steps = np.arange(1, len(sizes) + 1)
    return np.column_stack([price * (1 + side * 0.0004 * steps), sizes])


@settings(max_examples=80, deadline=None)
@given(bids=LEVELS, asks=LEVELS, scale=st.sampled_from([1.0, 2.0**-20, 2.0**20]))
def test_the_book_is_measured_in_notional_within_its_bounds(
    bids: list[float], asks: list[float], scale: float
) -> None:
    record = np.zeros(1, book.BOOK)[0]
    b, a = levels(bids, -1), levels(asks, 1)

    assert book.update(record, b, a, 1)

    best_bid, best_ask = (float((x[:10, 0] * x[:10, 1]).sum()) for x in (b, a))
    assert record["imbalance"] == pytest.approx((best_bid - best_ask) / (best_bid + best_ask))
    assert -1 <= record["book_score"] <= 1
    assert -1 <= record["whale_bias"] <= 1
    assert record["depth"] == pytest.approx(sum((x[:25, 0] * x[:25, 1]).sum() for x in (b, a)))
    coin = np.zeros(1, book.BOOK)[0]
    per = np.array([scale, 1 / scale])  # another price of the coin, the same notional
    book.update(coin, b * per, a * per, 1)
    assert coin["book_score"] == pytest.approx(record["book_score"])


def test_a_leaning_book_scores_and_a_vanishing_wall_halves_its_quality() -> None:
    record = np.zeros(1, book.BOOK)[0]
    walls = [500.0, *[1.0] * 9]
    book.update(record, levels(walls, -1), levels([1.0] * 10, 1), 1)
    leaning = float(record["book_score"])

    book.update(record, levels([3.0] * 10, -1, 99.99), levels([1.0] * 10, 1), 2_000_000_000)

    assert leaning > 0.3
    assert record["spoofed"] == 1
    calm = np.zeros(1, book.BOOK)[0]
    book.update(calm, levels([3.0] * 10, -1, 99.99), levels([1.0] * 10, 1), 2_000_000_000)
    assert record["book_score"] == pytest.approx(calm["book_score"] / 2)


@pytest.mark.parametrize("broken", ["crossed", "no bids", "nan", "negative"])
def test_an_unusable_book_changes_nothing(broken: str) -> None:
    markets = pipeline.new_markets(1)
    bids, asks = levels([1.0, 2.0], -1), levels([1.0, 2.0], 1)
    assert pipeline.on_book(markets, 0, 5, bids, asks)
    before = markets.tobytes()
    if broken == "crossed":
        bids, asks = asks, bids
    elif broken == "no bids":
        bids = bids[:0]
    else:
        bids[1, 1] = np.nan if broken == "nan" else -1.0

    assert not pipeline.on_book(markets, 0, 6, bids, asks)
    assert markets.tobytes() == before


def test_a_funding_rate_that_cannot_be_is_not_taken() -> None:
    markets = pipeline.new_markets(1)

    assert pipeline.on_funding(markets, 0, 5, 0.001)
    assert not pipeline.on_funding(markets, 0, 6, 3.0)
    assert not pipeline.on_funding(markets, 0, 6, math.nan)
    assert (markets["funding_ns"][0], markets["funding_rate"][0]) == (5, 0.001)
