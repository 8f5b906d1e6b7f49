"""Evidence against the papers' worked examples, slow references and what must hold for all data."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.backtest import evidence, metrics, overfitting, resampling
from trading.backtest.evidence import Moments, Trials


def known(value: float | None) -> float:
    """A number that must be there."""
    assert value is not None
    return value


# Bailey and López de Prado (2014), "The Deflated Sharpe Ratio", its numerical example: an annual
# Sharpe ratio of 2.5 over 1,250 days (250 a year), skewness -3, kurtosis 10; the annual Sharpe
# ratios of the trials have the variance 1/2.
EXAMPLE = Moments(2.5 / math.sqrt(250), -3.0, 10.0, 1250)
VARIANCE = 0.5 / 250


@pytest.mark.parametrize(
    ("found", "trials", "dsr"),
    [
        (EXAMPLE, 100, 0.9004),
        (EXAMPLE, 46, 0.9505),
        (Moments(EXAMPLE.sharpe, 0.0, 3.0, 1250), 88, 0.9505),
    ],
)
def test_the_deflated_sharpe_ratio_is_the_papers(found, trials, dsr) -> None:
    best = evidence.expected_best(trials, VARIANCE)

    assert evidence.psr(found, best) == pytest.approx(dsr, abs=5e-5)


def test_the_best_of_a_hundred_is_expected_where_the_paper_says() -> None:
    assert evidence.expected_best(100, VARIANCE) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("per_year", "skew", "kurt", "years"),
    [(250, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_the_least_track_record_is_the_papers(per_year, skew, kurt, years) -> None:
    # Bailey and López de Prado (2012): Sharpe 2 above a benchmark of 1, 95 % confidence.
    found = Moments(2 / math.sqrt(per_year), skew, kurt, 100)

    needed = evidence.track_record(found, 1 / math.sqrt(per_year), 0.95)

    assert needed / per_year == pytest.approx(years, abs=0.005)


def test_the_best_of_many_without_an_edge_is_where_it_is_expected() -> None:
    best = np.random.default_rng(1).normal(0, 0.05, (4_000, 200)).max(axis=1).mean()

    assert evidence.expected_best(200, 0.05**2) == pytest.approx(best, rel=0.02)


def test_a_record_as_long_as_needed_is_sure_enough() -> None:
    found = Moments(0.1, -0.5, 6.0, 50)
    needed = evidence.track_record(found, 0.0, 0.95)

    at_that_length = Moments(0.1, -0.5, 6.0, round(needed))

    assert evidence.psr(at_that_length, 0.0) == pytest.approx(0.95, abs=0.001)


def noise(days: int, *, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.02, days)


@given(st.integers(60, 400), st.floats(-0.01, 0.01), st.integers(2, 10_000))
@settings(max_examples=50)
def test_more_trials_never_make_a_result_surer(days, mean, trials) -> None:
    returns = noise(days, mean=mean)

    alone = known(evidence.probabilistic_sharpe(returns).probability)
    one, more = (
        known(evidence.deflated_sharpe(returns, Trials(count, 1e-3)).probability)
        for count in (trials, trials + 1)
    )

    assert 0 <= more <= one <= alone <= 1


def test_the_number_of_tries_a_result_survives_is_where_it_falls_below_95_percent() -> None:
    returns = noise(700, mean=0.0035, seed=4)

    most = int(known(evidence.trials_survived(returns)))

    sure = [
        known(evidence.deflated_sharpe(returns, Trials(count, 1 / 699)).probability)
        for count in (most, most + 1)
    ]
    assert sure[0] >= 0.95 > sure[1]
    assert evidence.trials_survived(noise(700)) == 0
    assert evidence.trials_survived(noise(10)) is None


def test_too_few_days_are_said_and_not_counted() -> None:
    short = noise(59)

    for told in (
        evidence.probabilistic_sharpe(short),
        evidence.deflated_sharpe(short, Trials(5, 0.1)),
        evidence.minimum_track_record(short),
        resampling.interval_of_cagr(short[None]),
        resampling.drawdown_bands(short[None]),
    ):
        assert told.words == "Not enough days to say: 59, and 60 are the least."
    assert evidence.probabilistic_sharpe(short).probability is None
    assert "too little" in evidence.probabilistic_sharpe(np.zeros(100)).words


def test_a_track_record_that_proves_nothing_has_no_length() -> None:
    told = evidence.minimum_track_record(noise(200, mean=-0.002))

    assert told.days_needed is None
    assert "no length of record" in told.words


def test_words_say_how_often_luck_does_as_well() -> None:
    assert [evidence.one_in(p) for p in (1, 0.62, 1 / 3, 0.004, 0.0001)] == [
        "in nearly every try", "in 6 of 10 tries", "in 1 of 3 tries", "in 1 of 250 tries",
        "in fewer than 1 of 1,000 tries",
    ]  # fmt: skip


def test_a_p_value_counts_the_run_itself() -> None:
    random = np.arange(99) / 100

    assert evidence.p_value(2.0, random) == 0.01
    assert evidence.p_value(-1.0, random) == 1.0
    assert evidence.p_value(0.5, random) == pytest.approx(0.5)


def test_entries_are_judged_from_thirty_trades_on() -> None:
    random = (np.linspace(-1, 1, 999), np.linspace(-1, 1, 999))

    few = evidence.judge_entries(observed=(2.0, 2.0), random=random, trades=29)
    many = evidence.judge_entries(observed=(2.0, 0.0), random=random, trades=30)

    assert (few.return_p, few.words) == (
        None,
        "Not enough trades to say: 29, and 30 are the least.",
    )
    assert (many.return_p, many.expectancy_p) == (0.001, pytest.approx(0.5, abs=0.01))
    assert "in 1 of 1,000 tries" in many.words


def slow_pbo(returns: np.ndarray, parts: int) -> float:
    """Straight from the paper, one split and one trial at a time."""
    returns = returns[len(returns) % parts :]
    blocks = np.split(returns, parts)
    overfitted = []
    for taken in combinations(range(parts), parts // 2):
        inside = np.concatenate([blocks[k] for k in taken])
        outside = np.concatenate([blocks[k] for k in range(parts) if k not in taken])
        scores = [one.mean() / one.std() for one in inside.T]
        theirs = [one.mean() / one.std() for one in outside.T]
        best = theirs[int(np.argmax(scores))]
        rank = sum(other <= best for other in theirs)
        share = rank / (len(theirs) + 1)
        overfitted.append(math.log(share / (1 - share)) <= 0)
    return float(np.mean(overfitted))


@pytest.mark.parametrize(("trials", "seed"), [(2, 1), (7, 2), (20, 3)])
def test_the_probability_of_overfitting_equals_the_slow_one(trials, seed) -> None:
    returns = np.random.default_rng(seed).normal(0.0005, 0.02, (131, trials))

    told = overfitting.overfitting(returns, parts=8)

    assert told.probability == slow_pbo(returns, 8)
    assert told.splits == 70


def test_noise_is_overfitted_half_of_the_time_and_a_real_edge_is_not() -> None:
    returns = np.random.default_rng(7).normal(0, 0.02, (640, 40))
    blind = np.mean(
        [overfitting.overfitting(noise_, parts=8).probability
         for noise_ in np.random.default_rng(8).normal(0, 0.02, (30, 160, 20))]
    )  # fmt: skip
    returns[:, 11] += 0.006

    told = overfitting.overfitting(returns)

    assert blind == pytest.approx(0.5, abs=0.1)
    assert (told.probability, told.splits) == (0.0, 12_870)
    assert told.loses_out_of_sample == 0.0


def test_idle_variants_do_not_pass_for_good_ones() -> None:
    told = overfitting.overfitting(np.zeros((100, 4)), parts=4)

    assert told.probability == 1.0  # rank exactly in the middle is not above it


def test_overfitting_needs_variants_days_and_even_parts() -> None:
    assert overfitting.overfitting(np.zeros((100, 1))).probability is None
    assert overfitting.overfitting(np.zeros((20, 5))).probability is None
    with pytest.raises(ValueError, match="even"):
        overfitting.overfitting(np.zeros((100, 5)), parts=5)


def test_decay_is_what_is_left_and_its_slope() -> None:
    told = overfitting.walk_forward_decay(np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 1.5]))

    assert (told.kept, told.slope) == (pytest.approx(0.5), pytest.approx(0.5))
    assert "1.00 was left" in told.words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([1.0, 1.0], [1.0, 1.0], "Not enough windows"),
        ([-1.0, -1.0, 0.5], [1.0, 1.0, 1.0], "earned nothing"),
        ([1.0, 1.0, 1.0], [-1.0, 0.0, 0.5], "Nothing of the Sharpe ratio"),
    ],
)
def test_decay_says_when_there_is_nothing_to_divide(before, after, words) -> None:
    assert words in overfitting.walk_forward_decay(np.array(before), np.array(after)).words


def test_decay_wants_pairs() -> None:
    with pytest.raises(ValueError, match="3 windows in sample, 2 out of it"):
        overfitting.walk_forward_decay(np.ones(3), np.ones(2))


def slow_resample(starts, begins, days) -> list[int]:
    """Politis and Romano, one day after the other."""
    at, told = 0, []
    for k in range(days):
        at = int(starts[k]) if begins[k] or k == 0 else (at + 1) % days
        told.append(at)
    return told


@given(st.integers(1, 60), st.floats(1.0, 20.0), st.integers(0, 999))
@settings(max_examples=60)
def test_resampled_days_equal_the_slow_walk(days, block, seed) -> None:
    rows = resampling.resample_days(
        days, draws=3, block=block, generator=np.random.default_rng(seed)
    )

    same = np.random.default_rng(seed)
    starts = same.integers(0, days, (3, days), dtype=np.int32)
    begins = same.random((3, days), dtype=np.float32) < 1 / block
    for k in range(3):
        assert rows[k].tolist() == slow_resample(starts[k], begins[k], days)


def test_blocks_are_as_long_as_asked_on_average() -> None:
    rows = resampling.resample_days(1_000, draws=50, block=8, generator=np.random.default_rng(1))

    breaks = np.mean((rows[:, 1:] - rows[:, :-1]) % 1_000 != 1)

    assert 1 / breaks == pytest.approx(8, rel=0.05)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth, held = 0.001 / 0.02 * math.sqrt(365), 0
    for seed in range(100):
        drawn = resampling.histories(noise(365, mean=0.001, seed=seed), seed=1, draws=200)
        told = resampling.interval_of_sharpe(drawn)
        held += known(told.low) <= truth <= known(told.high)

    assert 80 <= held <= 97


def test_intervals_and_bands_are_seeded_and_in_order() -> None:
    returns = noise(200, mean=0.002)
    first, again, other = (resampling.histories(returns, seed=s) for s in (1, 1, 2))

    told = resampling.drawdown_bands(first)
    bands = np.array(told.bands)

    assert (first == again).all()
    assert (first != other).any()
    assert bands.shape == (5, 200)
    assert (np.diff(bands, axis=0) >= 0).all()
    assert 0 < known(told.median) < known(told.worst_of_20) < 1
    cagr = resampling.interval_of_cagr(first)
    yearly = known(metrics.yearly(float(np.prod(1 + returns)), 200))
    assert known(cagr.low) < yearly < known(cagr.high)
