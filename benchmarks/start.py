"""Cold and warm start: seconds until the core could decide, without and with its code in the cache."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from environments import ROOT
from machine import describe

IMPORT = "from trading.core import rehearsal; from trading.wiring import compiling"
WARM = IMPORT + "; compiling.compile_apart(); rehearsal.rehearse()"


def start(code: str, cache: Path) -> float:
    """Seconds of one process from nothing to its end."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache)}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cold, warm, imports = [], [], []
    for _ in range(args.repeat):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(start(WARM, Path(cache)))
            warm.append(start(WARM, Path(cache)))
            imports.append(start(IMPORT, Path(cache)))
    answer = {
        "cold_seconds": statistics.median(cold),
        "warm_seconds": statistics.median(warm),
        "import_seconds": statistics.median(imports),
    }
    if args.json:
        print(json.dumps({"machine": describe(), "start": answer}, indent=2))
        return
    print(
        f"cold {answer['cold_seconds']:.1f} s, warm {answer['warm_seconds']:.2f} s, "
        f"of which imports {answer['import_seconds']:.2f} s (medians of {args.repeat})"
    )


if __name__ == "__main__":
    main()
