"""Published facts of Kraken's protocol: signatures, checksums, names, candles."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import spec
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.errors import NotSent, OutcomeUnknown, Refused
from trading.engine.messages import OrderRequest
from trading.exchanges.candles import Candles
from trading.exchanges.caps import Caps
from trading.exchanges.kraken import names
from trading.exchanges.kraken.candles import interval_of, rest_candles, ws_candles
from trading.exchanges.kraken.errors import ApiError, NoAnswer, Unreached, outcome_of
from trading.exchanges.kraken.sign import Nonces, UnusableKey, signature
from trading.exchanges.simulator.kraken_views import checksum
from trading.exchanges.simulator.market import Grid, Level, PairMarket
from trading.exchanges.sockets import pause_after, read_frame
from trading.exchanges.synthetic import SyntheticBars
from trading.exchanges.venue_clock import read_stamp

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
NONCE = 1_700_000_000_000_000_000
MINUTE_NS = 60_000_000_000
SIGNED = [
    (
        "/0/private/AddOrder",
        b"nonce=1700000000000000000&ordertype=limit&pair=XBTUSD&price=30000.1&type=buy"
        b"&volume=0.01000000&oflags=post&cl_ord_id=bot-000001",
        "/i2j+xnS2g60ThDzz/TrYyX8ZVcHuP2RFhPIxkQp14z/OaOz6JiZgs+/Dqu5/Y6qOBnsk6Jhy03DSDmAHl+OYg==",
    ),
    (
        "/0/private/CancelOrder",
        b'{"nonce":1700000000000000000,"txid":"OAAAAA-BBBBB-CCCCCC"}',
        "5wHSCwC+xX+J6X7wDDK4/05Q2sWUpFkeQJcS6CvyduIlBqVgaedhN4rlajMMpOksIKlEj6dtURKO0jYBUaoPgA==",
    ),
]


@pytest.mark.parametrize(("path", "body", "wanted"), SIGNED)
def test_signatures_are_the_worked_examples(path: str, body: bytes, wanted: str) -> None:
    assert signature(path, nonce=NONCE, body=body, secret=SECRET) == wanted


def test_a_secret_that_is_none_is_named() -> None:
    with pytest.raises(UnusableKey, match="base64"):
        signature("/0/private/Balance", nonce=1, body=b"", secret="not base64!")


def test_nonces_only_grow_also_when_the_clock_falls_back(monkeypatch) -> None:
    times = iter([100, 50, 50, 200])
    monkeypatch.setattr("time.time_ns", lambda: next(times))
    nonces = Nonces()

    assert [nonces.take() for _ in range(4)] == [100, 101, 102, 200]


def market(tick: str, lot: str, seed: int = 1) -> PairMarket:
    grid = Grid(Decimal(tick), Decimal(lot), Decimal(lot), Decimal(1))
    return PairMarket("BTC/USD", SyntheticBars(seed, "BTC/USD"), grid)


def levels(*pairs: tuple[str, str]) -> list[Level]:
    return [(Decimal(price), Decimal(size)) for price, size in pairs]


def test_the_checksum_is_the_short_worked_example() -> None:
    asks = levels(("0.00231", "12.5"), ("0.00232", "0.001"), ("0.00240", "3"))
    bids = levels(("0.00230", "100"), ("0.00229", "0.75000001"))

    assert checksum(market("0.00001", "0.00000001"), bids, asks) == 3296373660


def test_the_checksum_is_the_long_worked_example_before_and_after_a_change() -> None:
    step, eight = Decimal("0.5"), Decimal("0.00000001")
    asks = [(Decimal("64000.1") + step * k, Decimal(k + 1) / 100) for k in range(11)]
    bids = [
        (Decimal("63999.9") - step * k, (Decimal("1.5") / (k + 1)).quantize(eight))
        for k in range(11)
    ]
    pair = market("0.1", "0.00000001")

    assert checksum(pair, bids, asks) == 589265033
    moved = [(Decimal("64000.0"), Decimal("0.2")), *bids]
    assert checksum(pair, moved, asks[1:]) == 563522068


TABLE = {
    "XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8,
                 "ordermin": "0.0001", "costmin": "0.5", "tick_size": "0.1", "status": "online"},
    "XDGUSD": {"altname": "XDGUSD", "wsname": "XDG/USD", "pair_decimals": 7, "lot_decimals": 8},
    "XTZUSD": {"altname": "XTZUSD", "wsname": "XTZ/USD", "pair_decimals": 4, "lot_decimals": 8},
    "ODD": {"altname": "ODD", "pair_decimals": 4, "lot_decimals": 8},
}  # fmt: skip


def test_names_come_from_the_tables_and_are_never_guessed() -> None:
    pairs = names.read_pairs(TABLE)

    assert sorted(pairs) == ["BTC/USD", "DOGE/USD", "XTZ/USD"]
    assert (pairs["BTC/USD"].tick_size, pairs["BTC/USD"].lot_size) == (
        Decimal("0.1"),
        Decimal("0.00000001"),
    )
    assert pairs["DOGE/USD"].tick_size == Decimal("0.0000001")
    assert names.asset_names({"XXBT": {"altname": "XBT"}, "XTZ": {"altname": "XTZ"}}) == {
        "XXBT": "BTC",
        "XTZ": "XTZ",
    }
    with pytest.raises(names.UnknownPair, match="does not list BTC/EUR; it lists BTC/USD"):
        names.choose(pairs, "BTC/EUR")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unreached("x"), NotSent),
        (NoAnswer("x"), OutcomeUnknown),
        (ApiError("EService:Unavailable"), OutcomeUnknown),
        (ApiError("EService:Deadline elapsed"), OutcomeUnknown),
        (ApiError("EGeneral:Internal error:7"), OutcomeUnknown),
        (ApiError("EOrder:Rate limit exceeded"), NotSent),
        (ApiError("EService:Throttled: 1700000000"), NotSent),
        (ApiError("EAPI:Invalid nonce"), NotSent),
        (ApiError("EOrder:Insufficient funds"), Refused),
        (ApiError("EOrder:Something new"), Refused),
    ],
)
def test_an_error_is_sorted_by_what_may_have_happened(error: Exception, kind: type) -> None:
    assert isinstance(outcome_of(error), kind)


def test_frames_keep_the_digits_of_their_numbers() -> None:
    assert read_frame('{"qty":0.12440000,"price":1e-08,"n":7}') == {
        "qty": "0.12440000",
        "price": "1e-08",
        "n": 7,
    }
    assert read_frame("CloudFlare WebSocket proxy restarting") is None
    assert read_frame("[1]") is None


def test_stamps_with_any_number_of_decimals_are_exact() -> None:
    assert read_stamp("2023-10-04T16:25:00.000000000Z") == 1_696_436_700_000_000_000
    assert read_stamp("2023-10-04T16:25:00.123456Z") == 1_696_436_700_123_456_000
    assert read_stamp("2023-10-04T16:25:00Z") == 1_696_436_700_000_000_000


def test_reconnects_come_slower_and_stay_within_the_venues_limit() -> None:
    assert max(pause_after(1) for _ in range(50)) <= 0.5
    assert min(pause_after(20) for _ in range(50)) >= 30.0
    spent, connects = 0.0, 0
    while spent < 600:  # ten minutes in which every connection fails at once
        connects += 1
        spent += pause_after(connects)
    assert connects <= 60


def candle(open_ns: int, close: float = 1.0) -> tuple[int, tuple[float, ...]]:
    return open_ns, (1.0, 2.0, 0.5, close, 3.0)


@settings(max_examples=200)
@given(
    opens=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 40)), min_size=1, max_size=120),
    step=st.integers(1, 90),
)
def test_bars_are_told_once_in_order_and_never_before_their_end(
    opens: list[tuple[int, int]], step: int
) -> None:
    """Whatever order candles come in, and however often."""
    candles, told, now = Candles(MINUTE_NS, 2), [], 0
    for market_, minute in opens:
        now = max(now, minute * MINUTE_NS) + step * 1_000_000_000
        candles.put(market_, *candle(minute * MINUTE_NS))
        for bar in candles.close(now):
            told.append((bar.open_ns, bar.market))
            assert now >= bar.open_ns + MINUTE_NS or any(
                m * MINUTE_NS > bar.open_ns for _, m in opens
            )
    told += [(bar.open_ns, bar.market) for bar in candles.close(now + 10 * MINUTE_NS)]

    assert len(told) == len(set(told))
    for market_ in (0, 1):
        mine = [open_ns for open_ns, m in told if m == market_]
        assert mine == sorted(mine)


def test_a_bar_is_final_when_every_market_traded_on_or_its_time_is_over() -> None:
    candles = Candles(MINUTE_NS, 2)
    candles.put(0, *candle(MINUTE_NS))
    candles.put(0, *candle(2 * MINUTE_NS))

    assert candles.close(2 * MINUTE_NS) == []  # the other market may still trade in it
    (bar,) = candles.close(2 * MINUTE_NS + 2_000_000_000)
    assert (bar.open_ns, bar.late) == (MINUTE_NS, False)
    candles.put(0, *candle(MINUTE_NS, 9.0))
    assert [b.open_ns for b in candles.close(9 * MINUTE_NS)] == [2 * MINUTE_NS]


def test_a_backlog_is_late() -> None:
    candles = Candles(MINUTE_NS, 1)
    for minute in (1, 2, 3):
        candles.put(0, *candle(minute * MINUTE_NS))

    assert [bar.late for bar in candles.close(4 * MINUTE_NS + 2_000_000_000)] == [True, True, False]


def test_a_backlog_is_late_before_anything_was_heard() -> None:
    candles = Candles(MINUTE_NS, 1)
    for minute in (1, 2, 3, 4):
        candles.put(0, *candle(minute * MINUTE_NS))

    candles.begun_ns = 4 * MINUTE_NS + 2_000_000_000

    assert [bar.late for bar in candles.close(0)] == [True, True, False]


def test_rest_candles_leave_the_running_and_the_quiet_ones_out() -> None:
    row = ["30306.1", "30306.2", "30305.7", "30305.7", "30306.1", "3.39243896", 23]
    told = {
        "XXBTZUSD": [[60, *row], [120, *row[:-1], 0], [180, *row], [240, *row]],
        "last": 180,
    }

    bars = rest_candles(told, now_ns=290 * 10**9, timeframe_ns=MINUTE_NS)

    assert (bars["open_ns"] // 10**9).tolist() == [60, 180]
    assert bars["volume"][0] == 3.39243896


def test_unreadable_candles_are_left_out() -> None:
    good = {"symbol": "BTC/USD", "open": "1", "high": "2", "low": "1", "close": "2", "volume": "3",
            "interval_begin": "2023-10-04T16:25:00.000000000Z"}  # fmt: skip

    found = ws_candles([good, {**good, "open": "x"}, {"symbol": "BTC/USD"}])

    assert found == [("BTC/USD", 1_696_436_700_000_000_000, (1.0, 2.0, 1.0, 2.0, 3.0))]


def test_a_timeframe_kraken_has_not_is_named() -> None:
    assert interval_of(5 * MINUTE_NS) == 5
    with pytest.raises(ValueError, match="Kraken has 1 m, 5 m"):
        interval_of(7 * MINUTE_NS)


def test_the_simulated_trades_rebuild_their_bars_exactly() -> None:
    source, pair = SyntheticBars(3, "BTC/USD"), market("0.1", "0.000001", 3)
    day = next(source.iter_bars(start_ns=1_709_251_200 * 10**9, end_ns=1_709_337_600 * 10**9))
    for bar in day[:200]:
        minute = int(bar["open_ns"]) // MINUTE_NS
        made = pair.candle(minute, int(bar["open_ns"]) + MINUTE_NS)
        assert made is not None
        got = [float(getattr(made, name)) for name in ("open", "high", "low", "close", "volume")]
        assert got == pytest.approx([float(bar[n]) for n in bar.dtype.names[1:]], abs=1e-9)


def test_caps_hold_whatever_is_asked() -> None:

    def order(lots: int, ticks: int = 0, purpose: Purpose = Purpose.ENTRY) -> OrderRequest:
        return OrderRequest(0, 1, "id", 0, purpose, Side.BUY, lots, ticks, 0, 0, ExitReason.NONE, 0)

    caps = Caps(max_notional=Decimal(1000), entries_per_minute=2)
    last = Decimal(100)
    caps.check(order(10_000), spec(), last=last)
    for wrong, words in [
        (order(0), "at least one lot"),
        (order(1_000_000), "at most 1000"),
        (order(10, 5_000), "from 100"),
    ]:
        with pytest.raises(Refused, match=words):
            caps.check(wrong, spec(), last=last)
    with pytest.raises(Refused, match="notional"):
        caps.check(order(10), spec(), last=Decimal(0))  # without a price nothing is entered
    caps.check(order(10), spec(), last=last)
    with pytest.raises(Refused, match="within a minute"):
        caps.check(order(10), spec(), last=last)
    caps.check(order(10**9, purpose=Purpose.EXIT), spec(), last=last)


def test_a_stop_that_the_market_has_left_behind_is_no_price_too_far() -> None:
    def stop(side: Side, ticks: int) -> OrderRequest:
        return OrderRequest(
            0, 1, "id", 0, Purpose.PROTECT, side, 1, ticks, 0, 0, ExitReason.NONE, 0
        )

    caps, last = Caps(), Decimal(100)
    caps.check(stop(Side.SELL, 100), spec(), last=last)
    caps.check(stop(Side.BUY, 9_000), spec(), last=last)
    for at_once in (stop(Side.SELL, 9_000), stop(Side.BUY, 100)):
        with pytest.raises(Refused, match="from 100"):
            caps.check(at_once, spec(), last=last)
