"""Words that a venue never used before: nothing of them ends an engine, and no fill is lost by them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from tests.engine.fakes import spec
from tests.exchanges.bench import WireBench, seat
from tests.exchanges.street import KEY, SECRET, oracle
from trading.chaos.wires import KRAKEN
from trading.core.codes import Purpose
from trading.engine.errors import CannotTrade
from trading.exchanges.books import BadBook, Level, to_digits
from trading.exchanges.coinbase import names as coinbase_names
from trading.exchanges.coinbase.books import _new_book
from trading.exchanges.failures import ApiError, NoAnswer, Unreached, reading
from trading.exchanges.kraken import live, names, orders
from trading.exchanges.kraken.admission import read_rights
from trading.exchanges.kraken.candles import rest_candles
from trading.exchanges.kraken.live import SequenceGap
from trading.exchanges.kraken.rest import KrakenRest, throttled_seconds
from trading.exchanges.kraken.sockets import Subscriptions
from trading.exchanges.shared.coinbase import CoinbaseDialect
from trading.exchanges.shared.kraken import KrakenDialect
from trading.exchanges.sockets import Broken, why_lost

ODD: list[Any] = [None, 7, "x", [], ["x"], {}, [{}], [None]]
TRADE = {
    "exec_type": "trade", "exec_id": "T1", "last_qty": "0.0400", "last_price": "30000.0",
    "fees": [{"asset": "USD", "qty": "0.1"}], "timestamp": "2026-01-31T12:00:00.123456Z",
}  # fmt: skip


@pytest.fixture
async def bench() -> AsyncIterator[WireBench]:
    async with seat(KRAKEN) as made:
        await made.listen()
        yield made


async def hear(bench: WireBench, frame: Mapping[str, Any]) -> None:
    """As if the socket had told it."""
    with suppress(SequenceGap):  # its number is odd, too: the connection is made anew
        await bench.venue._take(frame)  # type: ignore[attr-defined]


@pytest.mark.parametrize("missing", ["exec_id", "last_qty", "last_price", "timestamp", "fees"])
async def test_a_fill_that_cannot_be_read_is_asked_of_rest_at_once(
    bench: WireBench, missing: str
) -> None:
    name = await bench.venue.submit(
        bench.order(Purpose.ENTRY, 400, price_ticks=bench.last_ticks - 1000)
    )
    bench.simulator.silence(60)
    bench.fill_resting()
    odd = TRADE | {"order_id": name, missing: [None] if missing == "fees" else None}
    number = bench.venue._sequence + 1  # type: ignore[attr-defined]

    await hear(
        bench, {"channel": "executions", "type": "update", "data": [odd], "sequence": number}
    )
    await bench.until(lambda: bench.filled == 400)

    assert [one.venue_trade_id for one in bench.fills] != ["T1"]


FEES = [{"asset": "USD", "qty": "0.10"}, {"asset": "USD", "qty": "0.02"}]


def test_a_fee_in_parts_is_booked_whole() -> None:
    assert orders.ws_execution(TRADE | {"fees": FEES}, spec()).fee == "0.12"


@pytest.mark.parametrize("fees", [None, [*FEES, {"asset": "BTC", "qty": "0.0001"}]])
def test_a_fee_that_was_not_told_or_is_of_two_assets_is_not_guessed(fees: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        orders.ws_execution(TRADE | {"fees": fees}, spec())


async def test_a_key_that_is_shut_out_is_left_alone_until_it_is_another(bench: WireBench) -> None:
    """Each try makes the ban longer."""
    client = KrakenRest(url=bench.simulator.address, key=KEY, secret=SECRET)
    bench.arm("error", "Balance", words="EGeneral:Temporary lockout")
    with pytest.raises(ApiError, match="lockout"):
        await client.read("Balance")
    before = len(oracle(bench.simulator, "request"))

    with pytest.raises(Unreached, match="shut this key out; it is asked again in"):
        await client.read("Balance")
    assert len(oracle(bench.simulator, "request")) == before

    await client.change_key(key=KEY, secret=SECRET)
    assert await client.read("Balance")
    await client.close()


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("EService:Throttled: 1700000004", 4), ("EService:Throttled:1700000004", 4),
     ("EService:Throttled: 1700000999", 10), ("EService:Throttled: 1600000000", 0),
     ("EService:Throttled", 0), ("EService:Throttled: soon", 0), ("EService:Busy", 0)],
)  # fmt: skip
def test_who_is_throttled_waits_as_long_as_the_venue_says(words: str, seconds: float) -> None:
    assert throttled_seconds(words, now=1_700_000_000) == seconds


@pytest.mark.parametrize("odd", ODD)
async def test_private_messages_of_no_known_shape_end_nothing(bench: WireBench, odd: Any) -> None:
    for channel in ("executions", "balances", "status", "something_new"):
        for field in ("data", "type", "sequence"):
            await hear(bench, {"channel": channel, "type": "snapshot", "sequence": 1, field: odd})

    await bench.bought(400)

    assert bench.filled == 400


async def test_a_venue_that_counts_otherwise_is_not_asked_for_ever_faster(
    bench: WireBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kraken shuts out whoever connects more than some 150 times in ten minutes."""
    paused: list[int] = []

    def at_once(failures: int) -> float:
        paused.append(failures)
        return 0.0

    monkeypatch.setattr(live, "pause_after", at_once)
    road = bench.venue._road  # type: ignore[attr-defined]

    for connection in (1, 2, 3):
        await bench.until(lambda: road.is_ready)
        bench.arm("drop", "executions")
        await bench.venue.submit(bench.order(Purpose.ENTRY, 400))
        await bench.until(lambda wanted=connection: len(paused) == wanted)

    assert paused == [1, 2, 3]


@pytest.mark.parametrize("told", [18, "18", "17.75"])
async def test_the_venues_counter_is_heard_with_and_without_decimals(
    bench: WireBench, told: Any
) -> None:
    rate = bench.venue._rate  # type: ignore[attr-defined]

    bench.venue._hear({"order_id": "OTHER", "symbol": "BTC/USD", "ratecount": told})  # type: ignore[attr-defined]

    assert rate.pairs["BTC/USD"].used == pytest.approx(18, abs=1)


@pytest.mark.parametrize("odd", ["x", 7, ["x"], None])
def test_a_confirmation_with_an_odd_result_confirms(odd: Any) -> None:
    talk = Subscriptions(lambda: None, _waiting=1)

    assert talk.hear({"method": "subscribe", "success": True, "result": odd}) is not None


PRODUCT = {
    "product_id": "DOGE-USD", "base_currency_id": "DOGE", "quote_currency_id": "USD",
    "base_increment": "0.1", "price_increment": "0.01",
}  # fmt: skip
PAIR = {"altname": "XBTUSD", "wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8}


@pytest.mark.parametrize("spoilt", [
    7, None, {"pair_decimals": None}, {"lot_decimals": "x"}, {"tick_size": "x"}, {"tick_size": "-1"},
    {"ordermin": "x"}, {"altname": None, "wsname": None},
])  # fmt: skip
def test_one_row_that_cannot_be_read_takes_no_other_pair_away(spoilt: Any) -> None:
    row = {**PAIR, "wsname": "ODD/USD", **spoilt} if isinstance(spoilt, dict) else spoilt

    assert list(names.read_pairs({"ODD": row, "XXBTZUSD": PAIR})) == ["BTC/USD"]


@pytest.mark.parametrize("spoilt", [7, None, {"base_increment": None}, {"price_increment": []}])
def test_one_odd_product_takes_no_other_away(spoilt: Any) -> None:
    row = {**PRODUCT, "product_id": "ODD", **spoilt} if isinstance(spoilt, dict) else spoilt

    assert list(coinbase_names.read_list({"products": [row, PRODUCT]})) == ["DOGE/USD"]
    assert coinbase_names.read_list({"products": spoilt}) == {}


def test_minimums_that_are_null_are_none() -> None:
    pair = names.read_pairs({"XXBTZUSD": PAIR | {"ordermin": None, "costmin": None}})["BTC/USD"]

    assert (pair.min_quantity, pair.min_notional) == (0, 0)


def test_one_candle_that_cannot_be_read_takes_no_other_away() -> None:
    good = [60, "2", "3", "1", "2", "2", "5", 4]
    rows = [None, "x", {}, [120], [60, None, "3", "1", "2", "2", "5", 4], good]

    bars = rest_candles({"X": rows}, now_ns=10**18, timeframe_ns=60 * 10**9)

    assert bars["open_ns"].tolist() == [60 * 10**9]


@pytest.mark.parametrize(
    ("kind", "price", "level"),
    [("trailing-stop", "+5.0000%", 0), ("take-profit", "#10", 0), ("limit", "27500.5", "27500.5"),
     ("settle-position", "0", 0), ("limit", None, 0)],
)  # fmt: skip
def test_orders_that_we_never_send_are_listed_all_the_same(
    kind: str, price: str | None, level: Any
) -> None:
    row = {"descr": {"ordertype": kind, "type": "sell", "price": price}, "vol": "1.5"}

    assert orders.any_order("O1", row).level == Decimal(level)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("1e-05", "1000"),
        ("5E-8", "5"),
        ("1.5e1", "1500000000"),
        ("0e0", ""),
        ("1E+2", "10000000000"),
    ],
)
def test_an_exponent_says_the_same_number(text: str, digits: str) -> None:
    assert to_digits(text, 8) == digits


@given(st.decimals("0", "1e6", places=8))
def test_a_number_is_the_same_with_and_without_an_exponent(value: Decimal) -> None:
    assert to_digits(f"{value:e}", 8) == to_digits(f"{value:f}", 8)


@pytest.mark.parametrize("text", ["-1e-5", "1e-9", "e5", "1e", "1e9999999", "1e-9999999", "nane"])
def test_an_exponent_hides_nothing_that_is_no_quantity(text: str) -> None:
    with pytest.raises(BadBook):
        to_digits(text, 8)


def test_old_orders_on_a_finer_grid_than_new_ones_do_not_spoil_a_book() -> None:
    (product,) = coinbase_names.read_list({"products": [PRODUCT]}).values()
    book = _new_book(product)

    book.bids.change([Level("0.123", "7.06317902")])

    assert book.prices(book.bids, 1) == ((0.123, 7.06317902),)


@pytest.mark.parametrize("odd", ODD)
def test_a_shared_feed_lives_on(odd: Any) -> None:
    KrakenDialect().parts({"channel": "ohlc", "data": odd})
    KrakenDialect().parts({"channel": "ohlc", "data": [{"symbol": odd, "interval": odd}]})
    KrakenDialect().confirmed({"method": "subscribe", "result": {"symbol": "X", "interval": odd}})
    CoinbaseDialect().parts({"channel": "market_trades", "events": [{"trades": odd}]})


def test_what_cannot_be_read_says_what_it_was() -> None:
    with pytest.raises(NoAnswer, match="the table cannot be read: KeyError"), reading("the table"):
        _ = {}["x"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionClosedError(None, None), "the connection broke off"),
        (ConnectionClosedError(Close(1008, "policy"), None), "closed by the venue: 1008"),
        (TimeoutError(), "nothing came for 10 s"),
        (Broken("message 7 came after 5"), "message 7 came after 5"),
        (OSError(), "OSError"),
    ],
)
def test_a_lost_connection_says_why_in_words(error: Exception, words: str) -> None:
    assert why_lost(error).startswith(words)


async def test_a_secret_that_cannot_sign_is_a_problem_of_the_key_and_no_defect(
    bench: WireBench,
) -> None:
    client = KrakenRest(url=bench.simulator.address, key=KEY, secret="not base64!")

    with pytest.raises(CannotTrade, match="base64 text; this is not"):
        await read_rights(client)
    await client.close()
