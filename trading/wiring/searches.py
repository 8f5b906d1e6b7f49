"""Tries the parameter sets of a search in batches, skipping those an earlier worker finished."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trading.backtest import evidence, overfitting
from trading.core.config.pipeline import PipelineParams
from trading.core.params import InvalidParams
from trading.operations.runs import RunCancelled, RunChanged
from trading.research.objectives import score
from trading.research.requests import Search
from trading.research.results import IN_SAMPLE, Outcome, Trial, ordered, pack_equity, unpack_returns
from trading.research.samplers import BATCH, Values, new_sampler
from trading.research.space import with_values
from trading.wiring.backtests import describe
from trading.wiring.evaluation import Bench, Job, Prepared
from trading.wiring.journals import Journal

LEADERS = 100


def run_sweep(bench: Bench, search: Search, journal: Journal) -> Outcome:
    """The best of one search over all bars, with its full result."""
    prepared = bench.prepared
    trials = run_search(bench, search, journal, window=0, span=(prepared.first_ns, prepared.end_ns))
    leaders = rank(trials, search)
    facts = {
        "search": search_facts(search, seed=prepared.request.seed),
        **tally(trials, search),
        "leaders": [leader_facts(trial, search) for trial in leaders[:LEADERS]],
        "evidence": weigh(trials),
        "best": None,
    }
    if not leaders:
        return Outcome(facts, b"")
    facts["best"] = leader_facts(leaders[0], search)
    chosen = prepared.having(with_values(prepared.request.params, leaders[0].values))
    run = chosen.run()
    decisions = run.result.decisions
    return Outcome(
        {**facts, "result": describe(run, chosen.markets, chosen.request, tried=tries(trials))},
        pack_equity(decisions["bar_open_ns"], decisions["equity"]),
    )


def run_search(
    bench: Bench, search: Search, journal: Journal, *, window: int, span: tuple[int, int]
) -> list[Trial]:
    """Every trial of a search over one window of the bars, in the order they were asked for.

    Raises:
        RunChanged: the sampler asks for other sets than before; its library changed.
    """
    sampler = new_sampler(search, seed=bench.prepared.request.seed + window)
    trials: list[Trial] = []
    while len(trials) < search.trials:
        batch = sampler.ask(min(BATCH, search.trials - len(trials)))
        done = _run_batch(bench, journal, batch, first=(window, len(trials)), span=span)
        sampler.tell(
            [score(search.objective, t.metrics, min_trades=search.min_trades) for t in done]
        )
        trials += done
    return trials


def _run_batch(
    bench: Bench,
    journal: Journal,
    batch: Sequence[Values],
    *,
    first: tuple[int, int],
    span: tuple[int, int],
) -> list[Trial]:
    window, start = first
    known = journal.known()
    numbered = list(enumerate(batch, start))
    missing = [(k, values) for k, values in numbered if (window, IN_SAMPLE, k) not in known]
    if missing:
        evaluate(bench, journal, missing, window=window, sample=IN_SAMPLE, span=span)
    done = [journal.known()[window, IN_SAMPLE, k] for k, _ in numbered]
    if any(dict(trial.values) != values for trial, (_, values) in zip(done, numbered, strict=True)):
        raise RunChanged("the sampler asks for other parameter sets than before; start it again")
    return done


def evaluate(
    bench: Bench,
    journal: Journal,
    sets: Sequence[tuple[int, Values]],
    *,
    window: int,
    sample: str,
    span: tuple[int, int],
) -> None:
    """Measure numbered sets and keep them; what is measured when it is stopped is kept too."""
    checked = [(k, values, _params(bench.prepared, values)) for k, values in sets]
    jobs = [Job(*span, params) for _, _, params in checked if isinstance(params, PipelineParams)]
    measured = bench.measure(jobs)
    fresh: list[Trial] = []
    try:
        for k, values, params in checked:
            if isinstance(params, str):
                fresh.append(Trial(window, sample, k, values, None, params, b""))
            else:
                metrics, daily = next(measured)
                fresh.append(Trial(window, sample, k, values, metrics, "", daily))
            journal.beat(len(fresh))
    except (KeyboardInterrupt, RunCancelled):
        journal.keep(fresh)
        raise
    journal.keep(fresh)


def _params(prepared: Prepared, values: Values) -> PipelineParams | str:
    """The parameters of a set, or why there are none."""
    try:
        return with_values(prepared.request.params, values)
    except InvalidParams as error:
        return str(error)


def rank(trials: Sequence[Trial], search: Search) -> list[Trial]:
    """Eligible trials, best first; of equals the one tried first."""
    scored = [
        (value, trial)
        for trial in trials
        if (value := score(search.objective, trial.metrics, min_trades=search.min_trades))
        is not None
    ]
    return [trial for _, trial in sorted(scored, key=lambda pair: (-pair[0], pair[1].index))]


def search_facts(search: Search, *, seed: int) -> dict[str, Any]:
    """How was searched."""
    return {
        "space": [dimension.to_json() for dimension in search.space],
        "sampler": search.sampler,
        "objective": search.objective,
        "min_trades": search.min_trades,
        "seed": seed,
    }


def leader_facts(trial: Trial, search: Search) -> dict[str, Any]:
    """One line of the table."""
    value = score(search.objective, trial.metrics, min_trades=search.min_trades)
    return {**trial.told(), "score": value}


def tally(trials: Sequence[Trial], search: Search) -> dict[str, Any]:
    """How many were tried, could be compared, and could not be at all."""
    return {
        "tried": len(trials),
        "eligible": len(rank(trials, search)),
        "refused": sum(trial.metrics is None for trial in trials),
    }


def weigh(trials: Sequence[Trial]) -> dict[str, Any]:
    """What the tries together say about the best one: how often choosing it would have been luck."""
    returns = returns_of(trials)
    found = overfitting.overfitting(returns)
    return ordered(
        {
            "variants": returns.shape[1],
            "days": returns.shape[0],
            "overfitting_probability": found.probability,
            "loses_out_of_sample": found.loses_out_of_sample,
            "splits": found.splits,
            "words": found.words,
        }
    )


def tries(trials: Sequence[Trial]) -> evidence.Trials:
    """How many sets were tried, and how far their Sharpe ratios lie apart."""
    return evidence.Trials(len(trials), evidence.variance_of(returns_of(trials)))


def returns_of(trials: Sequence[Trial]) -> np.ndarray:
    """Daily returns, days by trials; a trial that ended early did not move any more."""
    daily = [unpack_returns(trial.daily) for trial in trials if trial.daily]
    days = max(map(len, daily), default=0)
    found = np.zeros((days, len(daily)))
    for k, one in enumerate(daily):
        found[: len(one), k] = one
    return found
