"""The candidate that any votes make is the reference's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.play import EAGER
from tests.core.reference import Vote, combine
from trading.core import confluence, pipeline, regime
from trading.core import strategies as all_strategies
from trading.core.codes import Abstain, Regime, Volatility
from trading.core.config.pipeline import STRATEGY_NAMES, PipelineParams

N = len(STRATEGY_NAMES)
UNIT = st.sampled_from([0.0, 0.29, 0.3, 0.31, 0.5, 0.8, 1.0]) | st.floats(0.3, 1.0)
VOTE = st.tuples(st.sampled_from([-1, 1]), UNIT, UNIT)
VOTES = st.lists(st.none() | VOTE, min_size=N, max_size=N)
CHOPPY, BOOK = st.sampled_from([np.nan, 40.0, 70.0]), st.sampled_from([np.nan, -0.5, 0.1, 0.5])


def weighted(weights: list[float]) -> PipelineParams:
    groups = {
        name: replace(getattr(EAGER.strategies, name), weight=weight)
        for name, weight in zip(STRATEGY_NAMES, weights, strict=True)
    }
    loud = replace(EAGER.confluence, regime_weights=1, choppy_above=61.8)
    return replace(EAGER, strategies=replace(EAGER.strategies, **groups), confluence=loud)


def boost(name: str, trending: bool, adx: float, volatility: Volatility) -> float:
    """The regime's factor of a strategy, from the table in words."""
    trend, range_, storm, calm = regime.TABLE.get(name, (1.0, 1.0, 1.0, 1.0))
    if not trending and adx < 20 and name in ("trend", "ichimoku", "supertrend"):
        return 0.0
    wants_range = ("mean_reversion", "stochastic_divergence", "reversal")
    if trending and adx > 35 and name in wants_range:
        return 0.0
    of_storm = {Volatility.HIGH: storm, Volatility.LOW: calm}.get(volatility, 1.0)
    return min((trend if trending else range_) * of_storm, 2.0)


@settings(max_examples=300, deadline=None)
@given(
    given_votes=VOTES,
    weights=st.lists(st.sampled_from([0.1, 1.0, 3.0]), min_size=N, max_size=N),
    adx=st.sampled_from([10.0, 22.0, 30.0, 40.0]),
    volatility=st.sampled_from(list(Volatility)),
    choppy=CHOPPY,
    book=BOOK,
)
def test_any_votes_make_the_references_opinion(
    given_votes: list[tuple[int, float, float] | None],
    weights: list[float],
    adx: float,
    volatility: Volatility,
    choppy: float,
    book: float,
) -> None:
    params, trending = weighted(weights), adx >= 25
    market = pipeline.new_markets(1)[0]
    frame = market["frames"][0]
    now = frame["now"]
    now["adx"], now["regime"] = adx, Regime.TREND if trending else Regime.RANGE
    now["volatility"], now["choppiness"], now["book_score"] = volatility, choppy, book
    votes = []
    for k, vote in enumerate(given_votes):
        if vote is None:
            frame["votes"][k]["abstain"] = Abstain.NO_SETUP
            continue
        side, strength, confidence = vote
        frame["votes"][k] = (side * strength, confidence, 1.0 + k, 2.0 + k, Abstain.VOTED)
        votes.append(Vote(STRATEGY_NAMES[k], side * strength, confidence, 1.0 + k, 2.0 + k))
    record = pipeline.new_params(params)[0]

    confluence.form(
        frame["opinion"],
        frame["votes"],
        now,
        all_strategies.weights(record["strategies"]),
        market["learning"],
        record,
        0,
    )

    boosts = {name: boost(name, trending, adx, volatility) for name in STRATEGY_NAMES}
    found = combine(votes, params, trending=trending, boost=boosts)
    opinion = frame["opinion"]
    if found is None:
        assert opinion["side"] == 0
        return
    agreeing = max(opinion["longs"], opinion["shorts"])
    assert (opinion["side"], agreeing) == (found.side, found.agreeing)
    assert opinion["score"] == pytest.approx(found.score)
    flows = [
        v
        for v in votes
        if v.strategy == "order_flow" and v.score * found.side >= 0.3 and v.confidence >= 0.3
    ]
    sure = found.confidence
    if 0 < sure < 1:  # the reference has been cut to its bounds otherwise
        sure += 0.05 * (book * found.side >= 0.2 and not flows)
        sure *= 0.9 if choppy > 61.8 else 1.0
        assert opinion["confidence"] == pytest.approx(min(sure, 1.0))
    assert (opinion["stop_distance"], opinion["target_distance"]) == (found.stop, found.target)
