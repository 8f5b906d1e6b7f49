"""A sweep of parameter sets over the same bars, one process and several: sets and bar-steps a second.

The bars are mapped, not copied, into each process. In two stages the votes are cast once in every
process and each set decides over them.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from environments import HOME
from invented import write_bars
from machine import describe

from trading.backtest import runner, two_stage
from trading.core import pipeline
from trading.core.config.pipeline import PipelineParams
from trading.core.config.profiles import PROFILES

WANTED_SETS, WANTED_BARS = 1_000, 525_600
_bars = np.empty(0)  # a worker's, from its start on
_observed: list[two_stage.Observed] = []


def make_sets(count: int) -> list[PipelineParams]:
    """Sets that differ in what decides, not in what votes: stops, targets and thresholds."""
    base = PROFILES["active"]
    sets = []
    for number in range(count):
        across, down = number % 25, number // 25 % 40
        sets.append(
            replace(
                base,
                exits=replace(base.exits, stop_scale=2.0 + 0.25 * across),
                confluence=replace(base.confluence, min_score=0.3 + 0.01 * down),
            )
        )
    return sets


def begin(path: Path) -> None:
    """A worker's start: bars mapped, code loaded."""
    global _bars
    _bars = np.load(path, mmap_mode="r").view(np.ndarray)
    runner.warm()


def run_set(params: PipelineParams) -> float:
    """One full run; the cash at its end."""
    result = runner.run(series=[_bars], markets=market(), params=[params], cash=1e6)
    return float(result.account["cash"][0])


def decide_set(params: PipelineParams) -> float:
    """One set over the votes this process has cast; the cash at its end."""
    if not _observed:
        _observed.append(two_stage.observe(_bars, market(), params))
    return float(two_stage.decide(_observed[0], params, cash=1e6).account["cash"][0])


def market() -> np.ndarray:
    """A fresh market on a minute's grid."""
    markets = pipeline.new_markets(1)
    grid = markets[0]["instrument"]
    grid["tick_size"], grid["lot_size"], grid["timeframe_ns"] = 0.1, 1e-8, 60_000_000_000
    grid["min_quantity_lots"], grid["min_notional"] = 10_000, 5.0
    return markets


def measure(
    path: Path, sets: Sequence[PipelineParams], processes: int, work: Callable[..., float]
) -> float:
    """Seconds for all sets, the workers warm before."""
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=begin, initargs=(path,)
    ) as pool:
        list(pool.map(work, [sets[0]] * processes * 2))  # every worker is up
        started = time.perf_counter()
        list(pool.map(work, sets))
        return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, default=WANTED_BARS)
    parser.add_argument("--sets", type=int, default=24)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    path = write_bars(HOME / "data", args.bars) / "bars.npy"
    sets = make_sets(args.sets)
    lines: list[dict[str, Any]] = []
    for processes in args.processes:
        seconds = measure(path, sets, processes, run_set)
        lines.append(line(f"{processes} processes", seconds, args))
        seconds = measure(path, sets, processes, decide_set)
        lines.append(line(f"two stages, {processes} processes", seconds, args))
    if args.json:
        print(json.dumps({"machine": describe(), "sweep": lines}, indent=2))
        return
    for one in lines:
        print(
            f"{one['how']}: {args.sets} sets x {args.bars:,} bars in {one['seconds']:.1f} s, "
            f"{one['bar_steps_per_second']:,.0f} bar-steps/s; at this pace {WANTED_SETS:,} sets x "
            f"{WANTED_BARS:,} bars take {one['wanted_seconds']:.0f} s (computed, not run)"
        )


def line(how: str, seconds: float, args: argparse.Namespace) -> dict[str, Any]:
    """One measurement and what it means for a thousand sets of a year."""
    pace = args.sets * args.bars / seconds
    return {
        "how": how,
        "sets": args.sets,
        "bars": args.bars,
        "seconds": seconds,
        "bar_steps_per_second": pace,
        "wanted_seconds": WANTED_SETS * WANTED_BARS / pace,
    }


if __name__ == "__main__":
    main()
