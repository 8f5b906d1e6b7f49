"""Tries the parameter sets of a search in batches, skipping those an earlier worker finished."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trading.core.config.pipeline import PipelineParams
from trading.core.params import InvalidParams
from trading.operations.runs import RunCancelled, RunChanged
from trading.research.objectives import score
from trading.research.requests import Search
from trading.research.results import IN_SAMPLE, Outcome, Trial
from trading.research.samplers import BATCH, Values, new_sampler
from trading.research.space import with_values
from trading.wiring.backtests import describe, draw
from trading.wiring.choices import chosen_from, judge_choice
from trading.wiring.evaluation import Bench, Job, Prepared
from trading.wiring.journals import Journal

LEADERS = 100


def run_sweep(bench: Bench, search: Search, journal: Journal) -> Outcome:
    """The best of one search over all bars, with its full result."""
    prepared = bench.prepared
    trials = run_search(bench, search, journal, window=0, span=(prepared.first_ns, prepared.end_ns))
    leaders, variants = rank(trials, search), different(trials)
    facts = {
        "search": search_facts(search, seed=prepared.request.seed),
        **tally(trials, search),
        "leaders": [leader_facts(trial, search) for trial in leaders[:LEADERS]],
        "overfitting": judge_choice(variants),
        "best": None,
    }
    if not leaders:
        return Outcome(facts, {})
    facts["best"] = leader_facts(leaders[0], search)
    chosen = prepared.having(with_values(prepared.request.params, leaders[0].values))
    run = chosen.run()
    result = describe(run, chosen.markets, chosen.request, trials=chosen_from(variants))
    return Outcome({**facts, "result": result}, draw(run, chosen.request))


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
        tried = {_name(t): t for t in known.values() if (t.window, t.sample) == (window, IN_SAMPLE)}
        again = [(k, tried[_name(v)]) for k, v in missing if _name(v) in tried]
        missing = [(k, values) for k, values in missing if _name(values) not in tried]
        copies = [replace(trial, index=k) for k, trial in again]
        evaluate(bench, journal, missing, window=window, sample=IN_SAMPLE, span=span, more=copies)
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
    more: Sequence[Trial] = (),
) -> None:
    """Measure numbered sets and keep them; what is measured when it is stopped is kept too.

    ``more`` needs no measuring and is kept with them.
    """
    checked = [(k, values, _params(bench.prepared, values)) for k, values in sets]
    jobs = [Job(*span, params) for _, _, params in checked if isinstance(params, PipelineParams)]
    measured = bench.measure(jobs)
    fresh: list[Trial] = list(more)
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


def _name(tried: Trial | Values) -> tuple[tuple[str, Any], ...]:
    """What tells one set from another."""
    values = tried.values if isinstance(tried, Trial) else tried
    return tuple(sorted(values.items()))


def _params(prepared: Prepared, values: Values) -> PipelineParams | str:
    """The parameters of a set, or why there are none."""
    try:
        return with_values(prepared.request.params, values)
    except InvalidParams as error:
        return str(error)


def different(trials: Sequence[Trial]) -> list[Trial]:
    """Every set of a window once, as it was tried first."""
    first = {(trial.window, _name(trial)): trial for trial in reversed(trials)}
    return sorted(first.values(), key=lambda trial: trial.key)


def rank(trials: Sequence[Trial], search: Search) -> list[Trial]:
    """Eligible sets, each once, best first; of equals the one tried first."""
    scored = [
        (value, trial)
        for trial in different(trials)
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
        "different": len(different(trials)),
        "eligible": len(rank(trials, search)),
        "refused": sum(trial.metrics is None for trial in trials),
    }
