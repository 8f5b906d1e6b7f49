"""Walk-forward: choose in one window, test in the next, and tell how much of the promise was kept."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean
from typing import Any

import numpy as np

from trading.backtest.equity import keep_extremes
from trading.backtest.report_data import MOST_POINTS
from trading.marketdata.checks import moment
from trading.marketdata.timeframes import NS
from trading.research.objectives import OBJECTIVES, measure
from trading.research.requests import Search, Walk
from trading.research.results import OUT_OF_SAMPLE, Outcome, Trial, ordered
from trading.research.space import with_values
from trading.research.windows import Window, plan_windows
from trading.wiring.choices import judge_decay
from trading.wiring.evaluation import Bench
from trading.wiring.journals import Journal
from trading.wiring.searches import evaluate, rank, run_search, search_facts, tally

COMPARED = ("return", "sharpe", "profit_factor", "expectancy", "max_drawdown")


def windows_of(bench: Bench, walk: Walk) -> tuple[Window, ...]:
    """The windows over the bench's bars.

    Raises:
        InvalidRequest: not one fits.
    """
    prepared = bench.prepared
    return plan_windows(
        walk,
        first_ns=prepared.first_ns,
        end_ns=prepared.end_ns,
        timeframe_ns=prepared.request.timeframe_seconds * NS,
    )


def run_walk(bench: Bench, search: Search, walk: Walk, journal: Journal) -> Outcome:
    """Every window in turn; then the tests one after the other as if they had been traded."""
    windows = windows_of(bench, walk)
    tried: list[Trial] = []
    rows, chosen = [], []
    for window in windows:
        span = (window.train_start_ns, window.train_end_ns)
        trials = run_search(bench, search, journal, window=window.number, span=span)
        tried += trials
        best = next(iter(rank(trials, search)), None)
        tested = _test(bench, journal, window, best) if best else None
        rows.append(_row(window, trials, best, tested, search))
        chosen.append(best)
    facts = {
        "search": search_facts(search, seed=bench.prepared.request.seed),
        "walk": {
            "mode": "anchored" if walk.anchored else "rolling",
            "train_days": walk.train_days,
            "test_days": walk.test_days,
            "purge_bars": walk.purge_bars,
        },
        **tally(tried, search),
        "windows": rows,
        "decay": {**_decay(rows), "sharpe_ratios": judge_decay(*_ratios(rows))},
    }
    stitched, charts = _stitch(bench, windows, chosen)
    return Outcome({**facts, "out_of_sample": stitched}, charts)


def _ratios(rows: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """Sharpe ratios in and out of sample of the windows that have both; unmoved is 0."""
    tested = [row for row in rows if row["out_of_sample"]]
    inside = [row["in_sample"]["sharpe"] or 0.0 for row in tested]
    return inside, [row["out_of_sample"]["sharpe"] or 0.0 for row in tested]


def _test(bench: Bench, journal: Journal, window: Window, best: Trial) -> Trial:
    key = (window.number, OUT_OF_SAMPLE, best.index)
    if key not in journal.known():
        span = (window.test_start_ns, window.test_end_ns)
        sets = [(best.index, dict(best.values))]
        evaluate(bench, journal, sets, window=window.number, sample=OUT_OF_SAMPLE, span=span)
    return journal.known()[key]


def _row(
    window: Window,
    trials: Sequence[Trial],
    best: Trial | None,
    tested: Trial | None,
    search: Search,
) -> dict[str, Any]:
    return {
        "number": window.number,
        "train": [_utc(window.train_start_ns), _utc(window.train_end_ns)],
        "test": [_utc(window.test_start_ns), _utc(window.test_end_ns)],
        **tally(trials, search),
        "values": ordered(dict(best.values)) if best else None,
        "in_sample": ordered(best.metrics) if best else None,
        "out_of_sample": ordered(tested.metrics) if tested else None,
    }


def _decay(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over the windows in and out of sample, and the share of windows that stayed above 0."""
    pairs = [row for row in rows if row["in_sample"] and row["out_of_sample"]]
    told: dict[str, Any] = {"windows": len(rows), "tested": len(pairs)}
    for name in dict.fromkeys((*COMPARED, *OBJECTIVES)):
        both = [
            (row["in_sample"][name], row["out_of_sample"][name])
            for row in pairs
            if row["in_sample"][name] is not None and row["out_of_sample"][name] is not None
        ]
        inside = fmean(one for one, _ in both) if both else None
        outside = fmean(one for _, one in both) if both else None
        kept = outside / inside if inside and outside is not None and inside > 0 else None
        told[name] = {"in_sample": inside, "out_of_sample": outside, "kept": kept}
    gained = [row["out_of_sample"]["return"] > 0 for row in pairs]
    told["profitable"] = sum(gained) / len(gained) if gained else None
    return told


def _stitch(
    bench: Bench, windows: Sequence[Window], chosen: Sequence[Trial | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One account through all tests: each begins flat, with the money the one before ended with.

    A window without a choice is not traded.
    """
    prepared = bench.prepared
    cash = float(prepared.request.cash)
    opens, equities, profits = [], [], []
    for window, best in zip(windows, chosen, strict=True):
        test = prepared.between(window.test_start_ns, window.test_end_ns)
        if best is None or cash <= 0:
            bars = test.markets[0].bars["open_ns"]
            opens.append(bars)
            equities.append(np.full(len(bars), cash))
            continue
        params = with_values(prepared.request.params, best.values)
        run = test.having(params).with_cash(Decimal(repr(cash))).run()
        opens.append(run.result.decisions["bar_open_ns"])
        equities.append(run.result.decisions["equity"])
        profits += [float(trip.profit) for trip in run.trips]
        cash = float(run.result.account[0]["equity"])
    open_ns, equity = np.concatenate(opens), np.concatenate(equities)
    start = float(prepared.request.cash)
    metrics, _ = measure(
        open_ns=open_ns, equity=equity, end_equity=cash, profits=profits, cash=start
    )
    told = {"start_equity": start, "end_equity": cash, **metrics}
    kept = keep_extremes([equity], MOST_POINTS)
    drawn = {"time": (open_ns[kept] // NS).tolist(), "equity": equity[kept].round(2).tolist()}
    return told, {"equity": drawn}


def _utc(time_ns: int) -> str:
    return f"{moment(time_ns).replace(' ', 'T')}Z"
