"""Every benchmark of the core in one run, as the part of docs/performance.md that was measured.

``--write FILE`` puts it between the two marks of that file; otherwise it is printed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from environments import ROOT
from machine import in_words
from peers import text as peers_text

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SHORT = {
    "start": ["--repeat", "1"],
    "live_step": ["--calls", "50000"],
    "sweep": ["--bars", "100000", "--sets", "24"],
    "peers": ["--bars", "100000", "--repeat", "1"],
}
FULL = {
    "start": ["--repeat", "3"],
    "live_step": ["--calls", "200000"],
    "sweep": ["--sets", "100"],
    "peers": ["--bars", "100000", "525600", "--repeat", "3"],
}
ELSEWHERE = (
    ("sweep over Celery, 2 workers", "≥ 1.8 × one"),
    ("tick → decision, loopback", "p50 ≤ 100 µs, p99 ≤ 250 µs (`tick_to_decision.py`)"),
    ("decision → wire", "p50 ≤ 5 ms, p99 ≤ 30 ms (`decision_to_wire.py`)"),
    ("order book", "≥ 4 × ccxt.pro (`order_book.py`)"),
    ("engine density", "≤ 60 MB an engine; 500 pairs < 25 % of a core (`density.py`, `burst.py`)"),
    ("dashboards", "500 × 10 msg/s ≤ 30 % of a core, p99 ≤ 100 ms (`stream_fanout.py`)"),
)


def call(name: str, options: list[str]) -> dict[str, Any]:
    """One benchmark's JSON."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *options, "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def markdown(found: dict[str, Any], machine: str) -> str:
    """Targets beside what was measured, then the tables."""
    peers, repeat = found["peers"]["peers"], found["peers"]["repeat"]
    parts = [f"Measured {machine}.", targets(found)]
    for count in sorted({line["bars"] for line in peers}):
        parts.append(peers_text([line for line in peers if line["bars"] == count], repeat))
    start = found["start"]["start"]
    parts.append(
        f"Start until the core can decide: {start['cold_seconds']:.1f} s without compiled code in the "
        f"cache, {start['warm_seconds']:.2f} s with it, of which imports {start['import_seconds']:.2f} s."
    )
    rows = [
        "| pairs | one bar, p50 µs | p99 µs | all pairs at once, p50 µs | p99 µs |",
        "|--:|--:|--:|--:|--:|",
    ]
    for one in found["live_step"]["live_step"]:
        rows.append(
            f"| {one['pairs']} | {one['call_p50_us']:.2f} | {one['call_p99_us']:.2f} | "
            f"{one['burst_p50_us']:,.1f} | {one['burst_p99_us']:,.1f} |"
        )
    parts.append("\n".join(["The live step (`CoreState.on_bar`):", "", *rows]))
    return "\n\n".join(parts)


def targets(found: dict[str, Any]) -> str:
    """Each target beside its figure, and whether it was reached."""
    rows = [
        "| target | wanted | measured | |",
        "|---|---|---|---|",
        *backtest_rows(found["peers"]["peers"]),
        *sweep_rows(found["sweep"]["sweep"]),
    ]
    rows += [
        f"| {name} | {wanted} | – | not measured by this command |" for name, wanted in ELSEWHERE
    ]
    return "\n".join(rows)


def backtest_rows(lines: list[dict[str, Any]]) -> list[str]:
    """Pace, ratios to freqtrade and backtesting.py by the rule that is harder for us, memory."""
    most = max(line["bars"] for line in lines)
    found = {(line["peer"], line["rule"]): line for line in lines if line["bars"] == most}
    ours = found["ours", "full"]
    if "missing" in ours:
        return [f"| backtest | | {ours['missing']} | |"]
    pace, fresh = ours["bars_per_second"], ours["first_call_bars_per_second"]
    rows = [
        row(
            "backtest, full stack, one core",
            "≥ 5 M bars/s",
            f"{fresh / 1e6:.1f} M in the first call, {pace / 1e6:.1f} M in the second",
            fresh / 5e6,
        )
    ]
    for peer, wanted, ratio, what in (
        ("freqtrade", 250, "loop_ratio", "loop beside freqtrade's"),
        ("backtesting", 30, "loop_ratio", "loop beside backtesting.py's"),
        ("freqtrade", 15, "process_ratio", "whole process beside freqtrade's"),
        ("freqtrade", 4, "memory_ratio", "freqtrade's memory beside ours"),
    ):
        both = [line for (name, _), line in found.items() if name == peer and ratio in line]
        if not both:
            rows.append(f"| {what} | ≥ {wanted} × | – | the peer did not run |")
            continue
        low, high = min(line[ratio] for line in both), max(line[ratio] for line in both)
        told = f"{low:,.1f} to {high:,.1f} ×"
        if ratio == "loop_ratio":
            told += (
                f" (our second call: from {min(line['warm_loop_ratio'] for line in both):,.1f} ×)"
            )
        rows.append(row(what, f"≥ {wanted} ×", told, low / wanted))
    return rows


def sweep_rows(lines: list[dict[str, Any]]) -> list[str]:
    """1,000 sets of a year, computed from the pace of fewer."""
    rows = []
    for line in lines:
        if line["how"].startswith("2 processes"):
            told = f"{line['wanted_seconds']:.0f} s, computed from {line['sets']} sets"
            rows.append(
                row(
                    "sweep, 1,000 sets x a year",
                    "≤ 30 s on 2 cores",
                    told,
                    30 / line["wanted_seconds"],
                )
            )
    staged = [line for line in lines if line["how"].startswith("two stages")]
    if not staged:
        return [*rows, "| sweep in two stages | ≤ 8 s | – | not there yet |"]
    seconds = min(line["wanted_seconds"] for line in staged)
    return [*rows, row("sweep in two stages", "≤ 8 s", f"{seconds:.1f} s, computed", 8 / seconds)]


def row(what: str, wanted: str, measured: str, share: float) -> str:
    """One line; a share of the target below 1 is a miss and is called one."""
    verdict = "reached" if share >= 1 else f"**missed**: {share:.0%} of it"
    return f"| {what} | {wanted} | {measured} | {verdict} |"


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="fewer bars, one repetition")
    parser.add_argument("--repeat", type=int, help="repetitions of the peers, instead of 1 or 3")
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here too")
    args = parser.parse_args()
    machine = in_words()
    plan = SHORT if args.short else FULL
    again = ["--repeat", str(args.repeat)] if args.repeat else []
    found = {
        name: call(name, [*options, *(again if name == "peers" else [])])
        for name, options in plan.items()
    }
    if args.json:
        args.json.write_text(json.dumps(found, indent=2))
    told = markdown(found, machine)
    if not args.write:
        print(told)
        return
    before, _, rest = args.write.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    if not after:
        raise SystemExit(f"{args.write}: the marks {BEGIN} and {END} are not in it")
    args.write.write_text(f"{before}{BEGIN}\n{told}\n{END}{after}")


if __name__ == "__main__":
    main()
