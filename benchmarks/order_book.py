"""Book messages a second, the checksum verified on every one, beside ccxt.pro's handling of the same.

Kraken's frames as text: decoded, applied, and the same book at the end. ccxt.pro runs as it is delivered:
without the checksum. Each run is a process of its own, in turns; CPU time. Asserts nothing about time.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from book_frames import write_frames
from environments import HOME, ROOT, CannotInstall, python_of
from machine import describe, parse_json_line

SCRIPTS = {"ours": "books_ours.py", "ccxt": "books_ccxt.py"}


def measure(python: Path, script: str, frames: Path) -> dict[str, Any]:
    """One process; its JSON line.

    Raises:
        SystemExit: it told none.
    """
    command = [str(python), str(ROOT / "benchmarks" / "peers" / script), str(frames)]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = parse_json_line(done.stdout)
    if told is None:
        raise SystemExit(f"{script} failed: {done.stderr[-500:]}")
    return told


def compare(pythons: dict[str, Path], frames: Path, repeat: int) -> dict[str, Any]:
    """Medians of messages a second, and the ratio of each pair of runs.

    Raises:
        SystemExit: the books at the end are not the same.
    """
    paces: dict[str, list[float]] = {name: [] for name in pythons}
    for _ in range(repeat):
        books = []
        for name, python in pythons.items():
            told = measure(python, SCRIPTS[name], frames)
            paces[name].append(told["per_second"])
            books.append(told["best"])
        if any(book != books[0] for book in books):
            raise SystemExit("the books at the end differ")
    found = {f"{name}_per_second": statistics.median(pace) for name, pace in paces.items()}
    if "ccxt" in paces:
        ratios = [ours / theirs for ours, theirs in zip(paces["ours"], paces["ccxt"], strict=True)]
        found["ratio"] = statistics.median(ratios)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    pythons = {"ours": Path(sys.executable)}
    missing = ""
    try:
        pythons["ccxt"] = python_of("ccxt", lock=ROOT / "requirements" / "ccxt.txt")
    except CannotInstall as error:
        missing = str(error)
    frames = HOME / "data" / f"book-{args.frames}.jsonl"
    write_frames(frames, args.frames)
    found = compare(pythons, frames, args.repeat) | ({"missing": missing} if missing else {})
    if args.json:
        print(json.dumps({"machine": describe(), "order_book": found}, indent=2))
        return
    print(f"ours, checksum verified: {found['ours_per_second']:,.0f} messages a CPU second")
    if missing:
        print(f"ccxt.pro cannot be installed: {missing}")
    else:
        print(f"ccxt.pro, without: {found['ccxt_per_second']:,.0f}; ours is {found['ratio']:.1f} x")


if __name__ == "__main__":
    main()
