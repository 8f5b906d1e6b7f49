"""What must hold for any bars: the same bytes however they arrive, no look ahead, no broken limit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.play import ACTIVE, CHASES, EAGER, LIMITS, WHOLE, Play, run
from tests.core.samples import MINUTE_NS, from_prices, walk
from trading.core import explain, pipeline, sizing
from trading.core.codes import ExitReason, HoldBit, Purpose, Reason
from trading.core.config.pipeline import PipelineParams
from trading.core.records import FEE_UNITS_PER_QUOTE, FILL

SEEDS = st.integers(0, 10_000)


def decided(result) -> list[bytes]:
    return list(result.records())


def filled(result) -> list[bytes]:
    return [record.tobytes() for record in result.fills]


KINDS = st.sampled_from([EAGER, WHOLE, LIMITS, CHASES])


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, cuts=st.sets(st.integers(1, 699), max_size=8), params=KINDS)
def test_one_bar_at_a_time_with_restarts_leaves_the_bytes_of_one_run(
    seed: int, cuts: set[int], params: PipelineParams
) -> None:
    bars = walk(seed, 700)
    play = Play.fresh(params)
    for i in range(len(bars)):
        play = play.restored() if i in cuts else play
        play.bar(bars, i)

    whole = run(bars, params)

    assert play.decisions == decided(whole)
    assert play.fills == filled(whole)
    assert play.account.tobytes() == whole.account.tobytes()
    assert play.markets.tobytes() == whole.markets.tobytes()
    assert play.sims.tobytes() == whole.sims.tobytes()


BRIEF = replace(EAGER, exits=replace(EAGER.exits, max_hold_bars=12))


def test_the_samples_trade_both_sides_and_meet_every_way_out() -> None:
    ways, sides, purposes = set(), set(), set()
    for seed in range(12):
        for params in (EAGER, WHOLE, BRIEF):
            fills = run(walk(seed, 2000), params).fills
            ways |= {ExitReason(int(r)) for r in fills["reason"]}
            purposes |= {Purpose(int(p)) for p in fills["purpose"]}
            sides |= set(fills["side"][fills["purpose"] == Purpose.ENTRY].tolist())

    elsewhere = {ExitReason.OPERATOR, ExitReason.DUST}  # a person's, and no order's
    assert set(ExitReason) - elsewhere <= ways
    assert set(Purpose) <= purposes
    assert sides == {-1, 1}


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, cut=st.integers(1, 1499), other=SEEDS, params=KINDS)
def test_another_future_never_changes_the_past(
    seed: int, cut: int, other: int, params: PipelineParams
) -> None:
    bars = walk(seed, 1500)
    changed = bars.copy()
    factor = bars["close"][cut - 1] / walk(other, 1500)["open"][cut]
    for name in ("open", "high", "low", "close"):
        changed[name][cut:] = walk(other, 1500)[name][cut:] * factor
    changed["volume"][cut:] = walk(other, 1500)["volume"][cut:]

    one, two = run(bars, params), run(changed, params)

    assert decided(one)[:cut] == decided(two)[:cut]
    before = bars["open_ns"][cut]
    assert filled_before(one, before) == filled_before(two, before)


def filled_before(result, time_ns: int) -> list[bytes]:
    return [fill.tobytes() for fill in result.fills if fill["time_ns"] < time_ns]


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, power=st.integers(-20, 20), params=KINDS)
def test_prices_on_another_scale_lead_to_the_same_decisions(
    seed: int, power: int, params: PipelineParams
) -> None:
    scale = 2.0**power
    bars = walk(seed, 1500)
    scaled = bars.copy()
    for name in ("open", "high", "low", "close"):
        scaled[name] *= scale
    free = free_of_fees(params)  # fees are rounded to 1e-8 of the quote currency

    one = run(bars, free)
    two = run(scaled, free, cash=10_000.0 * scale, tick=0.01 * scale, least_notional=5.0 * scale)

    for name in ("stage", "reason", "side", "score", "confidence", "rsi", "adx", "quantity_lots"):
        assert one.decisions[name].tobytes() == two.decisions[name].tobytes(), name
    assert (one.decisions["atr"] * scale).tobytes() == two.decisions["atr"].tobytes()
    assert one.fills["price_ticks"].tolist() == two.fills["price_ticks"].tolist()
    assert one.account["equity"][0] * scale == two.account["equity"][0]


def free_of_fees(params: PipelineParams) -> PipelineParams:
    return replace(params, costs=replace(params.costs, taker_fee_bps=0.0, maker_fee_bps=0.0))


@settings(max_examples=25, deadline=None)
@given(
    seed=SEEDS,
    params=st.sampled_from([ACTIVE, EAGER, WHOLE, LIMITS, CHASES]),
    price=st.sampled_from([1e-4, 1.0, 100.0, 1e5]),
)
def test_cash_and_positions_are_the_equity_and_realized_is_the_gain(
    seed: int, params: PipelineParams, price: float
) -> None:
    result = run(walk(seed, 1500, price=price), params, tick=price * 1e-4, lot=1e-3 / price)
    account, position = result.account[0], result.markets[0]["position"]

    lots, price = position["quantity_lots"], result.markets[0]["last_close"]
    value = lots * result.markets[0]["instrument"]["lot_size"] * price
    assert account["marked"] == pytest.approx(value, abs=1e-9)
    assert account["cash"] + account["marked"] == pytest.approx(account["equity"], abs=1e-9)
    fees = result.fills["fee_units"].sum() / FEE_UNITS_PER_QUOTE
    assert account["fees"] == pytest.approx(fees, abs=1e-6)
    entry = lots * result.markets[0]["instrument"]["lot_size"] * position["entry_price"]
    assert account["realized"] == pytest.approx(account["cash"] + entry - 10_000.0, abs=1e-6)


AWKWARD = {
    "flat": lambda: flat(400),
    "without volume": lambda: with_volume(walk(1, 800), 0.0),
    "tiny prices": lambda: walk(2, 800, price=1e-8),
    "huge prices": lambda: walk(3, 800, price=1e8),
    "a bar of 80 %": lambda: with_jump(walk(4, 800), 0.2),
    "a bar of 400 %": lambda: with_jump(walk(4, 800), 5.0),
    "gaps": lambda: with_gaps(walk(5, 800)),
    "three bars": lambda: walk(6, 3),
    "one bar": lambda: walk(6, 1),
    "wild": lambda: walk(7, 800, noise=0.05),
}


def flat(count: int) -> np.ndarray:
    level = np.full(count, 100.0)
    return from_prices(level, level, np.zeros(count), np.ones(count))


def with_volume(bars: np.ndarray, volume: float) -> np.ndarray:
    bars["volume"] = volume
    return bars


def with_jump(bars: np.ndarray, factor: float) -> np.ndarray:
    for name in ("open", "high", "low", "close"):
        bars[name][500:] *= factor
    bars["high"][500] = max(bars["high"][500], bars["close"][499])
    bars["low"][500] = min(bars["low"][500], bars["close"][499])
    bars["open"][500] = bars["close"][499]
    bars["high"][500] = max(bars["high"][500], bars["open"][500])
    bars["low"][500] = min(bars["low"][500], bars["open"][500])
    return bars


def with_gaps(bars: np.ndarray) -> np.ndarray:
    bars["open_ns"][300:] += 45 * MINUTE_NS
    bars["open_ns"][600:] += 3 * MINUTE_NS
    return bars


@pytest.mark.parametrize("shape", AWKWARD)
@pytest.mark.parametrize("tick", [1e-8, 0.01, 1.0])
@pytest.mark.parametrize(
    "params",
    [ACTIVE, EAGER, WHOLE, LIMITS, CHASES],
    ids=["active", "eager", "whole", "limits", "chases"],
)
def test_no_order_is_ever_outside_its_limits(shape: str, tick: float, params) -> None:
    bars = AWKWARD[shape]()
    play = Play.fresh(params, tick=tick)

    for i in range(len(bars)):
        play.bar(bars, i)
        assert_within_limits(play, params)

    assert len(play.decisions) == len(bars)


def assert_within_limits(play: Play, params: PipelineParams) -> None:
    d = explain.read(play.decisions[-1]).decision
    market, account = play.markets[0], play.account[0]
    assert np.isfinite([account[name] for name in ("cash", "equity", "exposure", "marked")]).all()
    if d["intent_seq"] == 0:
        return
    grid, sizing, close = market["instrument"], params.sizing, d["close"]
    quantity = d["quantity_lots"] * grid["lot_size"]
    slack = 1.0 + 1e-9
    assert d["quantity_lots"] >= max(grid["min_quantity_lots"], 1)
    assert quantity * close >= grid["min_notional"]
    assert quantity * close <= sizing.max_position * d["equity"] * slack
    assert account["exposure"] <= sizing.max_exposure * d["equity"] * slack
    assert quantity * d["stop_distance"] <= sizing.risk_per_trade * d["equity"] * slack
    assert d["stop_distance"] <= params.risk.max_stop * close * params.exits.stop_scale
    assert d["side"] == 1 or params.risk.allow_short == 1


def test_more_lots_than_can_be_counted_are_never_a_negative_number() -> None:
    account, grid = pipeline.new_account(1e6)[0], pipeline.new_markets(1)[0]["instrument"]
    grid["lot_size"] = 1e-10
    params = pipeline.new_params(EAGER)[0]["sizing"]

    lots = sizing.size_lots(account, params, grid, 1e-8, (1e-9, 0.01), 1.0)

    assert lots == 2**53


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, params=KINDS)
def test_a_stop_never_loosens(seed: int, params: PipelineParams) -> None:
    result = run(walk(seed, 1500), params, tick=0.5)
    held = result.decisions["position_lots"]
    stops = result.decisions["stop_ticks"]

    for i in range(1, len(held)):
        if held[i] != 0 and held[i] == held[i - 1]:
            assert (stops[i] - stops[i - 1]) * np.sign(held[i]) >= 0


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, tick=st.sampled_from([0.01, 0.3, 1.0]))
def test_the_first_stop_lies_within_a_tick_of_the_distance_that_was_sized(
    seed: int, tick: float
) -> None:
    bars = walk(seed, 1500)
    play = Play.fresh(EAGER, tick=tick)

    for i in range(len(bars)):
        known = len(play.intents)
        planned = float(play.markets[0]["position"]["planned_stop_distance"])
        play.bar(bars, i)
        for intent in play.intents[known:]:
            if intent["purpose"] == Purpose.PROTECT:
                entry = np.frombuffer(play.fills[-1], FILL)[0]
                if entry["purpose"] != Purpose.ENTRY:
                    continue  # touched within the bar of its entry
                distance = abs(entry["price_ticks"] - intent["price_ticks"]) * tick
                assert distance == pytest.approx(planned, rel=1e-6)


@pytest.mark.parametrize("bit", HoldBit)
def test_a_hold_stops_entries_and_nothing_else(bit: HoldBit) -> None:
    bars = walk(4, 1200)
    free, held = Play.fresh(EAGER), Play.fresh(EAGER)
    for i in range(600):
        free.bar(bars, i)
        held.bar(bars, i)
    while free.markets[0]["position"]["quantity_lots"] == 0:
        i += 1
        free.bar(bars, i)
        held.bar(bars, i)
    held.account["holds"] = int(bit)

    for k in range(i + 1, len(bars)):
        held.bar(bars, k)

    asked = [x for x in held.intents if x["at_ns"] > bars["open_ns"][i] + MINUTE_NS]
    assert Purpose.ENTRY not in {int(x["purpose"]) for x in asked}
    assert held.markets[0]["position"]["quantity_lots"] == 0
    reasons = {int(explain.read(r).decision["reason"]) for r in held.decisions}
    assert Reason.HELD in reasons
