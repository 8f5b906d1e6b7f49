"""Looks for decisions that know the future: cut it off, or change it, and the past must not move."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from trading.core.codes import Gate
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.marketdata.checks import moment
from trading.research.results import PROBE, Outcome, Trial, ordered
from trading.wiring.evaluation import Prepared
from trading.wiring.journals import Journal

WAYS = ("cut off", "altered")
MOST_SHOWN = 20
EARLIEST, LATEST = 0.1, 0.98  # of the bars: where the future may begin
BATCH = 20
BLOCK = 4096  # rows compared at a time


def run_lookahead(prepared: Prepared, probes: int, journal: Journal) -> Outcome:
    """Probe as often as asked, at seeded bars; every change of a decision before them is told."""
    journal.beat(0)
    whole = prepared.run().result
    moments = _moments(whole, probes, seed=prepared.request.seed)
    done: list[Trial] = []
    fresh: list[Trial] = []
    for index, cut_ns in enumerate(moments):
        known = journal.known().get((0, PROBE, index))
        if known is None:
            known = _probe(prepared, whole, index, cut_ns)
            fresh.append(known)
            journal.beat(len(fresh))
        done.append(known)
        if len(fresh) == BATCH:
            kept, fresh = fresh, []
            journal.keep(kept)
    if fresh:
        journal.keep(fresh)
    guilty = [trial for trial in done if trial.metrics and trial.metrics["differences"]]
    return Outcome(
        {
            "probes": len(done),
            "decisions": len(whole.decisions),
            "equal": not guilty,
            "guilty": [trial.told() for trial in guilty[:MOST_SHOWN]],
            "guilty_probes": len(guilty),
            "seed": prepared.request.seed,
        },
        {},
    )


def _moments(whole: Any, probes: int, *, seed: int) -> list[int]:
    """Open times at which the future begins, in the order they are probed."""
    opens = np.unique(whole.decisions["bar_open_ns"])
    low, high = int(len(opens) * EARLIEST), int(len(opens) * LATEST)
    rng = np.random.default_rng(seed)
    count = max(high - low, 1)
    chosen = rng.choice(count, size=min(probes, count), replace=False) + low
    return [int(opens[min(k, len(opens) - 1)]) for k in chosen]


def _probe(prepared: Prepared, whole: Any, index: int, cut_ns: int) -> Trial:
    found: list[dict[str, Any]] = []
    for way in WAYS:
        series = list(_futures(prepared, cut_ns, way, seed=prepared.request.seed + index))
        if any(len(bars) == 0 for bars in series):
            continue  # a pair that begins later has no past here
        changed = prepared.with_bars(series).run().result
        found += [
            {"way": way, **one} for one in differences(prepared, whole, changed, until_ns=cut_ns)
        ]
    metrics = {"at": _utc(cut_ns), "differences": found[:MOST_SHOWN], "count": len(found)}
    return Trial(0, PROBE, index, {"cut_ns": cut_ns}, ordered(metrics), "", b"")


def _futures(prepared: Prepared, cut_ns: int, way: str, *, seed: int) -> Iterator[np.ndarray]:
    """Every pair's bars with another future from ``cut_ns`` on, or with none."""
    rng = np.random.default_rng(seed)
    for market in prepared.markets:
        cut = int(np.searchsorted(market.bars["open_ns"], cut_ns))
        if way == "cut off":
            yield market.bars[:cut]
            continue
        bars = market.bars.copy()
        future = bars[cut:]
        scale = np.exp(np.cumsum(rng.normal(0, 0.01, len(future))))
        for name in ("open", "high", "low", "close"):
            future[name] *= scale
        future["volume"] *= rng.uniform(0, 5, len(future))
        yield bars


def differences(
    prepared: Prepared, whole: Any, changed: Any, *, until_ns: int
) -> list[dict[str, Any]]:
    """First decision that differs in each pair before ``until_ns``, with every field that does."""
    told = []
    for m, market in enumerate(prepared.markets):
        before, after = (_past(result, m, until_ns) for result in (whole, changed))
        row, fields = _compare(before[0], after[0])
        opens = before[0]["bar_open_ns"]
        if row is None and len(before[1]):
            row, fields = _compare(before[1], after[1])
            opens = opens[before[0]["has_detail"] == 1]
        if row is not None and fields:
            at = int(opens[row]) if row < len(opens) else until_ns
            told.append({"symbol": market.instrument.symbol, "bar": _utc(at), "fields": fields})
    return told


def _past(result: Any, market: int, until_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """A pair's decisions before a moment and their details; of a single pair no copy of years."""
    count = int(np.searchsorted(result.decisions["bar_open_ns"], until_ns))
    decisions = result.decisions[:count]
    told = decisions["has_detail"] == 1
    details = result.details[: int(told.sum())]
    mine = result.decision_market[:count] == market
    return (decisions, details) if mine.all() else (decisions[mine], details[mine[told]])


def _compare(before: np.ndarray, after: np.ndarray) -> tuple[int | None, list[str]]:
    """(row, fields) of the first difference."""
    row = first_difference(before, after)
    if row is None:
        return None, []
    if row == min(len(before), len(after)):
        return row, ["number of bars"]
    return row, field_differences(before[row], after[row])


def first_difference(before: np.ndarray, after: np.ndarray) -> int | None:
    """The first row whose bytes differ; where one is longer, the first row of the longer's rest."""
    count = min(len(before), len(after))
    for start in range(0, count, BLOCK):
        rows = range(start, min(start + BLOCK, count))
        if before[start : rows.stop].tobytes() != after[start : rows.stop].tobytes():
            return next(k for k in rows if before[k].tobytes() != after[k].tobytes())
    return None if len(before) == len(after) else count


def field_differences(before: np.void, after: np.void, prefix: str = "") -> list[str]:
    """Dotted names of the fields whose values differ; an absent value equals an absent one."""
    found: list[str] = []
    for name in before.dtype.names or ():
        one, other = before[name], after[name]
        if isinstance(one, np.ndarray):
            for k, label in enumerate(_labels(name, len(one))):
                found += _differs(one[k], other[k], f"{prefix}{name}.{label}")
        else:
            found += _differs(one, other, f"{prefix}{name}")
    return found


def _differs(one: Any, other: Any, name: str) -> list[str]:
    if isinstance(one, np.void):
        return field_differences(one, other, f"{name}.")
    return [] if one == other or (one != one and other != other) else [name]


def _labels(name: str, count: int) -> Sequence[str]:
    """Names of the elements of a list in a decision."""
    if name in ("votes", "abstain") and count == len(STRATEGY_NAMES):
        return STRATEGY_NAMES
    if name == "gates" and count == len(Gate):
        return [gate.name.lower() for gate in Gate]
    return [str(k) for k in range(count)]


def _utc(time_ns: int) -> str:
    return f"{moment(time_ns).replace(' ', 'T')}Z"
