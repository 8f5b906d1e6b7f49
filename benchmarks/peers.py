"""Our full stack beside other backtesters, over the same bars in the same run.

Every measurement is a process of its own; repetitions alternate, so that a busy moment of the machine
meets all. Each peer follows one rule and ours does all it ships with, so ours does more per bar; the
ratios say nothing about the quality of trades. Prints medians; asserts nothing about time.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from environments import HOME, ROOT, CannotInstall, python_of
from invented import write_bars
from machine import describe, parse_json_line, spread

OURS = "ours"
SCRIPTS = {
    "freqtrade": "freqtrade_py.py",
    "nautilus": "nautilus_py.py",
    "backtesting": "backtesting_py.py",
    "vectorbt": "vectorbt_py.py",
    "talib": "talib_py.py",
}
RULES = ("ema", "supertrend")
TWICE = ("vectorbt", "talib")  # their second call is measured; the others have one, and so has ours
TIMEOUT = 1800


@dataclass(slots=True)
class Runs:
    """What one script said, time after time; ``missing`` says why it said nothing."""

    peer: str
    rule: str
    answers: list[dict[str, float]] = field(default_factory=list)
    missing: str = ""

    def median(self, name: str) -> float:
        """Middle value of one of its numbers."""
        return statistics.median(answer[name] for answer in self.answers)


def find_pythons(peers: list[str]) -> dict[str, Path | str]:
    """Each peer's Python, or why there is none; ours is this one."""
    found: dict[str, Path | str] = {}
    for peer in peers:
        try:
            found[peer] = python_of(peer)
        except CannotInstall as error:
            found[peer] = f"cannot be installed: {error}"
    return found


def measure(python: Path, script: str, folder: Path, rule: str) -> dict[str, float] | str:
    """One process; its JSON line, or why there is none."""
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}",
        "NUMBA_CACHE_DIR": str(HOME / "numba" / Path(script).stem),
    }
    command = [str(python), str(ROOT / "benchmarks" / "peers" / script), str(folder), rule]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return f"not done after {TIMEOUT} s"
    return parse_json_line(done.stdout) or f"failed: {(done.stderr.strip() or '?')[-300:]}"


def run_all(pythons: dict[str, Path | str], folder: Path, repeat: int) -> list[Runs]:
    """All peers and rules in turns; what compiles has its code in the cache before."""
    measure(Path(sys.executable), "ours.py", folder, "full")
    if isinstance(compiling := pythons.get("vectorbt"), Path):
        for rule in RULES:
            measure(compiling, SCRIPTS["vectorbt"], folder, rule)
    table = [Runs(OURS, "full")] + [Runs(peer, rule) for peer in pythons for rule in RULES]
    for number in range(repeat):
        for runs in table:
            python = Path(sys.executable) if runs.peer == OURS else pythons[runs.peer]
            if isinstance(python, str):
                runs.missing = python
            if runs.missing:
                continue
            print(f"{number + 1}/{repeat} {runs.peer} {runs.rule}", file=sys.stderr, flush=True)
            script = "ours.py" if runs.peer == OURS else SCRIPTS[runs.peer]
            answer = measure(Path(python), script, folder, runs.rule)
            if isinstance(answer, str):
                runs.missing = answer
            else:
                runs.answers.append(answer)
    return table


def facts(table: list[Runs], count: int) -> Iterator[dict[str, Any]]:
    """Per line: bars a second, ratios ours to theirs, and the spread of the loop's time."""
    ours = table[0]
    for runs in table:
        line: dict[str, Any] = {"peer": runs.peer, "rule": runs.rule, "bars": count}
        if not runs.answers or not ours.answers:
            yield line | {"missing": runs.missing or ours.missing}
            continue
        seconds, process = runs.median("seconds"), runs.median("process_seconds")
        call = "seconds" if runs.peer in (OURS, *TWICE) else "first_seconds"
        yield line | {
            "bars_per_second": count / seconds,
            "first_call_bars_per_second": count / runs.median("first_seconds"),
            "spread": spread([answer["seconds"] for answer in runs.answers]),
            "process_seconds": process,
            "peak_mb": runs.median("peak_mb"),
            "trades": int(runs.answers[-1]["trades"]),
            "loop_ratio": seconds / ours.median(call),
            "warm_loop_ratio": seconds / ours.median("seconds"),
            "process_ratio": process / ours.median("process_seconds"),
            "memory_ratio": runs.median("peak_mb") / ours.median("peak_mb"),
        }


def text(lines: list[dict[str, Any]], repeat: int) -> str:
    """The lines as a Markdown table."""
    rows = [
        f"{lines[0]['bars']:,} bars, medians of {repeat} alternating processes; × is how many times ours",
        "",
        "| program, rule | bars/s | loop × | ours warm × | process s | process × | peak MB | memory × | trades |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for line in lines:
        name = f"| {line['peer']}, {line['rule']} | "
        if "missing" in line:
            rows.append(f"{name}{line['missing']} | | | | | | | |")
            continue
        rows.append(
            f"{name}{line['bars_per_second']:,.0f} | {line['loop_ratio']:,.1f} | "
            f"{line['warm_loop_ratio']:,.1f} | "
            f"{line['process_seconds']:.1f} | {line['process_ratio']:.1f} | "
            f"{line['peak_mb']:,.0f} | {line['memory_ratio']:.1f} | {line['trades']:,} |"
        )
    first = lines[0].get("first_call_bars_per_second")
    if first:
        rows += ["", f"ours, first call: {first:,.0f} bars/s; the line above is its second"]
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, nargs="+", default=[100_000, 525_600])
    parser.add_argument("--peers", nargs="*", choices=tuple(SCRIPTS), default=list(SCRIPTS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    pythons = find_pythons(args.peers)
    answers = []
    for count in args.bars:
        table = run_all(pythons, write_bars(HOME / "data", count), args.repeat)
        lines = list(facts(table, count))
        answers += lines
        if not args.json:
            print(f"\n{text(lines, args.repeat)}", flush=True)
    if args.json:
        print(
            json.dumps({"machine": describe(), "repeat": args.repeat, "peers": answers}, indent=2)
        )


if __name__ == "__main__":
    main()
