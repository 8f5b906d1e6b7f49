"""Importing files: layouts, broken lines by number, order, idempotence, memory."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.marketdata.samples import (
    HEADER,
    MINUTE_NS,
    NOW_NS,
    make_bars,
    shared_file,
    to_lines,
    write_csv,
)
from trading.marketdata.importing import FileMissing, ImportRefused, ImportRequest, import_file
from trading.marketdata.reader import ReadOptions
from trading.marketdata.store import BarStore, Merged

ROOT = Path(__file__).resolve().parents[2]
NAME = "kraken_BTCUSD_1m_2024.csv"
SHARED = [  # file, rows, missing, longest hole in minutes (0: none)
    ("bitfinex_BTCUSD_1m_2018.csv.gz", "BTC/USD", 520_499, 5101, 68),
    ("binance_BTCUSDT_5m_2022-08_2023-09.csv.gz", "BTC/USDT", 121_739, 16, 85),
    ("binance_ETHUSDT_5m_2022-08_2023-09.csv.gz", "ETH/USDT", 121_743, 16, 85),
    ("binance_BTCUSDT_5m_2024-01_2024-11.csv.gz", "BTC/USDT", 96_480, 0, 0),
    ("binance_SOLUSDT_5m_2024-01_2024-11.csv.gz", "SOL/USDT", 96_480, 0, 0),
    ("binance_BTCUSDT_1m_2024-07-26_2024-08-25.csv.gz", "BTC/USDT", 43_209, 0, 0),
    ("kraken_XBTUSD_1h_2013_2020.csv.gz", "BTC/USD", 52_585, 10_850, 3420),
    ("coinbase_BTC-USD_1m_2023-11_2024-01.csv.gz", "BTC/USD", 55_017, 0, 0),
    ("coinbase_DASH-USD_1m_2023-11_2024-01.csv.gz", "DASH/USD", 15_720, 39_822, 30),
    ("kraken_BTCUSDT_1m_2023-11-17_19.csv.gz", "BTC/USDT", 2834, 1485, 12),
    # the last line of these three has no line end, and their list counted line ends
    ("coinbase_BTCUSD_1m_quote_20180404.csv.gz", "BTC/USD", 1437, 2, 3),
    ("coinbase_BTCUSD_1m_trade_20180404.csv.gz", "BTC/USD", 1007, 1, 2),
    ("coinbase_BTCUSD_1s_trade_20161007.csv.gz", "BTC/USD", 4063, 82_332, 157 / 60),
]


def run(root: Path, path: Path, *, now_ns: int = NOW_NS, strict: bool = False, **options):
    store = BarStore(root)
    request = ImportRequest(path, strict=strict, options=ReadOptions(**options))
    return store, import_file(store, request, now_ns=now_ns)


def import_lines(tmp_path: Path, lines: list[str], *, header: str = HEADER, **options):
    path = write_csv(tmp_path / NAME, lines, header=header)
    store, report = run(tmp_path / "store", path, **options)
    return store.read(report.key), report


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "symbol", "rows", "missing", "hole"), SHARED)
def test_the_real_files_import_whole(tmp_path, name, symbol, rows, missing, hole):
    _, report = run(tmp_path, shared_file(name))

    summary = report.summary
    assert (report.key.symbol, summary.bars, report.read.broken) == (symbol, rows, 0)
    assert (summary.missing, summary.longest_gap_ns) == (missing, round(hole * MINUTE_NS))


@pytest.mark.shared_data
def test_the_outage_of_binance_stays_a_hole(tmp_path):
    store, report = run(tmp_path, shared_file("binance_BTCUSDT_5m_2022-08_2023-09.csv.gz"))
    day = np.datetime64("2023-03-24", "ns").astype("i8")

    opens = store.read(
        report.key, start_ns=day + 12 * 60 * MINUTE_NS, end_ns=day + 15 * 60 * MINUTE_NS
    )["open_ns"]

    minutes = (opens - day) // MINUTE_NS
    assert 12 * 60 + 35 in minutes
    assert not ((minutes > 12 * 60 + 35) & (minutes < 14 * 60)).any()


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kraken_L2_BTC_USD_orderbook_2024-11-12.csv.gz", "an order book"),
        ("binance_BTCUSDT_L2_2024-08-08.jsonl.gz", "a recorded stream"),
        ("kraken_ws_v2_instrument_snapshot.json.gz", "JSON object"),
    ],
)
def test_files_that_hold_no_bars_are_refused_with_what_they_hold(tmp_path, name, words):
    request = ImportRequest(shared_file(name), venue="kraken", symbol="BTC/USDT")

    with pytest.raises(ImportRefused, match=words):
        import_file(BarStore(tmp_path), request, now_ns=NOW_NS)


def test_an_import_keeps_every_bit_and_running_it_again_changes_nothing(tmp_path):
    bars = np.delete(make_bars(30_000), [7, 8, 9, 20_000])
    path = write_csv(tmp_path / f"{NAME}.gz", to_lines(bars))
    store, first = run(tmp_path / "store", path)

    _, second = run(tmp_path / "store", path)

    assert store.read(first.key).tobytes() == bars.tobytes()
    assert first.merged == Merged(added=len(bars))
    assert second.merged == Merged(identical=len(bars))
    assert first.summary == second.summary


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("header", "spell"),
    [
        ("timestamp,o,h,l,c,v\n", lambda row: f"{row[0] // 10**9},{','.join(map(repr, row[1:]))}"),
        ("Date;Open;High;Low;Close;Volume\n", lambda row: f"{np.datetime64(row[0], 'ns')}Z;{';'.join(map(repr, row[1:]))}"),
        ("time,open,high,low,close,vol\n", lambda row: f"{str(np.datetime64(row[0], 'ns').astype('M8[s]')).replace('T', ' ')},{','.join(map(repr, row[1:]))}"),
        ("close,volume,ts,low,high,open\n", lambda row: f"{row[4]!r},{row[5]!r},{row[0] // 1000},{row[3]!r},{row[2]!r},{row[1]!r}"),
        ('"ts","open","high","low","close","volume"\n', lambda row: f'"{row[0]}","{row[1]!r}","{row[2]!r}","{row[3]!r}","{row[4]!r}","{row[5]!r}"'),
        ("", lambda row: f"{row[0] // 10**9},{','.join(map(repr, row[1:]))},17"),
        ("", lambda row: f"{row[0] // 10**6},{','.join(map(repr, row[1:]))},{row[0] // 10**6 + 59_999},1.5,3,0.5,0.5,0"),
        ("", lambda row: f"{row[0] // 10**9}.000,{','.join(map(repr, row[1:]))}"),
    ],
    ids=["seconds", "iso-semicolons", "iso-blank", "shuffled-microseconds", "quoted-ns", "kraken", "binance", "decimal-seconds"],
)  # fmt: skip
def test_layouts_are_told_apart_and_read_exactly(tmp_path, header, spell, ending):
    bars = make_bars(500)
    path = write_csv(
        tmp_path / NAME, [spell(row) for row in bars.tolist()], header=header, ending=ending
    )

    store, report = run(tmp_path / "store", path)

    assert report.read.broken == 0
    assert store.read(report.key).tobytes() == bars.tobytes()


CORRUPTIONS = {
    "wrong column count": lambda f: [*f, "1"],
    "wrong column count: 4": lambda f: f[:4],
    "empty line": lambda f: [""],
    "close is not a": lambda f: [*f[:4], "nan", f[5]],
    "high is not a number": lambda f: [*f[:2], "1_000.5", *f[3:]],
    "low is not a positive price": lambda f: [*f[:3], "0", *f[4:]],
    "open is not a positive price": lambda f: [f[0], f"-{f[1]}", *f[2:]],
    "is below low": lambda f: [f[0], f[1], f[3], f[2], *f[4:]],
    "volume is negative": lambda f: [*f[:5], "-0.5"],
    "volume is not a": lambda f: [*f[:5], "inf"],
    "time is not a number": lambda f: ["yesterday", *f[1:]],
    "is not on the 1m grid": lambda f: [str(int(f[0]) + 1500), *f[1:]],
    "time is in the future": lambda f: [str(NOW_NS // 1_000_000 // 60_000 * 60_000 + 600_000), *f[1:]],
    "time is before 2009": lambda f: ["60000", *f[1:]],
    "time is out of range": lambda f: ["9" * 19, *f[1:]],
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    broken=st.dictionaries(
        st.integers(2, 399), st.sampled_from(sorted(CORRUPTIONS)), min_size=1, max_size=25
    )
)
def test_every_broken_line_is_named_with_its_number_and_all_others_are_imported(
    tmp_path_factory, broken
):
    bars = make_bars(400)
    lines = to_lines(bars)
    for row, kind in broken.items():
        lines[row] = ",".join(CORRUPTIONS[kind](lines[row].split(",")))

    stored, report = import_lines(tmp_path_factory.mktemp("import"), lines, show=100)

    assert [line for line, _ in report.read.shown] == [row + 2 for row in sorted(broken)]
    reasons = dict(report.read.shown)
    assert all(kind.split(":")[0] in reasons[row + 2] for row, kind in broken.items())
    assert stored.tobytes() == np.delete(bars, sorted(broken)).tobytes()


def test_line_numbers_stay_exact_across_blocks(tmp_path):
    bars = make_bars(60_000)
    lines = to_lines(bars)
    for row in (10, 30_000, 59_999):
        lines[row] = lines[row].replace(",", ",x", 1)

    stored, report = import_lines(tmp_path, lines)

    assert [line for line, _ in report.read.shown] == [12, 30_002, 60_001]
    assert len(stored) == 59_997


def test_only_the_first_broken_lines_are_told_but_all_are_counted(tmp_path):
    lines = to_lines(make_bars(500))
    lines[100:400] = ["rubbish"] * 300

    _, report = import_lines(tmp_path, lines, show=5)

    assert len(report.read.shown) == 5
    assert report.read.broken == 300
    assert report.read.reasons == {"wrong column count": 300}


def test_strict_refuses_the_file_and_writes_nothing(tmp_path):
    lines = to_lines(make_bars(100))
    lines[50] = "rubbish"
    path = write_csv(tmp_path / NAME, lines)

    with pytest.raises(ImportRefused, match="line 52: wrong column count"):
        run(tmp_path / "store", path, strict=True)

    assert BarStore(tmp_path / "store").stored_keys() == []


def test_repeated_lines_are_dropped_and_contradicting_ones_named(tmp_path):
    bars = make_bars(100)
    lines = to_lines(bars)
    other = lines[20].split(",")
    other[5] = "7.25"
    lines[51:51] = [lines[10], ",".join(other)]

    stored, report = import_lines(tmp_path, lines)

    assert report.read.duplicates == 1
    assert report.read.shown == [(54, "other values for 2024-01-01 00:20:00 than line 22")]
    assert stored.tobytes() == bars.tobytes()


def test_disorder_within_the_window_is_sorted(tmp_path):
    bars = make_bars(60_000)
    lines = to_lines(bars)
    lines[100:3000] = reversed(lines[100:3000])

    stored, report = import_lines(tmp_path, lines)

    assert report.read.broken == 0
    assert report.read.order_breaks > 0
    assert stored.tobytes() == bars.tobytes()


def test_a_row_too_late_to_be_placed_is_named(tmp_path):
    bars = make_bars(60_000)
    lines = to_lines(bars)
    lines.insert(59_000, lines.pop(50))

    stored, report = import_lines(tmp_path, lines)

    assert [line for line, _ in report.read.shown] == [59_002]
    assert stored.tobytes() == np.delete(bars, 50).tobytes()


def test_one_row_far_ahead_does_not_make_the_rest_late(tmp_path):
    bars = make_bars(60_000)
    lines = to_lines(bars)
    ahead = int(bars["open_ns"][-1]) // 1_000_000 + 60_000 * 600_000
    lines[500] = f"{ahead},{lines[500].split(',', 1)[1]}"

    stored, report = import_lines(tmp_path, lines)

    assert report.read.broken == 0
    assert len(stored) == 60_000


def test_a_file_from_new_to_old_is_read_as_such(tmp_path):
    bars = make_bars(60_000)

    stored, report = import_lines(tmp_path, to_lines(bars)[::-1])

    assert report.read.broken == 0
    assert "the file runs from new to old" in report.read.notes
    assert stored.tobytes() == bars.tobytes()


def test_a_bar_still_open_is_left_out(tmp_path):
    bars = make_bars(10)
    path = write_csv(tmp_path / NAME, to_lines(bars))

    _, report = run(tmp_path / "store", path, now_ns=int(bars["open_ns"][-1]) + MINUTE_NS - 1)

    assert report.read.shown == [(11, "the bar of 2024-01-01 00:09:00 has not closed yet")]
    assert report.summary.bars == 9


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_truncated_gzip_gives_what_can_be_read_and_says_where_it_ends(tmp_path, share):
    bars = make_bars(30_000)
    path = write_csv(tmp_path / f"{NAME}.gz", to_lines(bars))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    store, report = run(tmp_path / "store", path)

    stored = store.read(report.key)
    assert 0 < len(stored) < 30_000
    assert stored.tobytes() == bars[: len(stored)].tobytes()
    assert report.read.shown[0][0] == len(stored) + 2
    assert "gzip" in report.read.shown[0][1]


def test_damage_inside_a_gzip_is_named(tmp_path):
    path = write_csv(tmp_path / f"{NAME}.gz", to_lines(make_bars(30_000)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    path.write_bytes(data)

    _, report = run(tmp_path / "store", path)

    assert report.read.broken > 0
    assert 0 < report.summary.bars < 30_000


def test_gzip_members_joined_together_are_one_file(tmp_path):
    bars = make_bars(2000)
    lines = [line + "\n" for line in to_lines(bars)]
    path = tmp_path / f"{NAME}.gz"
    path.write_bytes(
        gzip.compress((HEADER + "".join(lines[:777])).encode())
        + gzip.compress("".join(lines[777:]).encode())
    )

    store, report = run(tmp_path / "store", path)

    assert report.read.broken == 0
    assert store.read(report.key).tobytes() == bars.tobytes()


def test_a_line_cut_at_the_end_of_the_file_is_named(tmp_path):
    path = write_csv(tmp_path / NAME, to_lines(make_bars(50)))
    path.write_bytes(path.read_bytes()[:-25])

    _, report = run(tmp_path / "store", path)

    assert report.read.shown == [(51, "wrong column count: 5 where 6 are expected")]
    assert any("no line end" in note for note in report.read.notes)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"PAR1....", "Parquet"),
        (b"\xff\xfet\x00s\x00", "UTF-16"),
        (b'[[1704067200000,"1"]]', "row 1: wrong column count: 2 where 6 are expected"),
        (b"a\0b\n", "not text"),
        (b"x" * 200_000, "longer than"),
        (b"hello world\n", "no column for time"),
        (b"ts,open,high,low,close\n1,2,3,4,5\n", "no column for volume"),
        (b"ts,open,high,low,close,close,volume\n", "twice"),
        (b"1704067200,1,0\n", "amount is not a positive number"),
        (b"1704067200,1,2,3\n", "4 columns without a header"),
        (b"0,1,1,1,1,1\n60000,1,1,1,1,1\n", "give --date"),
        (b"ts,open,high,low,close,volume\n", "no line has a time"),
        (b"ts,open,high,low,close,volume\nsoon,1,1,1,1,1\n", "no line has a time"),
        (b"ts,open,high,low,close,volume\n1704067200000,0,0,0,0,1\n1704067260000,0,0,0,0,1\n", "no usable bar"),
        (b"\x1f\x8b\x08\x00broken", "nothing of it can be unpacked"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_file_of_bars_gets_one_clear_sentence(tmp_path, content, words):
    path = tmp_path / NAME
    path.write_bytes(content)

    with pytest.raises(ImportRefused, match=words):
        run(tmp_path / "store", path)


def test_missing_files_and_folders_are_told(tmp_path):
    with pytest.raises(FileMissing, match="no such file"):
        run(tmp_path / "store", tmp_path / NAME)
    with pytest.raises(ImportRefused, match="folder"):
        run(tmp_path / "store", _folder(tmp_path / "kraken_BTCUSD_1m"))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(("name", "what"), [("bars.csv", "venue"), ("kraken_bars.csv", "symbol")])
def test_a_file_name_that_does_not_say_whose_bars_asks_for_the_option(tmp_path, name, what):
    path = write_csv(tmp_path / name, to_lines(make_bars(10)))

    with pytest.raises(ImportRefused, match=f"give --{what}"):
        run(tmp_path / "store", path)


def test_the_timeframe_is_seen_in_the_data_when_nothing_names_it(tmp_path):
    path = write_csv(
        tmp_path / "kraken_BTCUSD.csv", to_lines(make_bars(50, step_ns=15 * MINUTE_NS))
    )

    _, report = run(tmp_path / "store", path)

    assert report.key.timeframe_seconds == 900


def test_a_step_that_is_no_timeframe_asks_for_the_option(tmp_path):
    path = write_csv(tmp_path / "kraken_BTCUSD.csv", to_lines(make_bars(50, step_ns=7 * MINUTE_NS)))

    with pytest.raises(ImportRefused, match="420 seconds, which is no timeframe"):
        run(tmp_path / "store", path)


def test_a_wrong_timeframe_is_noticed(tmp_path):
    path = write_csv(tmp_path / NAME, to_lines(make_bars(500, step_ns=5 * MINUTE_NS)))

    _, report = run(tmp_path / "store", path)

    assert any("is the timeframe right?" in note for note in report.read.notes)


@pytest.mark.parametrize(
    ("name", "tick", "lot"),
    [
        ("bitfinex_BTCUSD_1m_2018.csv.gz", "0.1", "1E-8"),
        ("binance_BTCUSDT_5m_2022-08_2023-09.csv.gz", "0.01", "0.00001"),
        ("kraken_BTCUSDT_1m_2023-11-17_19.csv.gz", "0.1", "1E-8"),
    ],
)
@pytest.mark.shared_data
def test_the_grid_is_that_of_the_venue_not_of_its_noise(tmp_path, name, tick, lot):
    _, report = run(tmp_path, shared_file(name))

    assert (str(report.grid.tick_size), str(report.grid.lot_size)) == (tick, lot)


MEMORY = """
import resource, sys, time
from pathlib import Path
from trading.marketdata.importing import ImportRequest, import_file
from trading.marketdata.store import BarStore
report = import_file(BarStore(sys.argv[1]), ImportRequest(Path(sys.argv[2])), now_ns=time.time_ns())
print(report.summary.bars, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_file(tmp_path):
    row = "40000.5,40001.25,39999.75,40000.0,1.2345\n"
    used = []
    for count in (150_000, 3_000_000):
        path = tmp_path / f"kraken_BTCUSD_1m_{count}.csv"
        start = 1_293_840_000_000
        with path.open("w") as file:
            file.write(HEADER)
            for first in range(0, count, 50_000):
                file.write(
                    "".join(f"{start + n * 60_000},{row}" for n in range(first, first + 50_000))
                )
        command = [sys.executable, "-c", MEMORY, str(tmp_path / str(count)), str(path)]
        answer = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        bars, megabytes = map(int, answer.split())
        assert bars == count
        used.append(megabytes)

    assert used[1] - used[0] < 64
