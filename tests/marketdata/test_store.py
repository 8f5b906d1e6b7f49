"""The bar store: exact round trips, merging, ranges, holes, hashes, killed writers."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.marketdata.samples import JANUARY_2024_NS, MINUTE_NS, make_bars, to_lines, write_csv
from trading.core.records import BAR
from trading.marketdata.store import (
    BarStore,
    DamagedSeries,
    Merged,
    SeriesKey,
    SeriesNotFound,
    StoreError,
)

ROOT = Path(__file__).resolve().parents[2]
KEY = SeriesKey("kraken", "BTC/USD", 60)
IMPORT = """
import sys, time
from pathlib import Path
from trading.marketdata.importing import ImportRequest, import_file
from trading.marketdata.store import BarStore
import trading.marketdata.importing as importing
importing.MERGE_BARS = 2000
print("ready", flush=True)
request = ImportRequest(Path(sys.argv[2]), venue="kraken", symbol="BTC/USD")
report = import_file(BarStore(sys.argv[1]), request, now_ns=time.time_ns())
print("interrupted" if report.interrupted else "whole", report.summary.bars if report.summary else 0)
"""

PAUSE = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from trading.marketdata.store import BarStore
honest = BarStore.merge
def merge(*given, **named):
    done = honest(*given, **named)
    print("merged", flush=True)
    time.sleep(60)
    return done
BarStore.merge = merge
"""


@settings(max_examples=40, deadline=None)
@given(
    values=npst.arrays(
        "f8", (20, 5), elements=st.floats(1e-12, 1e15, allow_nan=False, allow_subnormal=False)
    )
)
def test_every_float_comes_back_bit_for_bit(tmp_path_factory, values):
    bars = make_bars(20)
    for position, name in enumerate(("open", "high", "low", "close", "volume")):
        bars[name] = values[:, position]
    store = BarStore(tmp_path_factory.mktemp("bars"))

    store.merge(KEY, bars)

    assert store.read(KEY).tobytes() == bars.tobytes()


def test_merging_the_same_bars_again_changes_nothing(tmp_path):
    store, bars = BarStore(tmp_path), make_bars(100_000)
    first = store.merge(KEY, bars)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}

    second = store.merge(KEY, bars)

    assert first == Merged(added=100_000)
    assert second == Merged(identical=100_000)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == before
    assert len(before) == 3


def test_the_newest_import_wins_and_is_counted(tmp_path):
    store, bars = BarStore(tmp_path), make_bars(1000)
    store.merge(KEY, bars[:900])
    bars["close"][10:15] += 0.25

    merged = store.merge(KEY, bars[5:])

    assert merged == Merged(added=100, replaced=5, identical=890)
    assert store.read(KEY)[5:].tobytes() == bars[5:].tobytes()


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 49_999), max_size=6), order=st.randoms(use_true_random=False))
def test_pieces_in_any_order_give_the_same_series_and_hash(tmp_path_factory, cuts, order):
    bars = np.delete(make_bars(50_000), [3, 4, 5, 40_000])
    edges = sorted({0, *(cut for cut in cuts if cut < len(bars)), len(bars)})
    pieces = [bars[a:b] for a, b in pairwise(edges)]
    whole = BarStore(tmp_path_factory.mktemp("whole"))
    whole.merge(KEY, bars)
    order.shuffle(pieces)
    store = BarStore(tmp_path_factory.mktemp("pieces"))

    for piece in pieces:
        store.merge(KEY, piece)

    assert store.read(KEY).tobytes() == bars.tobytes()
    assert store.summarize(KEY).sha256 == whole.summarize(KEY).sha256


@pytest.mark.parametrize(("seconds", "files"), [(1, 2), (60, 1), (3600, 12), (86_400, 274)])
def test_the_hash_is_over_the_bars_not_over_the_files(tmp_path, seconds, files):
    bars = make_bars(100_000, step_ns=seconds * 1_000_000_000, start_ns=0)
    store, key = BarStore(tmp_path), SeriesKey("kraken", "BTC/USD", seconds)
    store.merge(key, bars)

    summary = store.summarize(key)

    assert summary.sha256 == hashlib.sha256(bars.tobytes()).hexdigest()
    assert summary.files >= files


def test_a_summary_counts_holes_and_names_the_longest(tmp_path):
    bars = np.delete(make_bars(100_000), [*range(50, 53), *range(70_000, 70_067)])
    store = BarStore(tmp_path)
    store.merge(KEY, bars)

    summary = store.summarize(KEY)

    assert (summary.bars, summary.missing) == (99_930, 70)
    assert summary.longest_gap_ns == 68 * MINUTE_NS
    assert summary.longest_gap_after_ns == JANUARY_2024_NS + 69_999 * MINUTE_NS


def test_a_series_without_a_hole_has_no_longest_gap(tmp_path):
    store = BarStore(tmp_path)
    store.merge(KEY, make_bars(5000))

    assert store.summarize(KEY).longest_gap_ns == 0


def test_ranges_are_half_open_and_come_in_bounded_pieces(tmp_path):
    store, bars = BarStore(tmp_path), make_bars(100_000)
    store.merge(KEY, bars)
    start, end = int(bars["open_ns"][40_000]), int(bars["open_ns"][95_000])

    pieces = list(store.iter_bars(KEY, start_ns=start, end_ns=end, chunk=700))

    assert np.concatenate(pieces).tobytes() == bars[40_000:95_000].tobytes()
    assert max(map(len, pieces)) == 700
    assert store.tail(KEY, before_ns=end, count=60_000).tobytes() == bars[35_000:95_000].tobytes()
    assert len(store.tail(KEY, before_ns=int(bars["open_ns"][3]), count=10)) == 3


def test_an_unknown_series_is_an_error_not_an_empty_answer(tmp_path):
    with pytest.raises(SeriesNotFound, match="BTC/USD 1m of kraken"):
        BarStore(tmp_path).read(KEY)


def test_a_damaged_file_is_named(tmp_path):
    store = BarStore(tmp_path)
    store.merge(KEY, make_bars(1000))
    path = next(tmp_path.rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(DamagedSeries, match=r"2024-01\.parquet"):
        store.read(KEY)


@pytest.mark.parametrize(
    ("venue", "symbol", "seconds"),
    [
        ("../etc", "BTC/USD", 60),
        ("kraken", "BTCUSD", 60),
        ("kraken", "../..", 60),
        ("kraken", "BTC/USD", 7),
    ],
)
def test_keys_that_could_leave_the_store_or_the_grid_are_refused(venue, symbol, seconds):
    with pytest.raises(StoreError):
        SeriesKey(venue, symbol, seconds)


def test_stored_series_are_listed(tmp_path):
    store = BarStore(tmp_path)
    for key in (KEY, SeriesKey("binance", "ETH/USDT", 300)):
        store.merge(key, make_bars(10, step_ns=key.timeframe_seconds * 1_000_000_000))

    assert store.stored_keys() == [SeriesKey("binance", "ETH/USDT", 300), KEY]
    assert BarStore(tmp_path / "nothing").stored_keys() == []


def test_a_killed_import_leaves_a_readable_store_and_a_second_run_completes_it(tmp_path):
    bars = make_bars(90_000)
    path = write_csv(tmp_path / "bars.csv", to_lines(bars))
    root = tmp_path / "store"
    command = [sys.executable, "-c", IMPORT, str(root), str(path)]
    counts = []
    for delay in (0.01, 0.06, 0.15):
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        store = BarStore(root)
        kept = store.read(KEY) if store.stored_keys() else np.empty(0, BAR)
        assert kept.tobytes() == bars[: len(kept)].tobytes()
        counts.append(len(kept))

    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    assert counts[-1] < len(bars)
    assert BarStore(root).read(KEY).tobytes() == bars.tobytes()
    assert not [name for name in root.rglob(".tmp-*")]


def test_an_interrupted_import_keeps_what_it_merged_and_says_so(tmp_path):
    bars = make_bars(90_000)
    path = write_csv(tmp_path / "bars.csv", to_lines(bars))
    command = [sys.executable, "-c", PAUSE + IMPORT, str(tmp_path / "store"), str(path)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert [child.stdout.readline() for _ in range(2)] == ["ready\n", "merged\n"]

    os.kill(child.pid, signal.SIGINT)
    answer, _ = child.communicate(timeout=60)

    stored = BarStore(tmp_path / "store").read(KEY)
    assert answer.split() == ["interrupted", str(len(stored))]
    assert stored.tobytes() == bars[: len(stored)].tobytes()
