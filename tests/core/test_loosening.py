"""No change that lets more be lost passes as a tightening."""

from hypothesis import given
from hypothesis import strategies as st

from trading.core import loosening
from trading.core.config.pipeline import PipelineParams
from trading.core.loosening import loosened, only_tightens, quiet_hours
from trading.core.params import to_mapping
from trading.research.space import list_parameters

PARAMS = to_mapping(PipelineParams())
LIMITS = [one for one in list_parameters() if one["name"].split(".")[0] in ("risk", "sizing")]
ORDINARY = [one for one in LIMITS if one["name"] not in (*loosening.EITHER_WAY, *loosening.QUIET)]


def with_values(**values: float) -> dict:
    changed = {group: dict(PARAMS[group]) for group in ("risk", "sizing")}
    for name, value in values.items():
        group, leaf = name.split("__")
        changed[group][leaf] = value
    return {**PARAMS, **changed}


def with_one(name: str, value: float) -> dict:
    return with_values(**{name.replace(".", "__"): value})


def test_every_risk_limit_has_its_direction_once() -> None:
    told = (
        *loosening.LOOSER_ABOVE, *loosening.ZERO_IS_OFF, *loosening.LOOSER_BELOW,
        *loosening.EITHER_WAY, *loosening.QUIET,
    )  # fmt: skip

    assert sorted(told) == sorted(one["name"] for one in LIMITS)


@given(st.data(), st.sampled_from(ORDINARY))
def test_of_two_values_one_way_loosens_and_the_other_does_not(data: st.DataObject, one) -> None:
    low, high = sorted(
        data.draw(st.lists(st.floats(one["low"], one["high"]), min_size=2, max_size=2, unique=True))
    )
    name = one["name"]

    up = loosened(with_one(name, low), with_one(name, high))
    down = loosened(with_one(name, high), with_one(name, low))

    assert sorted([up, down]) == [[], [name]]


def test_what_tightens_limits_and_does_nothing_else_is_told_from_the_rest() -> None:
    tighter = with_values(risk__max_open_positions=1)
    other = {**PARAMS, "confluence": {**PARAMS["confluence"], "min_score": 0.9}}
    both = {**other, "risk": tighter["risk"]}

    assert only_tightens(PARAMS, tighter)
    assert not only_tightens(tighter, PARAMS)
    assert not only_tightens(PARAMS, other)
    assert not only_tightens(PARAMS, both)


def test_no_limit_is_the_loosest_limit() -> None:
    some, none = with_values(risk__max_daily_trades=9), with_values(risk__max_daily_trades=0)

    assert loosened(some, none) == ["risk.max_daily_trades"]
    assert loosened(none, some) == []


@given(*[st.integers(0, 23)] * 4)
def test_an_hour_that_was_quiet_stays_quiet_or_it_loosens(a: int, b: int, c: int, d: int) -> None:
    before = with_values(risk__quiet_from=a, risk__quiet_to=b)
    after = with_values(risk__quiet_from=c, risk__quiet_to=d)

    lost = quiet_hours(before) - quiet_hours(after)

    assert bool(loosened(before, after)) == bool(lost)
    assert (len(quiet_hours(before)) == 0) == (a == b)


def test_quiet_hours_pass_midnight() -> None:
    assert quiet_hours(with_values(risk__quiet_from=22, risk__quiet_to=2)) == {22, 23, 0, 1}


def test_a_limit_that_works_both_ways_loosens_both_ways() -> None:
    off = with_values(sizing__scale_streak=0)

    assert loosened(PARAMS, off) == loosened(off, PARAMS) == ["sizing.scale_streak"]
