"""Spaces, samplers, objectives and windows: the same seed asks the same, and no test bar is trained on."""

from itertools import pairwise

import numpy as np
import pytest

from tests.research.conftest import base, search
from trading.core.config.profiles import PROFILES
from trading.core.params import InvalidParams
from trading.research.objectives import measure, score
from trading.research.requests import DAY_NS, InvalidRequest, Walk
from trading.research.samplers import new_sampler
from trading.research.space import InvalidSpace, declared_names, parse_dimension, with_values
from trading.research.windows import plan_windows

MINUTE_NS = 60_000_000_000


def asked(chosen, *, seed: int = 7) -> list[dict]:
    sampler = new_sampler(chosen, seed=seed)
    sets: list[dict] = []
    while len(sets) < chosen.trials:
        batch = sampler.ask(min(20, chosen.trials - len(sets)))
        sampler.tell([sum(values.values()) for values in batch])
        sets += batch
    return sets


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("exits.stop_scale=1:2:0.25", (1.0, 1.25, 1.5, 1.75, 2.0)),
        ("confluence.min_score=0.3,0.4,0.5", (0.3, 0.4, 0.5)),
        ("strategies.trend.fast=10:50:10", (10, 20, 30, 40, 50)),
        ("strategies.trend.fast=10:12", (10, 11, 12)),
        ("confluence.min_score=0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("risk.allow_short", (0, 1)),
        ("exits.stop_scale=2:3", ()),
    ],
)
def test_a_parameter_to_vary_is_read(text: str, values: tuple) -> None:
    read = parse_dimension(text)

    assert read.values == values
    assert all(isinstance(value, type(read.low)) for value in values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exits.stop_scal=1", "did you mean 'exits.stop_scale'"),
        ("stop_scale=1", "exits.stop_scale"),
        ("exits.stop_scale=1:99:1", "must be from 0.5 to 20, was 99"),
        ("strategies.trend.fast=10.5", "whole number"),
        ("exits.stop_scale=a,b", "'a' is no number"),
        ("exits.stop_scale=3:2:1", "low must not be above high"),
        ("exits.stop_scale=1:2:-1", "step must be above 0"),
        ("exits.stop_scale=1:2:3:4", "accepted is name=low:high:step"),
        ("exits.stop_scale=1,1", "every value once"),
        ("exits.stop_scale=1:20:0.0000001", "take a larger step"),
        ("exits.stop_scale=nan", "is no number"),
    ],
)
def test_a_parameter_that_cannot_be_varied_so_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidSpace, match=words.replace(".", r"\.")):
        parse_dimension(text)


def test_every_declared_parameter_can_be_varied_over_its_bounds() -> None:
    names = [name for name in declared_names() if name != "exits.max_hold_bars"]  # too many

    for name in names:
        read = parse_dimension(name)
        assert with_values(PROFILES["active"], {name: read.low}) is not None


def test_values_that_do_not_belong_are_refused() -> None:
    with pytest.raises(InvalidParams, match="must be from"):
        with_values(PROFILES["active"], {"exits.stop_scale": 99.0})


@pytest.mark.parametrize("sampler", ["grid", "random", "tpe"])
def test_the_same_seed_asks_the_same_sets(sampler: str) -> None:
    chosen = search(sampler=sampler, epochs=45)

    assert asked(chosen) == asked(chosen)
    assert len(asked(chosen)) == chosen.trials


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_another_seed_asks_others(sampler: str) -> None:
    chosen = search(sampler=sampler, epochs=25)

    assert asked(chosen, seed=1) != asked(chosen, seed=2)


def test_a_grid_and_a_random_draw_of_all_try_every_set_once() -> None:
    whole = {tuple(values.values()) for values in asked(search())}

    drawn = asked(search(sampler="random", epochs=1000))

    assert len(whole) == len(drawn) == 36
    assert {tuple(values.values()) for values in drawn} == whole


def test_numbers_without_steps_are_drawn_between_their_bounds() -> None:
    space = (parse_dimension("exits.stop_scale=2:3"),)

    drawn = [v["exits.stop_scale"] for v in asked(search(space=space, sampler="random"))]

    assert len(set(drawn)) == 30
    assert all(2 <= value <= 3 for value in drawn)


def test_tpe_learns() -> None:
    late = asked(
        search(sampler="tpe", epochs=200, space=(parse_dimension("exits.stop_scale=1:20:1"),))
    )

    assert np.mean([v["exits.stop_scale"] for v in late[100:]]) > 14  # the sum is to be large


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": ()}, "at least one parameter"),
        ({"sampler": "magic"}, "accepted is grid, random, tpe"),
        ({"objective": "luck"}, "accepted is return, sharpe"),
        ({"epochs": 0}, "epochs: must be from 1"),
        ({"space": (parse_dimension("exits.stop_scale=2:3"),)}, "a grid needs a step"),
        ({"space": tuple(parse_dimension(f"risk.{n}=1:500") for n in ("cooldown_bars", "cooldown_bars_after_loss"))}, "points"),
    ],
)  # fmt: skip
def test_a_search_that_cannot_be_is_refused_in_words(changes: dict, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        search(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbols": ()}, "at least one"),
        ({"symbols": ("BTC/USD", "ETH/EUR")}, "one quote currency"),
        ({"seed": -1}, "seed: must be from 0"),
        ({"start_ns": 5, "end_ns": 5}, "end must lie after"),
    ],
)
def test_a_backtest_that_cannot_be_is_refused_in_words(changes: dict, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        base(**changes)


def test_a_set_that_traded_too_little_has_no_score() -> None:
    metrics = {"return": 1.0, "trades": 4}

    assert score("return", metrics, min_trades=5) is None
    assert score("return", metrics, min_trades=4) == 1.0
    assert score("return", None, min_trades=0) is None


def test_metrics_of_a_known_path() -> None:
    opens = np.arange(3) * DAY_NS
    metrics, daily = measure(
        open_ns=opens,
        equity=np.array([110.0, 99.0, 132.0]),
        end_equity=132.0,
        profits=[10.0, -5.0, 27.0],
        cash=100.0,
    )

    assert daily == pytest.approx([0.1, -0.1, 1 / 3])
    assert metrics["return"] == pytest.approx(0.32)
    assert metrics["max_drawdown"] == pytest.approx(0.1)
    assert metrics["profit_factor"] == pytest.approx(7.4)
    assert metrics["expectancy"] == pytest.approx(32 / 3)
    assert metrics["sharpe"] == pytest.approx(daily.mean() / daily.std(ddof=1) * 365**0.5)


@pytest.mark.parametrize("anchored", [False, True])
def test_windows_leave_the_gap_and_test_every_bar_once(anchored: bool) -> None:
    walk = Walk(train_days=20, test_days=5, purge_bars=90, anchored=anchored)
    first, end = 1000 * DAY_NS, 1047 * DAY_NS

    windows = plan_windows(walk, first_ns=first, end_ns=end, timeframe_ns=MINUTE_NS)

    assert len(windows) == 5
    for window in windows:
        assert window.test_start_ns - window.train_end_ns == 90 * MINUTE_NS
        assert window.test_end_ns - window.test_start_ns == 5 * DAY_NS
        assert window.test_end_ns <= end
        trained = window.train_end_ns - window.train_start_ns
        assert trained == (20 + 5 * window.number if anchored else 20) * DAY_NS
    assert all(a.test_end_ns == b.test_start_ns for a, b in pairwise(windows))
    assert windows[0].train_start_ns == first


def test_a_range_too_short_to_walk_is_refused_with_its_lengths() -> None:
    walk = Walk(train_days=20, test_days=5, purge_bars=0)

    with pytest.raises(InvalidRequest, match=r"24\.0 days of bars.* take 25\.0"):
        plan_windows(walk, first_ns=0, end_ns=24 * DAY_NS, timeframe_ns=MINUTE_NS)
