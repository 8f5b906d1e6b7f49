"""Bars built of single trades: the real ones to the last digit, order, repeated ids, broken lines."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.marketdata.samples import JANUARY_2024_NS, MINUTE_NS, NOW_NS, shared_file, write_csv
from trading.marketdata.candles import CandleBuilder, TradeOrder
from trading.marketdata.importing import ImportRefused, ImportRequest, import_file
from trading.marketdata.lines import Block
from trading.marketdata.reader import ReadOptions
from trading.marketdata.store import BarStore
from trading.marketdata.trades import TRADE, detect_trades, parse_trades

HEADER = "ts,id,type,side,price,amount\n"
START_MS = JANUARY_2024_NS // 1_000_000


def make_trades(count: int, *, seed: int = 1) -> np.ndarray:
    """Trades some seconds apart, now and then minutes apart or at the same moment."""
    rng = np.random.default_rng(seed)
    trades = np.empty(count, TRADE)
    steps = rng.choice([0, 1, 700, 9000, 200_000], count, p=[0.2, 0.2, 0.3, 0.25, 0.05])
    trades["time_ns"] = JANUARY_2024_NS + np.cumsum(steps) * 1_000_000
    trades["id"] = 5000 + np.arange(count)
    trades["price"] = np.round(40_000 + np.cumsum(rng.standard_normal(count)), 1)
    trades["amount"] = np.round(rng.random(count) + 1e-8, 8)
    return trades


def to_lines(trades: np.ndarray) -> list[str]:
    return [f"{t // 1_000_000},{i},limit,buy,{p!r},{a!r}" for t, i, p, a in trades.tolist()]


def slow_bars(trades: np.ndarray) -> list[tuple]:
    """The plainest way to say it, with a sum that only rounds once."""
    bars = []
    for minute in sorted(set((trades["time_ns"] // MINUTE_NS).tolist())):
        inside = trades[trades["time_ns"] // MINUTE_NS == minute]
        prices = inside["price"].tolist()
        total = pytest.approx(math.fsum(inside["amount"]), rel=1e-15, abs=0)
        bars.append((minute * MINUTE_NS, prices[0], max(prices), min(prices), prices[-1], total))
    return bars


def run(path: Path, **options):
    store = BarStore(path.parent / "store")
    request = ImportRequest(path, venue="kraken", symbol="BTC/USDT", options=ReadOptions(**options))
    report = import_file(store, request, now_ns=NOW_NS)
    return store.read(report.key), report


def import_lines(tmp_path: Path, lines: list[str], *, header: str = HEADER, **options):
    tmp_path.mkdir(exist_ok=True)
    return run(write_csv(tmp_path / "trades.csv.gz", lines, header=header), **options)


@pytest.mark.shared_data
def test_the_real_trades_rebuild_the_real_bars_to_the_last_digit(tmp_path):
    stores = BarStore(tmp_path / "built"), BarStore(tmp_path / "given")
    names = "kraken_BTCUSDT_trades_2023-11-17_19.csv.gz", "kraken_BTCUSDT_1m_2023-11-17_19.csv.gz"

    built, given = (
        import_file(store, ImportRequest(shared_file(name)), now_ns=NOW_NS)
        for store, name in zip(stores, names, strict=True)
    )

    assert built.key == given.key
    assert (built.read.broken, built.read.duplicates, built.read.order_breaks) == (0, 0, 0)
    ours, theirs = (store.read(built.key) for store in stores)
    assert len(theirs) == 2834
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.shared_data
def test_the_archive_without_header_or_ids_gives_the_same_bars(tmp_path):
    packed = shared_file("kraken_BTCUSDT_trades_2023-11-17_19.csv.gz").read_bytes()
    rows = [line.split(",") for line in gzip.decompress(packed).decode().splitlines()[1:]]
    seconds = [f"{row[0][:-3]}.{row[0][-3:]}0,{row[4]},{row[5]}" for row in rows]
    path = write_csv(tmp_path / "XBTUSDT.csv", seconds, header="")

    bars, report = run(path)

    given = BarStore(tmp_path / "given")
    real = ImportRequest(shared_file("kraken_BTCUSDT_1m_2023-11-17_19.csv.gz"))
    key = import_file(given, real, now_ns=NOW_NS).key
    assert bars.tobytes() == given.read(key).tobytes()
    assert any("no comparable ids" in note for note in report.read.notes)


@settings(max_examples=40, deadline=None)
@given(cuts=st.sets(st.integers(1, 499), max_size=12), seed=st.integers(0, 99))
def test_bars_are_the_plain_ones_however_the_trades_are_cut(cuts, seed):
    trades = make_trades(500, seed=seed)
    pieces = np.split(trades, sorted(cuts))

    builder, whole = CandleBuilder(MINUTE_NS), CandleBuilder(MINUTE_NS)
    bars = np.concatenate([*map(builder.push, pieces), builder.finish()])

    assert bars.tolist() == slow_bars(trades)
    assert bars.tobytes() == np.concatenate([whole.push(trades), whole.finish()]).tobytes()


def test_another_timeframe_can_be_asked_for(tmp_path):
    bars, report = import_lines(tmp_path, to_lines(make_trades(3000)), timeframe_seconds=300)

    assert report.key.timeframe_seconds == 300
    assert (bars["open_ns"] % (5 * MINUTE_NS) == 0).all()


def test_trades_out_of_order_find_their_place_and_are_counted(tmp_path):
    lines = to_lines(make_trades(3000))
    expected, _ = import_lines(tmp_path / "a", lines)
    lines.insert(2500, lines.pop(20))

    bars, report = import_lines(tmp_path / "b", lines)

    assert report.read.broken == 0
    assert report.read.order_breaks == 1
    assert bars.tobytes() == expected.tobytes()


def test_a_trade_too_late_to_be_placed_is_named(tmp_path):
    lines = to_lines(make_trades(60_000))
    lines.insert(59_000, lines.pop(20))

    _, report = import_lines(tmp_path, lines)

    [(line, reason)] = report.read.shown
    assert line == 59_002
    assert "belongs more than 4096 trades earlier" in reason


def test_repeated_trades_are_dropped_and_counted_and_contradicting_ones_named(tmp_path):
    lines = to_lines(make_trades(60_000))
    expected, _ = import_lines(tmp_path / "a", lines)
    other = lines[40_000].rsplit(",", 1)[0] + ",7.5"
    lines[55_000:55_000] = [lines[54_990], lines[30_000], other]

    bars, report = import_lines(tmp_path / "b", lines)

    assert report.read.duplicates == 2
    assert report.read.shown == [(55_004, "id 45000 was met before with other values")]
    assert bars.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{START_MS},1,limit,buy,-1,2", "price is not a positive number: -1.0"),
        (f"{START_MS},1,limit,buy,1,0", "amount is not a positive number: 0.0"),
        (f"{START_MS},1,limit,buy,nan,2", "price is not a"),
        (f"{START_MS},1,limit,buy,1_0,2", "price is not a number: '1_0'"),
        (f"{START_MS},x,limit,buy,1,2", "id is not a whole number: 'x'"),
        ("soon,1,limit,buy,1,2", "time is not a number of ms: 'soon'"),
        ("60000,1,limit,buy,1,2", "time is before 2009 or in the future"),
        (f"{START_MS},1,limit,buy,1", "wrong column count: 5 where 6 are expected"),
    ],
)
def test_broken_trades_are_named_with_line_field_and_value(tmp_path, line, reason):
    lines = to_lines(make_trades(100))
    expected, _ = import_lines(tmp_path / "a", lines)
    lines.insert(50, line)

    bars, report = import_lines(tmp_path / "b", lines)

    [(number, told)] = report.read.shown
    assert number == 52
    assert told.startswith(reason)
    assert bars.tobytes() == expected.tobytes()


def test_trades_from_new_to_old_are_refused(tmp_path):
    with pytest.raises(ImportRefused, match="sort them by time"):
        import_lines(tmp_path, to_lines(make_trades(500))[::-1])


def test_trades_asked_for_where_bars_are_is_refused(tmp_path):
    with pytest.raises(ImportRefused, match="format trades was asked for"):
        import_lines(
            tmp_path, ["1704067200000,1,2,0.5,1.5,3"], header="ts,open,high,low,close,volume\n",
            layout_name="trades",
        )  # fmt: skip


def test_trades_of_the_same_moment_keep_the_order_of_the_file():
    trades = make_trades(50)
    trades["time_ns"] = JANUARY_2024_NS
    trades["id"] = trades["id"][::-1].copy()

    order = TradeOrder(window=10)
    given, _ = order.push(trades, np.arange(50))

    assert np.concatenate([given, order.finish()]).tobytes() == trades.tobytes()


SPELLED = st.tuples(
    st.integers(1_600_000_000, 1_700_000_000), st.text("0123456789", max_size=9), st.booleans()
)


@settings(max_examples=60, deadline=None)
@given(times=st.lists(SPELLED, min_size=1, max_size=12))
def test_both_ways_read_the_same_time_to_the_nanosecond(times):
    lines = []
    for seconds, fraction, in_ms in times:
        whole = f"{seconds}{fraction[:3]:0<3}" if times[0][2] else str(seconds)
        rest = fraction[3:] if times[0][2] else fraction
        lines.append(f"{whole}{'.' if rest and in_ms else ''}{rest if in_ms else ''},1.5,0.25\n")
    layout = detect_trades(lines, name=None)

    alone = parse_trades(Block(1, "".join(lines).encode()), layout)
    with_trouble = parse_trades(Block(1, "".join([*lines, "trouble\n"]).encode()), layout)

    assert alone.errors == []
    assert len(with_trouble.errors) == 1
    assert alone.trades.tobytes() == with_trouble.trades.tobytes()
