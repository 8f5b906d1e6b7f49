"""Holes and sums: counted and added plainly; told by the commands; coarser series stored."""

import json
import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.marketdata.samples import (
    JANUARY_2024_NS,
    MINUTE_NS,
    make_bars,
    shared_file,
    to_lines,
    write_csv,
)
from tests.marketdata.test_commands import bars_dir, fail, run  # noqa: F401
from trading.marketdata.gaps import Hole, count_duplicates, find_holes, report_gaps
from trading.marketdata.importing import ImportRequest, import_file
from trading.marketdata.store import BarStore
from trading.marketdata.sums import sum_runs
from trading.models import BarSeries

SERIES = ("--venue", "binance", "--symbol", "BTC/USDT")


@settings(max_examples=40, deadline=None)
@given(
    absent=st.sets(st.integers(1, 198), max_size=60), cuts=st.sets(st.integers(1, 139), max_size=6)
)
def test_every_hole_is_found_however_the_bars_are_cut(absent, cuts):
    bars = np.delete(make_bars(200), sorted(absent))
    edges = [0, *sorted(cuts), len(bars)]
    pieces = [bars[a:b] for a, b in pairwise(edges)]

    holes = list(find_holes(pieces, timeframe_seconds=60))
    report = report_gaps(pieces, timeframe_seconds=60, longest=3)

    minutes = [
        minute
        for hole in holes
        for minute in range(
            (hole.from_ns - JANUARY_2024_NS) // MINUTE_NS,
            (hole.to_ns - JANUARY_2024_NS) // MINUTE_NS,
        )
    ]
    assert minutes == sorted(absent)
    assert (report.holes, report.missing) == (len(holes), len(absent))
    assert list(report.longest) == sorted(holes, key=lambda h: (-h.missing, h.from_ns))[:3]
    assert report.share_missing == len(absent) / 200


def test_repeated_times_are_counted_across_pieces():
    bars = make_bars(10)

    assert count_duplicates([bars[:5], bars[4:], bars[9:]]) == 2


@settings(max_examples=100, deadline=None)
@given(
    runs=st.lists(
        st.lists(
            st.one_of(
                st.decimals(0, 10**6, places=8).map(lambda value: float(str(value))),
                st.decimals(0, 10**11, places=3).map(lambda value: float(str(value))),
            ),
            min_size=1,
            max_size=20,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_volumes_with_few_decimals_add_up_to_the_decimal_sum(runs):
    values = np.array([value for one in runs for value in one])
    starts = np.cumsum([0, *map(len, runs)])[:-1]

    sums = sum_runs(values, starts).tolist()

    for one, total in zip(runs, sums, strict=True):
        exact = sum((Decimal(repr(value)) for value in one), Decimal(0))
        assert total in (float(exact), math.fsum(one))
        if exact < 10**7:
            assert total == float(exact)


def test_volumes_with_all_digits_are_rounded_once():
    values = np.random.default_rng(3).random(500)

    assert sum_runs(values, np.array([0, 100])).tolist() == [
        math.fsum(values[:100]),
        math.fsum(values[100:]),
    ]


@pytest.mark.django_db
def test_holes_are_told_by_the_import_and_by_the_list(tmp_path, bars_dir):  # noqa: F811
    bars = np.delete(make_bars(100), [10, 11, 12, 50])
    lines = to_lines(bars)
    path = write_csv(tmp_path / "kraken_BTCUSD_1m.csv", [*lines, lines[-1]])

    told = run("import_bars", str(path))
    facts = json.loads(run("import_bars", str(path), "--json"))["imported"][0]
    [series] = json.loads(run("list_bars", "--gaps", "--json"))
    listed = run("list_bars", "--gaps")

    hole = {
        "from": "2024-01-01T00:10:00Z",
        "to": "2024-01-01T00:13:00Z",
        "missing": 3,
        "seconds": 180,
    }
    assert "2 holes, 4 bars missing (4.000%)" in told
    assert "2024-01-01 00:10:00 to 2024-01-01 00:13:00: 3 bars, 3 minutes" in told
    assert facts["duplicates"] == 1
    assert (facts["gaps"]["holes"], facts["gaps"]["share_missing"]) == (2, 0.04)
    assert facts["gaps"]["longest_holes"][0] == series["holes"][0] == hole
    assert (series["duplicates"], series["share_missing"], len(series["holes"])) == (0, 0.04, 2)
    assert "  2 holes, 4 bars missing (4.000%), 0 repeated" in listed
    assert "  2024-01-01 00:50:00 to 2024-01-01 00:51:00: 1 bars, 1 minutes" in listed


@pytest.mark.shared_data
def test_the_outage_of_binance_is_the_hole_that_is_told(tmp_path):
    path = shared_file("binance_BTCUSDT_5m_2022-08_2023-09.csv.gz")
    gaps = import_file(BarStore(tmp_path), ImportRequest(path), now_ns=2 * 10**18).gaps

    opens = int(np.datetime64("2023-03-24T12:40", "ns").astype("i8"))
    assert gaps.longest == (Hole(16, opens, opens + 80 * MINUTE_NS),)


@pytest.mark.shared_data
@pytest.mark.django_db
def test_stored_minutes_become_a_stored_series_of_five_minutes_as_the_venue_has_it(bars_dir):  # noqa: F811
    run("import_bars", str(shared_file("binance_BTCUSDT_1m_2024-07-26_2024-08-25.csv.gz")))

    told = run("resample_bars", *SERIES, "--to", "5m", "1h")
    again = json.loads(run("resample_bars", *SERIES, "--to", "5m", "--from", "1m", "--json"))

    assert "BTC/USDT 5m of binance of 1m: 8,641 added" in told
    assert (again[0]["added"], again[0]["identical"], again[0]["from"]) == (0, 8641, "1m")
    assert sorted(BarSeries.objects.values_list("timeframe_seconds", flat=True)) == [60, 300, 3600]
    run("list_bars")
    replaced = json.loads(
        run("import_bars", str(shared_file("binance_BTCUSDT_5m_2024-01_2024-11.csv.gz")), "--json")
    )["imported"][0]
    assert (replaced["identical"], replaced["replaced"]) == (8641, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--to", "1m"), 2, "nothing finer than 1m"),
        (("--to", "5m", "--from", "15m"), 1, "not larger"),
        (("--to", "1h", "--from", "5m"), 2, "no bars of BTC/USDT 5m"),
        (("--to", "1d"), 2, "one whole 1d"),
        (("--to", "5m", "--venue", "krakn"), 2, "stored are BTC/USDT 1m of binance"),
    ],
)
def test_what_cannot_be_resampled_says_why(tmp_path, bars_dir, arguments, code, words):  # noqa: F811
    path = write_csv(tmp_path / "binance_BTCUSDT_1m.csv", to_lines(make_bars(100)))
    run("import_bars", str(path))

    found, told = fail("resample_bars", *SERIES, *arguments)

    assert found == code
    assert words in told


@pytest.mark.django_db
def test_an_export_takes_its_format_from_the_name_and_refuses_what_cannot_be(
    tmp_path,
    bars_dir,  # noqa: F811
    capsys,
):
    bars = make_bars(100)
    run("import_bars", str(write_csv(tmp_path / "binance_BTCUSDT_1m.csv", to_lines(bars))))
    series = (*SERIES, "--timeframe", "5m")

    run("export_bars", *series, "--output", str(tmp_path), "--format", "feather")

    run("export_bars", *series)

    assert capsys.readouterr().out.startswith("ts,open,high,low,close,volume\n1704067200000,")
    assert (tmp_path / "BTC_USDT-5m.feather").read_bytes()[:6] == b"ARROW1"
    code, told = fail("export_bars", *series, "--output", str(tmp_path / "BTC_USDT-5m.feather"))
    assert (code, "there is such a file" in told) == (1, True)
    assert fail("export_bars", *series, "--format", "parquet")[0] == 1
    code, told = fail("export_bars", *SERIES, "--timeframe", "1d", "--output", f"{tmp_path}/d.csv")
    assert (code, "no bar to write" in told) == (1, True)
