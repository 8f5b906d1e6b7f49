"""Runs of a tenant: lists, one with its whole result, and several side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from trading.marketdata.timeframes import format_timeframe
from trading.models import BacktestRun, BacktestTrial, BarSeries, BotRevision, Instrument
from trading.research.results import unpack
from trading.research.space import flatten

MOST_LISTED = 200
MOST_COMPARED = 8
# What the tables of runs show, in the words of a backtest's facts.
COMPARED = (
    ("return", "Return", "percent"),
    ("end_equity", "Equity at the end", "money"),
    ("max_drawdown", "Largest drawdown", "percent"),
    ("yearly_return", "Yearly return", "percent"),
    ("sharpe_daily", "Sharpe, daily", "number"),
    ("profit_factor", "Profit factor", "number"),
    ("expectancy", "Expectancy of a trade", "money"),
    ("win_rate", "Won", "percent"),
    ("closed_trades", "Closed trades", "count"),
    ("fees", "Fees", "money"),
    ("time_in_market", "Time in the market", "percent"),
)


class NoSuchRun(Exception):
    """A run that is not there; the text names it."""


class CannotCompare(Exception):
    """Runs that cannot stand side by side; the text says why."""


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One line of the list."""

    run: BacktestRun
    headline: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs as columns: what was asked and what came out, and which of it differs."""

    runs: tuple[BacktestRun, ...]
    asked: tuple[tuple[str, tuple[Any, ...]], ...]
    params: tuple[tuple[str, tuple[Any, ...]], ...]
    metrics: tuple[tuple[str, str, str, tuple[Any, ...]], ...]


def list_runs(
    *,
    kind: str = "",
    status: str = "",
    archived: bool = False,
    most: int = MOST_LISTED,
    before: int | None = None,
) -> list[ListedRun]:
    """The newest runs that fit, newest first; with ``before`` those of smaller numbers."""
    rows = BacktestRun.objects.select_related("requested_by").defer("result", "charts")
    rows = rows.filter(archived_at__isnull=not archived)
    if kind:
        rows = rows.filter(kind=kind)
    if status:
        rows = rows.filter(status=status)
    if before is not None:
        rows = rows.filter(number__lt=before)
    return [ListedRun(run, headline(run)) for run in rows.order_by("-number", "-id")[:most]]


def headline(run: BacktestRun) -> Mapping[str, Any]:
    """The few numbers a run is known by: of the backtest, of the best set, of the tests."""
    facts = run.facts or {}
    tests = facts.get("out_of_sample")
    if tests:
        return {**tests, "sharpe_daily": tests["sharpe"], "closed_trades": tests["trades"]}
    return facts.get("result") or facts


def get_run(*, number: int) -> BacktestRun:
    """One run with everything.

    Raises:
        NoSuchRun: not in this tenant.
    """
    run = BacktestRun.objects.select_related("requested_by").filter(number=number).first()
    if run is None:
        raise NoSuchRun(f"no run {number} in this workspace")
    found: BacktestRun = run
    return found


def get_progress(*, number: int) -> BacktestRun:
    """One run without its result.

    Raises:
        NoSuchRun: not in this tenant.
    """
    run = BacktestRun.objects.defer("result", "charts", "facts").filter(number=number).first()
    if run is None:
        raise NoSuchRun(f"no run {number} in this workspace")
    found: BacktestRun = run
    return found


def get_result(run: BacktestRun) -> dict[str, Any] | None:
    """The whole result, trades included, named in the order it was told; None before the end."""
    return unpack(bytes(run.result)) if run.result else None


def list_series() -> list[BarSeries]:
    """What can be tested on: the index cards of the stored bars, the finest of each pair."""
    cards = BarSeries.objects.select_related("instrument").order_by(
        "instrument__venue", "instrument__symbol", "-timeframe_seconds", "id"
    )
    return list({card.instrument_id: card for card in cards}.values())


def launch_of(revision: BotRevision, series: Sequence[BarSeries]) -> dict[str, Any]:
    """What tests a bot's revision as it trades: its pairs, of one venue, and its bars."""
    bot = revision.bot
    symbols = set(bot.bot_instruments.values_list("instrument__symbol", flat=True))
    stored = [one.instrument for one in series if one.instrument.symbol in symbols]
    venues = {one.venue for one in stored}
    venue = bot.account.venue if bot.account.venue in venues else min(venues, default="")
    return {
        "pairs": [_choice(one) for one in stored if one.venue == venue],
        "timeframe": format_timeframe(revision.timeframe_seconds),
        "profile": "revision",
    }


def usual_launch(series: Sequence[BarSeries]) -> dict[str, Any]:
    """Where only one series is stored there is nothing to choose."""
    return {"pairs": [_choice(one.instrument) for one in series]} if len(series) == 1 else {}


def _choice(instrument: Instrument) -> str:
    return f"{instrument.venue} {instrument.symbol}"


def asked_words(run: BacktestRun) -> list[tuple[str, Any]]:
    """What was asked, in words, in order."""
    asked, search, walk = run.request, run.request.get("search"), run.request.get("walk")
    rows = [
        ("Pairs", ", ".join(asked["pairs"])),
        ("Venue", asked["venue"] or "the only one that stores them"),
        ("Timeframe", asked["timeframe"]),
        ("From", asked["start"] or "the first bar"),
        ("Until", asked["end"] or "the last bar"),
        ("Cash", asked["cash"]),
    ]
    if search:
        rows += [("Sampler", search["sampler"]), ("Objective", search["objective"])]
    if walk:
        mode = "anchored" if walk["anchored"] else "rolling"
        rows.append(("Windows", f"{walk['train_days']} + {walk['test_days']} days, {mode}"))
        rows.append(("Gap before a test", f"{walk['purge_bars']} bars"))
    return [*rows, ("Seed", asked["seed"]), ("Parameter sets tried", run.trials)]


def headline_rows(run: BacktestRun) -> list[tuple[str, str, Any]]:
    """(label, form, value) of the numbers a run is known by, those that it has."""
    told = headline(run)
    return [(label, form, told[name]) for name, label, form in COMPARED if name in told]


def params_of(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Dotted names and values of the parameters of a result, in the order they are declared."""
    return list(flatten(facts.get("params", {})).items())


def count_tries() -> int:
    """Parameter sets this tenant has tried so far, archived and cancelled runs included."""
    return int(BacktestRun.objects.aggregate(total=Sum("trials"))["total"] or 0)


def luck_words(run: BacktestRun, told: Mapping[str, Any]) -> str:
    """What all tries of this workspace on the same pairs leave of a result; empty without evidence."""
    if "evidence" not in told:
        return ""
    pairs = set(run.request["pairs"])
    asked = BacktestRun.objects.values_list("request__pairs", "trials").order_by("number", "id")
    tried = sum(trials for theirs, trials in asked if pairs & set(theirs))
    sets = "set" if tried == 1 else "sets"
    said = f"This workspace has tried {tried:,} parameter {sets} on these pairs so far. "
    survived = told["evidence"]["trials_survived"]
    if survived is None:
        return said + "There are too few days to say what luck explains."
    if tried <= survived:
        return said + f"The result beats the best that luck shows in up to {survived:,} tries."
    return said + (
        f"It beats the best that luck shows in {survived:,}: after so many tries luck explains it."
        if survived
        else "It would not stand even as the only one: luck explains it."
    )


def get_report(run: BacktestRun) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """(facts, charts) of a backtest or of a sweep's best set; None where there is no report."""
    facts = get_result(run) or {}
    told = facts if run.kind == BacktestRun.Kind.BACKTEST else facts.get("result")
    return (told, unpack(bytes(run.charts))) if told and run.charts else None


def list_trials(*, run: BacktestRun, most: int, skip: int = 0) -> list[BacktestTrial]:
    """What the run tried, in order."""
    rows = run.trial_rows.defer("daily").order_by("window", "sample", "index", "id")
    return list(rows[skip : skip + most])


def compare_runs(*, numbers: Sequence[int]) -> Comparison:
    """Runs side by side, in the order they were named.

    Raises:
        NoSuchRun: one is not in this tenant.
        CannotCompare: fewer than two, too many, or one without a result.
    """
    chosen = list(dict.fromkeys(numbers))
    if not 2 <= len(chosen) <= MOST_COMPARED:
        raise CannotCompare(f"compare takes 2 to {MOST_COMPARED} different runs, was {len(chosen)}")
    rows = BacktestRun.objects.defer("result", "charts").filter(number__in=chosen)
    found = {run.number: run for run in rows.order_by("number", "id")}
    for number in chosen:
        if number not in found:
            raise NoSuchRun(f"no run {number} in this workspace")
        if found[number].facts is None:
            raise CannotCompare(f"run {number} has no result: it is {found[number].status.lower()}")
    runs = tuple(found[number] for number in chosen)
    return Comparison(
        runs=runs,
        asked=_differing([_asked(run) for run in runs], keep=True),
        params=_differing([_params(run) for run in runs], keep=False),
        metrics=tuple(
            (name, label, form, tuple(headline(run).get(name) for run in runs))
            for name, label, form in COMPARED
        ),
    )


def _asked(run: BacktestRun) -> dict[str, Any]:
    asked = run.request
    facts = headline(run)
    bars = facts.get("markets") or (run.facts or {}).get("markets") or []
    return {
        "kind": run.get_kind_display(),
        "pairs": ", ".join(asked["pairs"]),
        "timeframe": asked["timeframe"],
        "from": min((market["first_at"] for market in bars), default=None),
        "to": max((market["last_at"] for market in bars), default=None),
        "cash": asked["cash"],
        "tries": run.trials,
        "data": run.data_hash[:12],
        "core": run.core_hash[:12],
    }


def _params(run: BacktestRun) -> dict[str, Any]:
    return flatten(headline(run).get("params") or run.request["params"])


def _differing(
    columns: Sequence[Mapping[str, Any]], *, keep: bool
) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [(name, tuple(column.get(name) for column in columns)) for name in names]
    return tuple((name, row) for name, row in rows if keep or len(set(map(str, row))) > 1)
