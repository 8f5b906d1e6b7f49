"""Every format out and in again bit for bit; what is wrong in one is told by row, nothing half-done."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from tests.marketdata.samples import NOW_NS, make_bars, shared_file, to_lines, write_csv
from trading.marketdata import exporting
from trading.marketdata.exporting import ExportRefused
from trading.marketdata.importing import ImportRefused, ImportRequest, import_file
from trading.marketdata.store import BarStore, Merged, SeriesKey

NAMES = {
    "csv": "x_BTCUSD_1m.csv.gz",
    "kraken": "XBTUSD_1.csv",
    "json": "BTC_USD-1m.json",
    "feather": "BTC_USD-1m.feather",
    "parquet": "BTC_USD-1m.parquet",
}


def read(path: Path, *, strict: bool = False):
    store = BarStore(path.parent / f"store-{path.name}")
    request = ImportRequest(path, venue="kraken", symbol="BTC/USD", strict=strict)
    report = import_file(store, request, now_ns=NOW_NS)
    return store.read(report.key), report


def pieces(bars: np.ndarray) -> list[np.ndarray]:
    return np.array_split(bars, 7)


@pytest.mark.parametrize("form", exporting.FORMATS)
def test_an_export_reads_back_bit_for_bit(tmp_path, form):
    bars = np.delete(make_bars(70_000), [5, 6, 60_000])
    path = tmp_path / NAMES[form]

    count = exporting.write_file(path, pieces(bars), form=form)
    back, report = read(path, strict=True)

    assert count == len(bars)
    assert report.key == SeriesKey("kraken", "BTC/USD", 60)
    assert back.tobytes() == bars.tobytes()
    assert report.merged == Merged(added=len(bars))


@pytest.mark.shared_data
@pytest.mark.parametrize("form", exporting.FORMATS)
def test_real_bars_survive_every_format(tmp_path, form):
    real, _ = read(_linked(tmp_path, "kraken_BTCUSDT_1m_2023-11-17_19.csv.gz"))

    exporting.write_file(tmp_path / NAMES[form], [real], form=form)

    assert read(tmp_path / NAMES[form])[0].tobytes() == real.tobytes()


def _linked(folder: Path, name: str) -> Path:
    path = folder / name
    path.symlink_to(shared_file(name))
    return path


@pytest.mark.parametrize("form", ["json", "feather"])
def test_the_same_bars_give_the_same_file(tmp_path, form):
    bars = make_bars(3000)

    for name in ("a", "b"):
        exporting.write_file(tmp_path / name, [bars], form=form)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_export_never_overwrites_and_leaves_nothing_half_done(tmp_path):
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")

    with pytest.raises(ExportRefused, match="there is such a file"):
        exporting.write_file(taken, [make_bars(3)], form="csv")
    with pytest.raises(ExportRefused, match="no bar to write"):
        exporting.write_file(tmp_path / "none.feather", [], form="feather")
    with pytest.raises(ExportRefused, match=r"leave \.gz away"):
        exporting.write_file(tmp_path / "x.parquet.gz", [], form="parquet")
    with pytest.raises(ZeroDivisionError):
        exporting.write_file(
            tmp_path / "cut.json", (make_bars(1 // n) for n in (1, 0)), form="json"
        )

    assert [path.name for path in tmp_path.iterdir()] == ["taken.csv"]
    assert taken.read_text() == "mine"


def frame(bars: np.ndarray, **changed: pa.Array) -> pa.Table:
    """As freqtrade's frames are: date and the five values."""
    columns = {"date": pa.array(bars["open_ns"].astype("M8[ns]"), pa.timestamp("ns", tz="UTC"))}
    for name in ("open", "high", "low", "close", "volume"):
        columns[name] = pa.array(np.ascontiguousarray(bars[name]))
    return pa.table(columns | changed)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_feather_times_may_have_any_unit_and_no_zone(tmp_path, unit):
    bars = make_bars(500)
    dates = pa.array(bars["open_ns"].astype("M8[ns]")).cast(pa.timestamp(unit))
    feather.write_feather(frame(bars, date=dates), tmp_path / NAMES["feather"], compression="zstd")

    assert read(tmp_path / NAMES["feather"])[0].tobytes() == bars.tobytes()


def test_parquet_times_may_be_numbers_and_columns_in_any_order(tmp_path):
    bars = make_bars(500)
    table = frame(bars, date=pa.array(bars["open_ns"] // 1_000_000))
    names = ["Close", "volume", "Timestamp", "low", "open", "high", "extra"]
    table = table.select(["close", "volume", "date", "low", "open", "high", "open"])
    pq.write_table(table.rename_columns(names), tmp_path / NAMES["parquet"])

    assert read(tmp_path / NAMES["parquet"])[0].tobytes() == bars.tobytes()


def test_rows_that_are_no_bars_are_named_by_row_in_a_feather_file(tmp_path):
    bars = make_bars(100)
    closes = bars["close"].tolist()
    closes[7] = None
    dates = bars["open_ns"].astype("M8[ns]").tolist()
    dates[9] = None
    dates = pa.array(dates, pa.int64()).cast(pa.timestamp("ns"))
    feather.write_feather(
        frame(bars, close=pa.array(closes), date=dates), tmp_path / NAMES["feather"]
    )

    back, report = read(tmp_path / NAMES["feather"])

    assert report.read.shown == [
        (8, "close is not a finite number"),
        (10, "time is absent or out of range"),
    ]
    assert report.read.unit == "row"
    assert back.tobytes() == np.delete(bars, [7, 9]).tobytes()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (lambda t: t.drop_columns(["high"]), "no column for high"),
        (lambda t: t.set_column(2, "high", pa.array(["x"] * 9)), "'high' holds string"),
        (lambda t: t.set_column(0, "date", pa.array(["x"] * 9)), "'date' holds string; accepted"),
        (lambda t: t.set_column(0, "date", pa.array(range(9))), "smaller than any date"),
        (lambda t: t.select(["date", "open"]).rename_columns(["date", "price"]), "single trades"),
        (lambda t: t.slice(0, 0), "no row"),
    ],
)
def test_tables_that_hold_no_bars_are_refused(tmp_path, table, words):
    path = tmp_path / NAMES["parquet"]
    pq.write_table(table(frame(make_bars(9))), path)

    with pytest.raises(ImportRefused, match=words):
        read(path)


@pytest.mark.parametrize("form", ["feather", "parquet"])
def test_a_cut_table_is_refused(tmp_path, form):
    path = tmp_path / NAMES[form]
    exporting.write_file(path, [make_bars(5000)], form=form)
    path.write_bytes(path.read_bytes()[:-200])

    with pytest.raises(ImportRefused, match=f"damaged {form} file"):
        read(path)


def test_json_may_be_packed_and_spread_over_lines(tmp_path):
    bars = make_bars(40_000)
    rows = [[row[0] // 1_000_000, *row[1:]] for row in bars.tolist()]
    path = tmp_path / "BTC_USD-1m.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows, indent=1).encode(), 1))

    assert read(path)[0].tobytes() == bars.tobytes()


def test_rows_of_json_that_are_no_bars_are_named(tmp_path):
    rows = [json.loads(f"[{line}]") for line in to_lines(make_bars(60))]
    rows[3][4] = None
    rows[5] = rows[5][:4]
    rows[7] = {"open": 1}
    rows[9][0] = "soon"
    path = tmp_path / NAMES["json"]
    path.write_text(json.dumps(rows))

    back, report = read(path)

    assert report.read.shown == [
        (4, "close is not a number: None"),
        (6, "wrong column count: 4 where 6 are expected"),
        (8, "not a row of numbers: {'open': 1}"),
        (10, "time is not a whole number: 'soon'"),
    ]
    assert len(back) == 56


def test_a_cut_json_file_gives_what_is_whole_and_says_where_it_ends(tmp_path):
    bars = make_bars(30_000)
    path = tmp_path / NAMES["json"]
    exporting.write_file(path, [bars], form="json")
    path.write_bytes(path.read_bytes()[:-30])

    back, report = read(path)

    assert report.read.shown == [(30_000, "cut: the list of rows ends early")]
    assert back.tobytes() == bars[:-1].tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[]", "no row"),
        (b"[1, 2]", "not hold a list of rows"),
        (b'[["a", 1]]', "no line has a time"),
        (b"[[5,1,1,1,1,1]]", "no time since 1970"),
        (b'{"channel": "instrument"}', "JSON object"),
        (b"FEA1....", "feather file of version 1"),
    ],
)
def test_json_and_others_that_hold_no_bars_are_refused(tmp_path, content, words):
    path = tmp_path / NAMES["json"]
    path.write_bytes(content)

    with pytest.raises(ImportRefused, match=words):
        read(path)


def test_a_file_of_another_format_than_asked_for_is_refused(tmp_path):
    path = write_csv(tmp_path / "x.csv", to_lines(make_bars(5)))
    store = BarStore(tmp_path / "store")
    request = ImportRequest(path, venue="kraken", symbol="BTC/USD")
    asked = type(request.options)(layout_name="feather")

    with pytest.raises(ImportRefused, match="format feather was asked for, the file holds csv"):
        import_file(store, ImportRequest(path, "kraken", "BTC/USD", options=asked), now_ns=NOW_NS)


@pytest.mark.parametrize(
    ("form", "name"),
    [("feather", "BTC_USD-5m.feather"), ("json", "BTC_USD-5m.json"), ("kraken", "XBTUSD_5.csv")],
)
def test_files_have_the_names_the_other_programs_look_for(form, name):
    assert exporting.file_name(form, symbol="BTC/USD", timeframe_seconds=300) == name
