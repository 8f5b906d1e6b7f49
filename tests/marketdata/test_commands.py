"""The commands about bars and the backtest, on a real database: words, JSON, exit codes."""

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.marketdata.samples import make_bars, shared_file, to_lines, write_csv
from trading.models import BarSeries, Instrument

pytestmark = pytest.mark.django_db


@pytest.fixture
def bars_dir(tmp_path, settings):
    """An empty store of this test's own."""
    settings.BARS_DIR = tmp_path / "store"
    return settings.BARS_DIR


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def fail(command: str, *arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as caught:
        run(command, *arguments)
    return caught.value.returncode, str(caught.value)


def some_file(tmp_path: Path, count: int = 5000, name: str = "kraken_BTCUSD_1m_2024.csv.gz") -> str:
    bars = make_bars(count)
    for column in ("open", "high", "low", "close"):
        bars[column] = np.round(bars[column], 1)
    return str(write_csv(tmp_path / name, to_lines(bars)))


def test_an_import_writes_the_cards_and_can_be_repeated(tmp_path, bars_dir):
    path = some_file(tmp_path)

    first = json.loads(run("import_bars", path, "--json"))["imported"][0]
    second = json.loads(run("import_bars", path, "--json"))["imported"][0]

    series = BarSeries.objects.get()
    assert (first["added"], second["identical"]) == (5000, 5000)
    assert (series.bars, series.sha256) == (5000, first["series"]["sha256"])
    assert series.instrument.symbol == "BTC/USD"
    assert str(series.instrument.tick_size.normalize()) == "0.1"
    assert (bars_dir / series.path / "2024-01.parquet").is_file()


def test_a_given_grid_wins_and_a_later_import_does_not_move_it(tmp_path, bars_dir):
    path = some_file(tmp_path)

    run("import_bars", path, "--tick", "0.5", "--lot", "0.001", "--min-notional", "5")
    run("import_bars", path)

    instrument = Instrument.objects.get()
    assert (float(instrument.tick_size), float(instrument.lot_size)) == (0.5, 0.001)
    assert (float(instrument.min_quantity), float(instrument.min_notional)) == (0.001, 5.0)


def test_broken_lines_are_told_by_number_and_the_import_goes_on(tmp_path, bars_dir):
    path = Path(some_file(tmp_path, name="kraken_BTCUSD_1m_2024.csv"))
    path.write_text(path.read_text() + "rubbish\n")

    told = run("import_bars", str(path))

    assert "line 5002: wrong column count: 1 where 6 are expected" in told
    assert "5,001 read, 1 broken and left out" in told


def test_one_refused_file_does_not_stop_the_others_but_the_exit_code_tells(tmp_path, bars_dir):
    trades = write_csv(tmp_path / "kraken_BTCUSD_trades.csv", ["1,2,buy"], header="ts,price,side\n")

    code, told = fail("import_bars", str(trades), some_file(tmp_path))

    assert (code, BarSeries.objects.count()) == (1, 1)
    assert "trades need ts, price and amount" in told


def test_a_missing_file_is_not_found(tmp_path, bars_dir):
    code, told = fail("import_bars", str(tmp_path / "kraken_BTCUSD_1m.csv"))

    assert code == 2
    assert "no such file" in told


def test_stored_series_are_listed_and_held_against_their_cards(tmp_path, bars_dir):
    run("import_bars", some_file(tmp_path))

    told = run("list_bars")
    rows = json.loads(run("list_bars", "--json"))

    assert told.startswith("BTC/USD 1m of kraken: 5,000 bars")
    assert rows[0]["state"] == "ok"
    assert rows[0]["sha256"] == BarSeries.objects.get().sha256


def test_a_series_that_differs_from_its_card_is_told(tmp_path, bars_dir):
    run("import_bars", some_file(tmp_path))
    BarSeries.objects.update(sha256="0" * 64)

    code, _ = fail("list_bars")

    assert code == 1


def test_an_export_imports_back_to_the_same_hash(tmp_path, bars_dir):
    run("import_bars", some_file(tmp_path))
    copy = tmp_path / "copy_BTCUSD_1m.csv"
    run(
        "export_bars",
        "--venue",
        "kraken",
        "--symbol",
        "BTC/USD",
        "--timeframe",
        "1m",
        "--output",
        str(copy),
    )

    run("import_bars", str(copy), "--venue", "copy")

    assert len(set(BarSeries.objects.values_list("sha256", flat=True))) == 1
    assert BarSeries.objects.count() == 2


@pytest.mark.shared_data
def test_a_backtest_of_real_bars_tells_what_it_did_and_repeats_to_the_last_digit(bars_dir):
    run("import_bars", str(shared_file("bitfinex_BTCUSD_1m_2018.csv.gz")))
    arguments = (
        "--pair",
        "BTC/USD",
        "--timerange",
        "20180101-20180201",
        "--profile",
        "active",
        "--trades",
        "--json",
    )

    first, second = run("backtest", *arguments), run("backtest", *arguments)

    facts = json.loads(first)
    assert first == second
    assert facts["markets"][0]["first_at"] == "2018-01-01T00:00:00Z"
    assert facts["markets"][0]["last_at"] == "2018-01-31T23:59:00Z"
    assert facts["closed_trades"] == len(facts["trades"]) > 0
    assert sum(facts["decisions"].values()) == facts["markets"][0]["bars"]
    assert -0.4 < facts["buy_and_hold"]["BTC/USD"]["return"] < 0  # January 2018: 13,763 to 10,2xx
    if facts["open_positions"] == 0:
        earned = sum(float(trade["profit"]) for trade in facts["trades"])
        assert facts["end_equity"] - facts["start_equity"] == pytest.approx(earned, abs=1e-4)


def test_a_backtest_prints_a_table_with_its_assumptions(tmp_path, bars_dir):
    run("import_bars", some_file(tmp_path))

    told = run("backtest", "--pair", "BTCUSD", "--exchange", "kraken", "--timeframe", "5m")

    assert "BTC/USD 5m of kraken: 1,000 bars" in told
    for words in (
        "buy and hold BTC/USD",
        "largest drawdown",
        "Assumptions",
        "taker fee",
        "core",
        "parameters",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--pair", "BTC/USDT"), 2, "near is BTC/USD"),
        (("--pair", "BTC/USD", "--exchange", "krakn"), 2, "stored are BTC/USD 1m of kraken"),
        (("--pair", "BTC/USD", "--timeframe", "1s"), 2, "fit 1s"),
        (("--pair", "BTC/USD", "--timerange", "20200101-20200201"), 2, "stored are 2024-01-01"),
        (("--pair", "BTC/USD", "ETH/EUR"), 4, "one quote currency"),
        (("--pair", "BTC/USD", "BTC/USD"), 4, "named once"),
        (("--pair", "BTC/USD", "--params", "nowhere.json"), 4, "nowhere.json"),
    ],
)
def test_a_backtest_that_cannot_be_says_why(tmp_path, bars_dir, arguments, code, words):
    run("import_bars", some_file(tmp_path))

    found, told = fail("backtest", *arguments)

    assert found == code
    assert words in told


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ('{"exits": {"stop_scal": 2}}', "did you mean 'stop_scale'"),
        ('{"sizing": {"risk_per_trade": 9}}', "0.0005"),
        ("{", "not JSON"),
    ],
)
def test_wrong_parameters_are_named(tmp_path, bars_dir, values, words):
    run("import_bars", some_file(tmp_path))
    path = tmp_path / "params.json"
    path.write_text(values)

    code, told = fail("backtest", "--pair", "BTC/USD", "--params", str(path))

    assert code == 4
    assert words in told


@pytest.mark.parametrize(
    "text", ["2018", "20180101", "-", "20181301-20190101", "20190101-20180101", "x-y"]
)
def test_a_time_range_that_is_none_is_refused(bars_dir, text):
    with pytest.raises(CommandError, match="timerange"):
        run("backtest", "--pair", "BTC/USD", f"--timerange={text}")
