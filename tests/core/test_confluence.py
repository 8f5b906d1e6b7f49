"""The candidate that any three votes make is the reference's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.play import EAGER
from tests.core.reference import Vote, combine
from trading.core import confluence, pipeline
from trading.core.codes import Abstain, Reason, Regime
from trading.core.config.pipeline import STRATEGY_NAMES, PipelineParams

UNIT = st.sampled_from([0.0, 0.29, 0.3, 0.31, 0.5, 0.8, 1.0]) | st.floats(0.3, 1.0)
VOTE = st.tuples(st.sampled_from([-1, 1]), UNIT, UNIT)
VOTES = st.lists(VOTE, min_size=3, max_size=3) | st.lists(st.none() | VOTE, min_size=3, max_size=3)


def weighted(weights: list[float]) -> PipelineParams:
    groups = {
        name: replace(getattr(EAGER.strategies, name), weight=weight)
        for name, weight in zip(STRATEGY_NAMES, weights, strict=True)
    }
    return replace(EAGER, strategies=replace(EAGER.strategies, **groups))


@settings(max_examples=400, deadline=None)
@given(
    given_votes=VOTES,
    weights=st.lists(st.sampled_from([0.1, 1.0, 3.0]), min_size=3, max_size=3),
    trending=st.booleans(),
)
def test_any_votes_make_the_references_candidate(
    given_votes: list[tuple[int, float, float] | None], weights: list[float], trending: bool
) -> None:
    params = weighted(weights)
    decision = np.zeros(1, pipeline.DECISION)[0]
    decision["regime"] = Regime.TREND if trending else Regime.RANGE
    votes = []
    for k, vote in enumerate(given_votes):
        if vote is None:
            decision["votes"][k]["abstain"] = Abstain.NO_SETUP
            continue
        side, strength, confidence = vote
        decision["votes"][k] = (side * strength, confidence, 1.0 + k, 2.0 + k, Abstain.VOTED)
        votes.append(Vote(STRATEGY_NAMES[k], side * strength, confidence, 1.0 + k, 2.0 + k))

    reason = confluence.decide(
        decision, pipeline.new_params(params)[0]["confluence"], tuple(weights)
    )

    found = combine(votes, params, trending=trending)
    if found is None:
        assert reason in (Reason.NO_VOTE, Reason.VOTES_TIED)
        assert decision["side"] == 0
        return
    assert reason == Reason.NONE  # every limit of these parameters is 0
    assert (decision["side"], decision["agreeing"]) == (found.side, found.agreeing)
    assert decision["score"] == pytest.approx(found.score)
    assert decision["confidence"] == pytest.approx(found.confidence)
    assert (decision["stop_distance"], decision["target_distance"]) == (found.stop, found.target)
