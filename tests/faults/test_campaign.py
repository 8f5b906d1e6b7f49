"""The campaign as a person runs it: days that end equal, bugs that show, input that is refused."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.forking import answer_of
from trading.chaos.days import VENUES, draw

SLOW_DAY = 60_014

pytestmark = pytest.mark.faults


def chaos(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return answer_of("manage.py", "chaos", *arguments, environment=environment, timeout=300)


def test_days_of_faults_and_deaths_end_equal_and_are_not_played_twice(
    environment, tmp_path: Path
) -> None:
    results = tmp_path / "results.jsonl"

    first = chaos(environment, "--runs=2", "--seed=14", f"--results={results}", "--json")

    told = json.loads(first.stdout or "{}")
    assert first.returncode == 0, first.stdout + first.stderr[-2000:]
    assert (told["days"], told["differing"]) == (2, [])
    assert told["orders"] > 5
    assert told["deaths"] >= 3

    again = chaos(environment, "--runs=2", "--seed=14", f"--results={results}", "--json")

    assert json.loads(again.stdout) == told
    assert len(results.read_text().splitlines()) == 2


@pytest.mark.parametrize(("venue", "seed"), [("kraken", 10_003), ("coinbase", 10_005)])
def test_days_with_order_books_that_are_spoilt_end_equal(environment, venue, seed) -> None:
    done = chaos(environment, "--runs=1", f"--seed={seed}", f"--venue={venue}", "--json")

    told = json.loads(done.stdout or "{}")
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert (told["days"], told["differing"]) == (1, [])
    assert told["orders"] > 0


def test_a_day_on_which_the_journal_is_slow_holds_entries_and_ends_equal(environment) -> None:
    assert draw(SLOW_DAY, venue="kraken").slow_journal

    done = chaos(environment, "--runs=1", f"--seed={SLOW_DAY}", "--json")

    told = json.loads(done.stdout or "{}")
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert told["differing"] == []
    assert told["slow_journals"] > 0
    assert told["orders"] > 0


def test_the_days_of_a_seed_stay_what_they_were_and_later_ones_have_books() -> None:
    drawn = [draw(seed, venue=venue) for venue in VENUES for seed in (1, 999, 1_500, 4_227, 9_999)]
    assert not any(day.has_books for day in drawn)
    told = hashlib.sha256(" ".join(map(str, drawn)).encode()).hexdigest()
    assert told.startswith("111121f6e6f6a092")

    later = [draw(seed, venue=venue) for venue in VENUES for seed in range(10_000, 10_040)]
    booked = [day for day in later if day.has_books]
    assert len(later) > len(booked) > len(later) / 2
    spoilt = {
        one.kind for day in booked for one in day.troubles if one.where in ("book", "l2_data")
    }
    assert {"drop", "bad_checksum", "silent"} <= spoilt


@pytest.mark.parametrize(
    ("venue", "point"), [("kraken", "after_commit"), ("coinbase", "after_move")]
)
def test_a_life_that_hangs_at_a_point_wakes_beside_the_next_leader(
    environment, venue, point
) -> None:
    done = chaos(environment, "--takeovers", point, f"--venue={venue}", "--json")

    told = json.loads(done.stdout or "{}")
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert told["differing"] == []
    assert (told["days"], told["deaths"]) == ((2, 2) if venue == "kraken" else (1, 1))
    assert told["fills"] > 5


def test_bugs_that_need_real_rows_are_found(environment) -> None:
    done = chaos(environment, "--planted", "send_before_commit", "send_what_was_planned", "--json")

    assert json.loads(done.stdout or "{}") == {"planted": 2, "overlooked": []}, done.stderr[-2000:]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--planted", "gremlins"], "--planted gremlins: accepted is timeout_means_refused"),
        (["--runs=0"], "--runs: at least 1"),
        (["--takeovers", "noon"], "--takeovers noon: accepted is before_commit"),
        (["--pair=BTC/USD"], "--exchange: needed with --pair"),
    ],
)
def test_what_cannot_be_meant_is_refused(environment, arguments, words) -> None:
    done = chaos(environment, *arguments)

    assert done.returncode == 4
    assert words in done.stderr
