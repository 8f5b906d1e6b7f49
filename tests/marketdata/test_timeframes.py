"""Timeframes by name, and rolling bars up."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.marketdata.samples import JANUARY_2024_NS, MINUTE_NS, NOW_NS, make_bars, shared_file
from trading.marketdata.importing import ImportRequest, import_file
from trading.marketdata.names import InvalidSymbol, parse_symbol, read_name
from trading.marketdata.series import choose_bars
from trading.marketdata.store import FOREVER, BarStore, SeriesKey, SeriesNotFound
from trading.marketdata.timeframes import (
    InvalidTimeframe,
    format_timeframe,
    parse_timeframe,
    resample,
)


def roll(chunks: list[np.ndarray], minutes: int, **known) -> np.ndarray:
    return np.concatenate(
        list(resample(chunks, from_seconds=60, to_seconds=60 * minutes, **known)) or [np.empty(0)]
    )


def slow_roll_up(bars: np.ndarray, minutes: int) -> list[tuple]:
    """The plainest way to say it: bars grouped by bucket."""
    rolled = []
    for bucket in sorted(set((bars["open_ns"] // (minutes * MINUTE_NS)).tolist())):
        inside = [bar for bar in bars.tolist() if bar[0] // (minutes * MINUTE_NS) == bucket]
        rolled.append((
            bucket * minutes * MINUTE_NS, inside[0][1], max(bar[2] for bar in inside),
            min(bar[3] for bar in inside), inside[-1][4], pytest.approx(sum(bar[5] for bar in inside)),
        ))  # fmt: skip
    return rolled


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("1m", 60),
        ("5m", 300),
        ("15m", 900),
        ("1h", 3600),
        ("4h", 14_400),
        ("1d", 86_400),
    ],
)
def test_names_and_seconds_are_two_spellings(text, seconds):
    assert parse_timeframe(text) == seconds
    assert format_timeframe(seconds) == text


@pytest.mark.parametrize("text", ["", "5", "m5", "0m", "7m", "2d", "1w", "1M", "-1m", "1 m"])
def test_other_timeframes_are_refused_with_those_accepted(text):
    with pytest.raises(InvalidTimeframe, match="1m, 5m, 15m, 1h, 4h, 1d"):
        parse_timeframe(text)


@settings(max_examples=40, deadline=None)
@given(
    absent=st.sets(st.integers(0, 299), max_size=60),
    cuts=st.sets(st.integers(1, 240), max_size=8),
    minutes=st.sampled_from([5, 15, 60]),
)
def test_rolled_up_bars_are_the_plain_ones_however_the_input_is_cut(absent, cuts, minutes):
    bars = np.delete(make_bars(300), sorted(absent))
    edges = sorted({0, *(cut for cut in cuts if cut < len(bars)), len(bars)})
    chunks = [bars[a:b] for a, b in pairwise(edges)]
    known = {"known_from_ns": JANUARY_2024_NS, "known_until_ns": JANUARY_2024_NS + 300 * MINUTE_NS}

    rolled = roll(chunks, minutes, **known)

    assert rolled.tolist() == slow_roll_up(bars, minutes)
    assert rolled.tobytes() == roll([bars], minutes, **known).tobytes()


def test_buckets_not_known_to_be_whole_are_left_out():
    bars = make_bars(20)[2:18]

    rolled = roll([bars], 5)

    assert (rolled["open_ns"] - JANUARY_2024_NS).tolist() == [5 * MINUTE_NS, 10 * MINUTE_NS]


def test_minutes_do_not_divide_into_odd_timeframes():
    with pytest.raises(InvalidTimeframe, match="not a multiple"):
        list(resample([make_bars(3)], from_seconds=300, to_seconds=360))


@pytest.mark.shared_data
def test_real_minutes_roll_up_to_the_real_five_minutes(tmp_path):
    store = BarStore(tmp_path / "minutes"), BarStore(tmp_path / "fives")
    names = (
        "binance_BTCUSDT_1m_2024-07-26_2024-08-25.csv.gz",
        "binance_BTCUSDT_5m_2024-01_2024-11.csv.gz",
    )
    for one, name in zip(store, names, strict=True):
        import_file(one, ImportRequest(shared_file(name)), now_ns=NOW_NS)
    rolled, real = (
        choose_bars(one, venue="binance", symbol="BTC/USDT", timeframe_seconds=300) for one in store
    )

    ours = np.concatenate(list(rolled.iter_bars(start_ns=0, end_ns=FOREVER)))
    theirs = np.concatenate(
        list(real.iter_bars(start_ns=int(ours["open_ns"][0]), end_ns=int(ours["open_ns"][-1]) + 1))
    )

    assert len(ours) == 8641
    assert ours.tobytes() == theirs.tobytes()  # volumes too, to the last digit


def test_history_of_a_rolled_up_series_reaches_over_holes(tmp_path):
    store = BarStore(tmp_path)
    bars = np.delete(make_bars(2000), np.s_[300:1500])
    store.merge(SeriesKey("kraken", "BTC/USD", 60), bars)
    source = choose_bars(store, venue="kraken", symbol="BTC/USD", timeframe_seconds=300)
    whole = np.concatenate(list(source.iter_bars(start_ns=0, end_ns=FOREVER)))

    tail = source.tail(before_ns=int(whole["open_ns"][-5]), count=120)

    assert tail.tobytes() == whole[-125:-5].tobytes()


def test_what_is_not_stored_is_told_with_what_is(tmp_path):
    store = BarStore(tmp_path)
    with pytest.raises(SeriesNotFound, match="import_bars"):
        choose_bars(store, venue="kraken", symbol="BTC/USD", timeframe_seconds=60)
    store.merge(SeriesKey("kraken", "BTC/USD", 300), make_bars(5, step_ns=5 * MINUTE_NS))
    with pytest.raises(SeriesNotFound, match=r"near is BTC/USD 5m of kraken"):
        choose_bars(store, venue="kraken", symbol="BTC/USDT", timeframe_seconds=300)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("BTC/USD", "BTC/USD"), ("btc-usd", "BTC/USD"), ("BTC_USDT", "BTC/USDT"), ("XBTUSD", "BTC/USD"), ("XXBTZUSD", "BTC/USD"),
     ("XBT/EUR", "BTC/EUR"), ("XDGUSD", "DOGE/USD"), ("BNBUSD", "BNB/USD"), ("ETHBTC", "ETH/BTC"), ("SOLUSDC", "SOL/USDC")],
)  # fmt: skip
def test_pairs_have_one_spelling_inside(text, symbol):
    assert parse_symbol(text) == symbol


@pytest.mark.parametrize("text", ["", "BTC", "USD", "A/B/C", "BTC/", "../.."])
def test_a_pair_that_is_none_is_refused(text):
    with pytest.raises(InvalidSymbol, match="BASE/QUOTE"):
        parse_symbol(text)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("bitfinex_BTCUSD_1m_2018.csv.gz", ("bitfinex", "BTC/USD", 60)),
        ("kraken_XBTUSD_1h_2013_2020.csv.gz", ("kraken", "BTC/USD", 3600)),
        ("coinbase_BTC-USD_1m_2023-11_2024-01.csv.gz", ("coinbase", "BTC/USD", 60)),
        ("BTC_USDT-5m.csv", (None, "BTC/USDT", 300)),
        ("BTCUSDT-1m-2024-01.csv", (None, "BTC/USDT", 60)),
        ("prices.csv", (None, None, None)),
    ],
)
def test_file_names_are_read_for_what_they_say(name, facts):
    named = read_name(name)

    assert (named.venue, named.symbol, named.timeframe_seconds) == facts
