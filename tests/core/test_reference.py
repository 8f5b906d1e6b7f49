"""Votes, candidates, orders and fills are those of the slow reference."""

from dataclasses import replace

import numpy as np
import pytest

from tests.core.play import ACTIVE, EAGER, REFERENCED, WHOLE, plain, run
from tests.core.reference_account import simulate
from tests.core.samples import real_bars, walk
from trading.core.codes import Abstain, ExitReason
from trading.core.config.pipeline import STRATEGY_NAMES, PipelineParams
from trading.core.records import FEE_UNITS_PER_QUOTE

TICK, LOT, CASH = 0.01, 0.001, 10_000.0
CASES = {
    "balanced": (lambda: walk(21, 3000), plain(PipelineParams())),
    "active": (lambda: walk(22, 3000), ACTIVE),
    "eager": (lambda: walk(23, 3000), EAGER),
    "eager, quiet market": (lambda: walk(24, 3000, noise=0.0015), EAGER),
    "eager, rough market": (lambda: walk(25, 3000, noise=0.006), EAGER),
    "eager, held briefly": (
        lambda: walk(26, 3000),
        replace(EAGER, exits=replace(EAGER.exits, max_hold_bars=12)),
    ),
    "eager, real": (lambda: real_bars(5000), EAGER),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[np.ndarray, PipelineParams]:
    bars, params = CASES[request.param]
    return bars(), params


def test_every_vote_is_the_references(case: tuple[np.ndarray, PipelineParams]) -> None:
    bars, params = case
    result = run(bars, params, tick=TICK, lot=LOT)

    votes, _, _ = simulate(bars, params, tick=TICK, lot=LOT, cash=CASH)

    ours = [
        [
            name
            for name, said in zip(STRATEGY_NAMES, row["abstain"], strict=True)
            if said == Abstain.VOTED
        ]
        for row in result.decisions
    ]
    assert ours == [[vote.strategy for vote in one] for one in votes]
    assert sum(map(len, ours)) > 50
    with_votes = [given for given in votes if given]
    assert len(result.details) == len(with_votes)
    for detail, given in zip(result.details, with_votes, strict=True):
        for vote in given:
            mine = detail["votes"][STRATEGY_NAMES.index(vote.strategy)]
            assert mine["score"] == pytest.approx(vote.score, rel=1e-6)
            assert mine["confidence"] == pytest.approx(vote.confidence, rel=1e-6)
            assert mine["stop_distance"] == pytest.approx(vote.stop, rel=1e-6)
            assert mine["target_distance"] == pytest.approx(vote.target, rel=1e-6)


def test_every_candidate_is_the_references(case: tuple[np.ndarray, PipelineParams]) -> None:
    bars, params = case
    decisions = run(bars, params, tick=TICK, lot=LOT).decisions

    _, candidates, _ = simulate(bars, params, tick=TICK, lot=LOT, cash=CASH)

    met = 0
    for row, found in zip(decisions, candidates, strict=True):
        if row["side"] == 0:
            continue
        met += 1
        assert found is not None
        assert (row["side"], row["agreeing"]) == (found.side, found.agreeing)
        assert row["score"] == pytest.approx(found.score, rel=1e-6)
        assert row["confidence"] == pytest.approx(found.confidence, rel=1e-6)
    assert met > 3


def test_every_fill_and_the_final_account_are_the_references(
    case: tuple[np.ndarray, PipelineParams],
) -> None:
    bars, params = case
    result = run(bars, params, tick=TICK, lot=LOT)

    _, _, account = simulate(bars, params, tick=TICK, lot=LOT, cash=CASH)

    assert [
        (int(f["time_ns"]), int(f["side"]), int(f["quantity_lots"]), int(f["price_ticks"]), why)
        for f in result.fills
        for why in [ExitReason(int(f["reason"])).name]
    ] == account.trades
    assert len(account.trades) > 4
    assert result.account[0]["cash"] == pytest.approx(account.cash, abs=1e-5)
    assert result.account[0]["equity"] == pytest.approx(account.equity, abs=1e-5)
    assert result.account[0]["peak_equity"] == pytest.approx(account.peak, abs=1e-5)
    fees = result.fills["fee_units"].sum() / FEE_UNITS_PER_QUOTE
    assert result.account[0]["fees"] == pytest.approx(fees, abs=1e-6)


@pytest.mark.parametrize("name", STRATEGY_NAMES)
def test_a_weight_of_zero_silences_one_vote_and_changes_no_other(name: str) -> None:
    bars = walk(31, 2000)
    quiet = replace(getattr(WHOLE.strategies, name), weight=0.0)
    muted = replace(WHOLE, strategies=replace(WHOLE.strategies, **{name: quiet}))

    one, two = run(bars, WHOLE), run(bars, muted)

    k = STRATEGY_NAMES.index(name)
    others = [j for j in range(len(STRATEGY_NAMES)) if j != k]
    assert (two.decisions["abstain"][:, k] == Abstain.DISABLED).all()
    same = one.decisions["abstain"][:, others] == two.decisions["abstain"][:, others]
    assert same.all()
    assert STRATEGY_NAMES[: len(REFERENCED)] == REFERENCED
