"""A proposed setting lets the refused candidate pass its gate, and nothing nearer is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.codes import Gate
from trading.core.config.pipeline import PipelineParams
from trading.core.nearest import RULES, Must, Unit, look_up, smallest_change
from trading.core.params import to_mapping
from trading.research.space import list_parameters

BOUNDS = {one["name"]: one for one in list_parameters()}
PARAMS = to_mapping(PipelineParams())


def stored(value: float) -> float:
    """A number as a decision record keeps it."""
    return float(np.float32(value))


def changed(gate: Gate, value: float, limit: float, params: dict | None = None):
    return smallest_change(
        gate, value=stored(value), limit=stored(limit), params=params or PARAMS, bounds=BOUNDS
    )


def with_setting(name: str, value: float) -> dict:
    group, leaf = name.split(".")
    return {**PARAMS, group: {**PARAMS[group], leaf: value}}


def test_every_gate_has_a_rule_and_every_setting_exists() -> None:
    assert RULES.keys() == set(Gate)
    for rule in RULES.values():
        for name in filter(None, (*rule.settings, rule.scales_value, rule.scales_limit)):
            assert name in BOUNDS


@given(score=st.floats(0, 1), least=st.floats(0, 1))
def test_the_proposed_least_score_lets_the_very_score_pass(score: float, least: float) -> None:
    if not score < least:
        return

    change = changed(Gate.SCORE, score, least, with_setting("confluence.min_score", least))

    for setting in change.settings:
        assert setting.then <= score
        assert score - setting.then <= 1.01e-4 + 2e-7
    assert change.settings or score < 1e-4 or stored(score) == stored(least)


@given(loss=st.floats(0.005, 0.49), share=st.floats(0.1, 1))
def test_the_proposed_most_loss_lies_just_above_the_loss(loss: float, share: float) -> None:
    most = max(loss * share, 0.005)

    (setting,) = changed(
        Gate.DAILY_LOSS, loss, most, with_setting("risk.max_daily_loss", most)
    ).settings

    assert loss < setting.then <= loss + 1.01e-4 + 1e-6


@given(value=st.floats(0.1, 1e6), share=st.floats(1.0001, 30), now=st.floats(0.5, 1.3))
def test_a_target_scaled_as_proposed_reaches_its_limit(
    value: float, share: float, now: float
) -> None:
    limit = value * share
    params = with_setting("exits.target_scale", now)

    for setting in changed(Gate.REWARD, value, limit, params).settings:
        assert value * setting.then / now >= limit
        assert BOUNDS[setting.name]["low"] <= setting.then <= BOUNDS[setting.name]["high"]


@given(limit=st.floats(0.1, 1e5), share=st.floats(1.0001, 3), now=st.floats(0.01, 0.15))
def test_a_stop_fits_into_the_limit_as_proposed(limit: float, share: float, now: float) -> None:
    params = with_setting("risk.max_stop", now)

    (setting,) = changed(Gate.STOP_DISTANCE, limit * share, limit, params).settings

    assert limit * share <= limit * setting.then / now


def test_one_more_position_than_are_open_is_proposed() -> None:
    (setting,) = changed(Gate.OPEN_POSITIONS, 5, 5).settings

    assert (setting.name, setting.now, setting.then) == ("risk.max_open_positions", 5, 6)


def test_without_a_model_both_confidences_are_named() -> None:
    change = changed(Gate.CONFIDENCE, 0.5, 0.55)

    assert {s.name for s in change.settings} == {
        "confluence.min_confidence",
        "model.fallback_confidence",
    }
    assert all(s.then <= 0.5 for s in change.settings)


def test_no_setting_is_named_where_another_thing_set_the_limit() -> None:
    change = changed(Gate.SCORE, 0.3, 0.9)

    assert change.settings == ()
    assert change.missing == pytest.approx(0.6)


def test_no_setting_outside_its_bounds_is_named() -> None:
    params = with_setting("risk.max_open_positions", 100)

    assert changed(Gate.OPEN_POSITIONS, 100, 100, params).settings == ()


@pytest.mark.parametrize("gate", [g for g, r in RULES.items() if r.must is Must.BE_GONE])
def test_a_wait_is_told_in_what_is_left_of_it(gate: Gate) -> None:
    change = changed(gate, 7, 0)

    assert change.settings == ()
    assert change.missing == (None if gate is Gate.HOLDS else 7)
    assert change.otherwise or RULES[gate].unit is Unit.BARS


def test_a_parameter_is_found_by_its_dotted_name() -> None:
    assert look_up(PARAMS, "risk.max_stop") == PARAMS["risk"]["max_stop"]
