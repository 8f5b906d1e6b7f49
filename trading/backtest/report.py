"""Result -> plain dict of facts: metrics, breakdowns, baselines, evidence and a verdict in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trading.backtest import baselines, breakdowns, equity, evidence, metrics, resampling, verdict
from trading.backtest.trips import Finished, Grid, RoundTrip
from trading.core.codes import Reason
from trading.core.config.money import CostParams
from trading.core.explain import words

SEED = 1


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run and what it was run on; ``series`` and ``grids`` by market."""

    result: Finished
    trips: Sequence[RoundTrip]
    grids: Sequence[Grid]
    series: Sequence[np.ndarray]
    costs: CostParams
    cash: float
    currency: str


def describe(
    run: Run, *, seed: int = SEED, trials: evidence.Trials | None = None
) -> dict[str, Any]:
    """All facts that follow from the run and the seed of its random tries.

    Args:
        run: the finished run.
        seed: of random entries and resampled days.
        trials: the variants it was chosen from; None: as if it was the only one.
    """
    measured = metrics.measure(run.result, run.trips, run.grids, cash=run.cash)
    random = baselines.random_entries(
        trips=run.trips, series=run.series, costs=run.costs, seed=seed
    )
    holding = {
        grid.symbol: baselines.buy_and_hold(bars, run.costs)
        for grid, bars in zip(run.grids, run.series, strict=True)
    }
    facts = {
        "currency": run.currency,
        "days": equity.span_days(run.result.decisions["bar_open_ns"]),
        **_summary(run, measured),
        "buy_and_hold": holding,
        "metrics": measured,
        "monthly_returns": _months(run),
        "breakdowns": breakdowns.break_down(run.trips),
        "baselines": {"buy_and_hold": holding, "random_entries": _random_facts(random)},
        "evidence": _evidence(run, random, seed, trials),
        "seed": seed,
    }
    return {"verdict": asdict(verdict.judge(facts)), **facts}


def _months(run: Run) -> list[tuple[str, float]]:
    decisions = run.result.decisions
    days, closes = equity.daily_closes(decisions["bar_open_ns"], decisions["equity"])
    return equity.monthly_returns(days, closes, run.cash)


def _summary(run: Run, measured: dict[str, float | None]) -> dict[str, Any]:
    """The short report's numbers, beside counts that are no metric."""
    account, same = run.result.account[0], (
        "return", "max_drawdown", "longest_drawdown_days", "fees", "win_rate", "profit_factor",
        "average_win", "average_loss", "expectancy", "average_hold_hours", "time_in_market",
    )  # fmt: skip
    reasons = Counter(run.result.decisions["reason"].tolist())
    return {
        "start_equity": run.cash,
        "end_equity": float(account["equity"]),
        **{name: measured[name] for name in same},
        "yearly_return": measured["cagr"],
        "sharpe_daily": measured["sharpe"],
        "entries": int(account["entries"]),
        "closed_trades": len(run.trips),
        "open_positions": int((run.result.markets["position"]["quantity_lots"] != 0).sum()),
        "exits": dict(Counter(leg.reason for t in run.trips for leg in t.exits).most_common()),
        "decisions": {
            "entered" if code == Reason.NONE else words(Reason(code)): count
            for code, count in reasons.most_common()
        },
    }


def _random_facts(random: baselines.RandomEntries) -> dict[str, Any]:
    told: dict[str, Any] = {
        "tries": len(random.returns),
        "trades": random.trades,
        "seed": random.seed,
        "observed_return": random.observed[0],
        "observed_expectancy": random.observed[1],
    }
    if len(random.returns):
        levels = (0.05, 0.25, 0.5, 0.75, 0.95)
        told["return_quantiles"] = np.quantile(random.returns, levels).tolist()
        told["expectancy_quantiles"] = np.quantile(random.expectancies, levels).tolist()
    return told


def _evidence(
    run: Run, random: baselines.RandomEntries, seed: int, trials: evidence.Trials | None
) -> dict[str, Any]:
    returns = equity.returns_of(run.result, run.cash)
    drawn = resampling.histories(returns, seed=seed) if len(returns) else np.zeros((0, 0))
    bands = asdict(resampling.drawdown_bands(drawn))
    del bands["bands"]  # a chart's, not a number's
    return {
        "random_entries": asdict(
            evidence.judge_entries(
                observed=random.observed,
                random=(random.returns, random.expectancies),
                trades=random.trades,
            )
        ),
        "probabilistic_sharpe": asdict(evidence.probabilistic_sharpe(returns)),
        "deflated_sharpe": asdict(evidence.deflated_sharpe(returns, trials)) if trials else None,
        "trials_survived": evidence.trials_survived(returns),
        "minimum_track_record": asdict(evidence.minimum_track_record(returns)),
        "sharpe_interval": asdict(resampling.interval_of_sharpe(drawn)),
        "yearly_return_interval": asdict(resampling.interval_of_cagr(drawn)),
        "drawdowns": bands,
    }
