"""Killed imports are completed by running them again; files of any size fit in bounded memory."""

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.marketdata.samples import JANUARY_2024_NS, make_bars, to_lines, write_csv

ROOT = Path(__file__).resolve().parents[2]
START_MS = JANUARY_2024_NS // 1_000_000
IMPORT = """
import resource, sys, time
from pathlib import Path
from trading.marketdata.importing import ImportRequest, import_file
from trading.marketdata.store import BarStore
def run():
    request = ImportRequest(Path(sys.argv[2]), venue="kraken", symbol="BTC/USD")
    return import_file(BarStore(sys.argv[1]), request, now_ns=time.time_ns())
"""
BOUNDED = (
    IMPORT
    + """
used = int(next(x for x in open("/proc/self/status") if x.startswith("VmData")).split()[1]) << 10
limit = used + (int(sys.argv[3]) << 20)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
print(run().read.rows)
"""
)


def start(root: Path, path: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", IMPORT + "run()", root, path], cwd=ROOT)


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("kind", ["bars", "trades"])
def test_an_import_killed_half_way_and_run_again_leaves_the_same_bytes(tmp_path, kind):
    if kind == "bars":
        path = write_csv(tmp_path / "kraken_BTCUSD_1m.csv", to_lines(make_bars(300_000)))
    else:
        path = write_trades(tmp_path / "trades.csv.gz", 300_000, step_ms=61_000)
    assert start(tmp_path / "whole", path).wait() == 0

    for moment in (1, 4):
        process = start(tmp_path / "killed", path)
        while process.poll() is None and files_in(tmp_path / "killed") < moment:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert contents(tmp_path / "killed") != contents(tmp_path / "whole")
    assert start(tmp_path / "killed", path).wait() == 0

    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def files_in(root: Path) -> int:
    return sum(name.endswith(".parquet") for *_, names in os.walk(root) for name in names)


def write_trades(path: Path, count: int, *, step_ms: int) -> Path:
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("ts,id,type,side,price,amount\n")
        for first in range(0, count, 50_000):
            numbers = range(first, min(first + 50_000, count))
            file.write(
                "".join(f"{START_MS + n * step_ms},{n},limit,buy,{n % 97 + 1}.5,0.{n % 89 + 1}\n" for n in numbers)
            )  # fmt: skip
    return path


def write_json(path: Path, count: int, *, step_ms: int) -> Path:
    begin_ms = START_MS - 200_040_000_000
    with path.open("w") as file:
        for first in range(0, count, 50_000):
            file.write("[" if first == 0 else ",")
            numbers = range(first, first + 50_000)
            file.write(
                ",".join(f"[{begin_ms + n * step_ms},1.5,2.5,0.5,1.0,3.25]" for n in numbers)
            )
        file.write("]")
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_DATA as Linux has it")
@pytest.mark.parametrize(
    ("write", "name", "count", "megabytes"),
    [
        (write_trades, "trades.csv.gz", 1_500_000, 112),
        (write_json, "BTC_USD-1m.json", 1_000_000, 224),
    ],
)
def test_a_large_file_is_imported_in_bounded_memory(tmp_path, write, name, count, megabytes):
    path = write(tmp_path / name, count, step_ms=60_000 if "json" in name else 400)
    command = [sys.executable, "-c", BOUNDED, tmp_path / "store", path, str(megabytes)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.strip(), done.stderr[-600:]) == (0, str(count), "")
