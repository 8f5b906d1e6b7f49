"""The facts of a run: what they hold, and the verdict they lead to."""

import json

import numpy as np
import pytest

from tests.backtest.samples import GRID, ROWS, result, walk_run
from trading.backtest import evidence, metrics, report, trips, verdict
from trading.backtest.runner import Result
from trading.core.config.money import CostParams
from trading.core.records import BAR


def described(run: Result) -> dict:
    bars = np.zeros(len(run.decisions), BAR)
    bars["open_ns"] = run.decisions["bar_open_ns"]
    bars["open"] = bars["close"] = 100.0
    closed = trips.round_trips(run, [GRID])
    return report.describe(report.Run(run, closed, [GRID], [bars], CostParams(), 1000.0, "USD"))


def test_the_short_report_tells_the_two_trips() -> None:
    told = described(result([1000.0, 1009.5, 1002.5, 1002.5], ROWS, held=[1, 0, 1, 0]))

    assert told["closed_trades"] == 2
    assert told["average_hold_hours"] == pytest.approx(4.0)
    assert told["return"] == pytest.approx(0.0025)
    assert told["exits"] == {"target": 1, "stop": 1}
    assert told["decisions"] == {"no vote": 4}


def test_drawdown_is_the_deepest_fall_and_the_longest_wait() -> None:
    told = described(result([1000.0, 1200.0, 900.0, 1100.0, 1200.0, 1250.0, 1240.0], []))

    assert told["max_drawdown"] == pytest.approx(0.25)
    assert told["longest_drawdown_days"] == 3
    assert (told["win_rate"], told["expectancy"], told["average_hold_hours"]) == (None, None, None)


def test_a_fall_that_never_recovers_lasts_until_the_end() -> None:
    assert (
        described(result([1000.0, 1200.0, 900.0, 900.0, 900.0, 900.0], []))["longest_drawdown_days"]
        == 4
    )


def test_the_facts_are_json_and_the_same_every_time() -> None:
    run = walk_run()

    first, second = (json.dumps(report.describe(run), allow_nan=False) for _ in range(2))

    assert first == second
    assert set(json.loads(first)) >= {"verdict", "metrics", "breakdowns", "baselines", "evidence"}


def test_metrics_stand_by_their_name_in_the_short_report_too() -> None:
    run = walk_run()

    told = report.describe(run)

    measured = metrics.measure(run.result, run.trips, run.grids, cash=run.cash)
    assert told["metrics"] == measured
    assert told["sharpe_daily"] == measured["sharpe"]
    assert told["yearly_return"] == measured["cagr"]


def facts(**changes: object) -> dict:
    """Of a run that gained in a year of 200 trades and passes both tests."""
    return {
        "closed_trades": 200, "open_positions": 0, "days": 365.0, "return": 0.4, "fees": 10.0,
        "currency": "USD", "start_equity": 1000.0, "end_equity": 1400.0, "max_drawdown": 0.1,
        "buy_and_hold": {"BTC/USD": {"return": -0.2, "max_drawdown": 0.5}},
        "evidence": {
            "random_entries": {"return_p": 0.001, "words": "Random."},
            "deflated_sharpe": None,
            "probabilistic_sharpe": {"probability": 0.99, "words": "Sharpe."},
            "drawdowns": {"words": "Falls."},
        },
        **changes,
    }  # fmt: skip


def lucky(**changes: object) -> dict:
    found = facts()["evidence"]
    found["random_entries"] = {"return_p": 0.4, "words": "Random."}
    return facts(evidence=found, **changes)


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        (facts(), "strong", "Gained 40.0% in 365 days with 200 trades."),
        (lucky(), "some", "hint, not a proof"),
        (facts(**{"return": -0.1}), "against", "Lost 10.0%"),
        (facts(closed_trades=29), "unknown", "30 trades are the least"),
        (facts(days=12.0), "unknown", "60 days are the least"),
        (
            facts(closed_trades=0),
            "unknown",
            "Never traded in 365 days. There is no trade to judge.",
        ),
        (facts(closed_trades=1, days=0.5), "unknown", "in 12 hours with 1 trade."),
    ],
)
def test_the_verdict_says_it_in_words(given: dict, level: str, words: str) -> None:
    judged = verdict.judge(given)

    assert judged.level == level
    assert words in judged.headline


def test_a_result_picked_from_many_is_judged_as_the_best_of_them() -> None:
    given = facts()
    given["evidence"]["deflated_sharpe"] = {"probability": 0.6, "words": "Best of many."}

    judged = verdict.judge(given)

    assert judged.level == "some"
    assert "Best of many." in judged.sentences
    assert "Sharpe." not in judged.sentences


def test_the_trials_a_run_was_chosen_from_are_told() -> None:
    told = report.describe(walk_run(), trials=evidence.Trials(40, 0.01))

    assert told["evidence"]["deflated_sharpe"]["trials"] == 40
    assert report.describe(walk_run())["evidence"]["deflated_sharpe"] is None


def test_luck_that_explains_both_numbers_is_named() -> None:
    given = lucky()
    given["evidence"]["probabilistic_sharpe"] = {"probability": 0.7, "words": "Sharpe."}

    judged = verdict.judge(given)

    assert judged.level == "none"
    assert judged.sentences == (
        "Buying and holding BTC/USD lost 20.0% and fell by 50.0% on the way; this fell by 10.0%.",
        "Before fees it earned 410.00 USD; fees took 10.00 USD.",
        "Random.",
        "Sharpe.",
        "Falls.",
    )
