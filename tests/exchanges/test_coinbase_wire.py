"""Published facts of Coinbase's protocol: tokens, errors, products, orders, fills, frames, candles."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.fakes import spec
from trading.core.codes import ExitReason, Purpose, Side
from trading.engine.errors import CannotTrade, NotSent, OutcomeUnknown, Refused
from trading.engine.messages import OrderRequest
from trading.exchanges.coinbase import names, orders
from trading.exchanges.coinbase.admission import check_product
from trading.exchanges.coinbase.candles import granularity_of, read_trades, rest_candles
from trading.exchanges.coinbase.errors import (
    ApiError,
    NoAnswer,
    Unreached,
    http_error,
    outcome_of,
    refusal,
)
from trading.exchanges.coinbase.sign import Signer, UnusableKey, read_private_key, uri_of
from trading.exchanges.coinbase.sockets import Subscriptions, events_of
from trading.exchanges.sockets import Broken, Connected
from trading.exchanges.trade_candles import Trade, TradeCandles

NAME = "organizations/8f0e/apiKeys/17b2"
MINUTE_NS = 60_000_000_000
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
SEED, PUBLIC = ED_KEY.private_bytes_raw(), ED_KEY.public_key().public_bytes_raw()


def pem(key: Any, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption()
    ).decode()


SEC1 = pem(EC_KEY, serialization.PrivateFormat.TraditionalOpenSSL)
PKCS8 = pem(EC_KEY, serialization.PrivateFormat.PKCS8)
ED_PEM = pem(ED_KEY, serialization.PrivateFormat.PKCS8)
FORMS = {
    "sec1": SEC1,
    "pkcs8": PKCS8,
    "literal newlines": SEC1.replace("\n", "\\n"),
    "blanks around": f"\n  {PKCS8}\n",
    "ed25519 pem": ED_PEM,
    "seed": base64.b64encode(SEED).decode(),
    "seed and public": base64.b64encode(SEED + PUBLIC).decode(),
}


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_key_signs_what_others_can_verify(form: str) -> None:
    token = Signer(name=NAME, secret=FORMS[form]).token(
        now_s=1_700_000_000, uri=uri_of("GET", "/orders")
    )

    head, claims, signature = token.split(".")
    signed, raw = f"{head}.{claims}".encode(), decoded(signature)
    assert "=" not in token
    assert len(raw) == 64
    told = json.loads(decoded(head))
    if "ed" in form:
        ED_KEY.public_key().verify(raw, signed)
        assert told["alg"] == "EdDSA"
    else:
        r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
        EC_KEY.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        assert told["alg"] == "ES256"
    assert (told["typ"], told["kid"]) == ("JWT", NAME)
    assert json.loads(decoded(claims)) == {
        "sub": NAME,
        "iss": "cdp",
        "nbf": 1_700_000_000,
        "exp": 1_700_000_120,
        "uri": "GET api.coinbase.com/api/v3/brokerage/orders",
    }


def test_no_token_is_like_another_and_one_for_a_socket_names_no_request() -> None:
    signer = Signer(name=NAME, secret=SEC1)

    first, second = signer.token(now_s=1), signer.token(now_s=1)

    assert first.split(".")[0] != second.split(".")[0]
    assert "uri" not in json.loads(decoded(first.split(".")[1]))


@settings(max_examples=60, deadline=None)
@given(spoil=st.integers(0, 63), bit=st.integers(0, 7))
def test_a_signature_with_one_bit_changed_is_none(spoil: int, bit: int) -> None:
    head, claims, signature = Signer(name=NAME, secret=SEC1).token(now_s=7).split(".")
    raw = bytearray(decoded(signature))
    raw[spoil] ^= 1 << bit

    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))

    with pytest.raises((InvalidSignature, ValueError)):
        EC_KEY.public_key().verify(
            encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256())
        )


BAD_KEYS = {
    "not base64!": "is no key",
    base64.b64encode(b"short").decode(): "has 5 bytes",
    base64.b64encode(SEED + bytes(32)).decode(): "is damaged",
    "-----BEGIN EC PRIVATE KEY-----\nnothing\n-----END EC PRIVATE KEY-----": "cannot be read",
    pem(ec.generate_private_key(ec.SECP384R1()), serialization.PrivateFormat.PKCS8): "secp384r1",
    pem(rsa.generate_private_key(65537, 2048), serialization.PrivateFormat.PKCS8): "another kind",
}


@pytest.mark.parametrize(("secret", "words"), BAD_KEYS.items(), ids=BAD_KEYS.values())
def test_a_secret_that_is_none_is_told_in_one_sentence_that_does_not_quote_it(
    secret: str, words: str
) -> None:
    with pytest.raises(UnusableKey, match=words) as caught:
        read_private_key(secret)

    assert secret.strip() not in str(caught.value)


# Errors


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unreached("x"), NotSent),
        (NoAnswer("x"), OutcomeUnknown),
        (http_error(500, ""), OutcomeUnknown),
        (http_error(503, "<html>"), OutcomeUnknown),
        (http_error(302, ""), OutcomeUnknown),
        (http_error(400, {"error": "INVALID_ARGUMENT", "code": 3, "message": "m"}), Refused),
        (http_error(401, "Unauthorized"), Refused),
        (http_error(403, {"error": "PERMISSION_DENIED"}), Refused),
        (http_error(429, {"errors": [{"id": "rate_limit_exceeded", "message": "slow"}]}), NotSent),
        (refusal({"error_response": {"error": "INSUFFICIENT_FUND"}}), Refused),
        (refusal({"error_response": {"error": "ORDER_ENTRY_DISABLED"}}), NotSent),
        (refusal({"error_response": {"error": "DUPLICATE_CLIENT_ORDER_ID"}}), OutcomeUnknown),
        (refusal({"error_response": {"error": "UNKNOWN_FAILURE_REASON"}}), OutcomeUnknown),
        (refusal({"error_response": {"error": "SOMETHING_NEW"}}), Refused),
        (refusal({}), OutcomeUnknown),
        (refusal(None), OutcomeUnknown),
    ],
)
def test_an_error_is_sorted_by_what_may_have_happened(error: Exception, kind: type) -> None:
    assert isinstance(outcome_of(error), kind)


def test_the_telling_reason_of_a_refusal_is_found() -> None:
    told = {
        "success": False,
        "error_response": {
            "error": "UNKNOWN_FAILURE_REASON",
            "message": "The order configuration was invalid",
            "new_order_failure_reason": "UNKNOWN_FAILURE_REASON",
            "preview_failure_reason": "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY",
        },
    }

    assert refusal(told).words == (
        "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY: The order configuration was invalid"
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"error": "INVALID_ARGUMENT", "code": 3, "message": "bad", "details": []},
         "INVALID_ARGUMENT: bad"),
        ({"error": "PERMISSION_DENIED", "error_details": "Missing required scopes",
          "message": "Missing required scopes"}, "PERMISSION_DENIED: Missing required scopes"),
        ({"error": "unknown", "error_details": "order with this orderID was not found"},
         "unknown: order with this orderID was not found"),
        ({"errors": [{"id": "rate_limit_exceeded", "message": "slow"}]},
         "rate_limit_exceeded: slow"),
        ("Unauthorized\n", "Unauthorized"),
        ([1], "HTTP 400"),
    ],
)  # fmt: skip
def test_every_shape_of_an_error_is_read(told: Any, words: str) -> None:
    error = http_error(400, told)

    assert isinstance(error, ApiError)
    assert error.words == words


# Products


def product(**changes: Any) -> dict[str, Any]:
    return {
        "product_id": "BTC-USD",
        "base_increment": "0.0001",
        "quote_increment": "0.01",
        "price_increment": "0.1",
        "base_min_size": "0.0002",
        "quote_min_size": "1",
        "base_currency_id": "BTC",
        "quote_currency_id": "USD",
        "product_type": "SPOT",
        "status": "online",
        "is_disabled": False,
        "trading_disabled": False,
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "auction_mode": False,
        "view_only": False,
        "alias": "",
        "alias_to": ["BTC-USDC"],
    } | changes


def test_products_come_from_the_list_and_are_never_guessed() -> None:
    rows = [
        product(),
        product(product_id="ETH-USD", base_currency_id="ETH", price_increment=None),
        product(product_id="BTC-USDC", quote_currency_id="USDC", alias="BTC-USD"),
        product(product_id="BIT-28NOV", product_type="FUTURE"),
        product(product_id="ODD", base_increment="none"),
        product(product_id="ZERO", base_increment="0"),
        {"product_id": "BARE"},
    ]

    listed = names.read_products(rows)

    assert sorted(listed) == ["BTC/USD", "BTC/USDC", "ETH/USD"]
    first = listed["BTC/USD"]
    assert (first.tick_size, first.lot_size) == (Decimal("0.1"), Decimal("0.0001"))
    assert (first.min_quantity, first.min_notional) == (Decimal("0.0002"), Decimal(1))
    assert listed["ETH/USD"].tick_size == Decimal("0.01")
    assert listed["BTC/USDC"].alias == "BTC-USD"
    with pytest.raises(names.UnknownProduct, match="not list BTC/EUR; it lists BTC/USD, BTC/USDC"):
        names.choose(listed, "BTC/EUR")


@pytest.mark.parametrize(
    ("changes", "shut", "limited"),
    [
        ({}, "", ""),
        ({"status": "delisted"}, "not online", "not online"),
        ({"is_disabled": True}, "is_disabled", "is_disabled"),
        ({"trading_disabled": True}, "trading_disabled", "trading_disabled"),
        ({"view_only": True}, "view_only", "view_only"),
        ({"cancel_only": True}, "", "cancel_only"),
        ({"limit_only": True}, "", "limit_only"),
        ({"post_only": True}, "", "post_only"),
        ({"auction_mode": True}, "", "auction_mode"),
    ],
)
def test_flags_say_what_may_be_done(changes: dict[str, Any], shut: str, limited: str) -> None:
    found = names.read_product(product(**changes))

    assert (found.shut_by, found.limited_by) == (shut, limited)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trading_disabled": True}, "BTC/USD does not trade at Coinbase now: trading_disabled"),
        ({"price_increment": "0.3"}, "has tick 0.3 and lot 0.0001, stored are 0.1 and 0.0001"),
        ({"base_increment": "0.00001"}, "has tick 0.1 and lot 0.00001"),
    ],
)
def test_a_product_that_does_not_fit_is_one_sentence(changes: dict[str, Any], words: str) -> None:
    listed = names.read_products([product(**changes)])

    with pytest.raises(CannotTrade, match=words):
        check_product(listed, spec())


def test_a_finer_tick_of_the_venue_fits() -> None:
    check_product(names.read_products([product(price_increment="0.01")]), spec())


# Orders and fills


def order(
    purpose: Purpose, *, ticks: int = 0, side: Side = Side.SELL, expires_ns: int = 0
) -> OrderRequest:
    known = "9b1b8e7a-3c5f-5e0e-8a55-0a1d57b6a001"
    return OrderRequest(
        0, 7, known, 0, purpose, side, 1234, ticks, expires_ns, 0, ExitReason.NONE, 0
    )


@pytest.mark.parametrize(
    ("asked", "configuration"),
    [
        (order(Purpose.EXIT), {"market_market_ioc": {"base_size": "0.1234"}}),
        (
            order(Purpose.ENTRY, side=Side.BUY, ticks=300_001),
            {
                "limit_limit_gtc": {
                    "base_size": "0.1234",
                    "limit_price": "30000.1",
                    "post_only": True,
                }
            },
        ),
        (
            order(
                Purpose.ENTRY, side=Side.BUY, ticks=300_000, expires_ns=1_700_000_000_000_000_001
            ),
            {
                "limit_limit_gtd": {
                    "base_size": "0.1234",
                    "limit_price": "30000",
                    "post_only": True,
                    "end_time": "2023-11-14T22:13:21Z",
                }
            },
        ),
        (
            order(Purpose.PROTECT, ticks=300_001),
            {
                "stop_limit_stop_limit_gtc": {
                    "base_size": "0.1234",
                    "stop_price": "30000.1",
                    "limit_price": "28500",
                    "stop_direction": "STOP_DIRECTION_STOP_DOWN",
                }
            },
        ),
        (
            order(Purpose.MOVE_STOP, ticks=300_001, side=Side.BUY),
            {
                "stop_limit_stop_limit_gtc": {
                    "base_size": "0.1234",
                    "stop_price": "30000.1",
                    "limit_price": "31500.2",
                    "stop_direction": "STOP_DIRECTION_STOP_UP",
                }
            },
        ),
    ],
)
def test_an_order_is_told_as_the_venue_reads_it(asked: Any, configuration: Any) -> None:
    body = orders.create_body(asked, spec(), product_id="BTC-USD")

    assert body == {
        "client_order_id": asked.client_order_id,
        "product_id": "BTC-USD",
        "side": "BUY" if asked.side is Side.BUY else "SELL",
        "order_configuration": configuration,
    }


def test_a_resting_stop_is_known_by_its_trigger_and_size() -> None:
    asked = order(Purpose.PROTECT, ticks=300_001)
    rests = orders.create_body(asked, spec(), product_id="BTC-USD")

    assert orders.rests_as_asked(rests, asked, spec())
    assert not orders.rests_as_asked(rests, order(Purpose.PROTECT, ticks=300_002), spec())
    assert not orders.rests_as_asked({"order_configuration": None}, asked, spec())
    odd = {"order_configuration": {"stop_limit_stop_limit_gtc": {"base_size": "x"}}}
    assert not orders.rests_as_asked(odd, asked, spec())


@given(ticks=st.integers(1, 10**9), side=st.sampled_from([Side.SELL, Side.BUY]))
def test_a_stops_limit_leaves_room_on_the_side_it_fills(ticks: int, side: Side) -> None:
    asked = orders.create_body(
        order(Purpose.PROTECT, ticks=ticks, side=side), spec(), product_id="X"
    )
    stop = asked["order_configuration"]["stop_limit_stop_limit_gtc"]

    limit, trigger = Decimal(stop["limit_price"]), Decimal(stop["stop_price"])
    assert limit % spec().tick_size == 0
    assert limit > 0
    assert limit <= trigger if side is Side.SELL else limit >= trigger
    assert abs(limit - trigger) <= trigger * orders.STOP_ROOM + spec().tick_size


@pytest.mark.parametrize(
    ("status", "is_over"),
    [
        *[(word, True) for word in ("FILLED", "CANCELLED", "EXPIRED", "FAILED")],
        *[(word, False) for word in ("PENDING", "OPEN", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED")],
        ("UNKNOWN_ORDER_STATUS", False),
        ("SOMETHING_NEW", False),
    ],
)
def test_only_a_known_end_is_an_end(status: str, is_over: bool) -> None:
    told = {"order_id": "v", "client_order_id": "c", "status": status, "filled_size": "0.0003"}

    standing = orders.read_order(told)

    assert standing.is_over is is_over
    assert standing.filled_lots(spec()) == 3


@pytest.mark.parametrize("told", [{}, {"order_id": "v"}, {"order_id": "v", "status": "OPEN", "filled_size": "x"}])  # fmt: skip
def test_an_unreadable_order_is_no_answer(told: dict[str, str]) -> None:
    with pytest.raises(NoAnswer, match="cannot be read"):
        orders.read_order(told)


FILL = {
    "entry_id": "e1",
    "trade_id": "t1",
    "order_id": "v",
    "trade_time": "2026-05-31T09:59:59.123456Z",
    "trade_type": "FILL",
    "price": "30000.1",
    "size": "0.0012",
    "commission": "0.21600072",
    "product_id": "BTC-USD",
    "liquidity_indicator": "TAKER",
    "size_in_quote": False,
    "side": "BUY",
}


def test_a_fill_is_read_in_lots_ticks_and_quote() -> None:
    made = orders.execution(FILL, spec())

    assert made is not None
    assert (made.trade_id, made.lots, made.ticks) == ("e1", 12, 300_001)
    assert (made.fee, made.fee_currency, made.fee_units) == ("0.21600072", "USD", 21_600_072)
    assert made.is_maker is False
    assert made.time_ns == 1_780_221_599_123_456_000


def test_a_fill_told_in_quote_is_turned_into_base() -> None:
    made = orders.execution(FILL | {"size_in_quote": True, "size": "36.00012"}, spec())

    assert made is not None
    assert made.lots == 12


@pytest.mark.parametrize("kind", ["REVERSAL", "CORRECTION"])
def test_a_fill_that_takes_back_is_not_booked(kind: str) -> None:
    assert orders.execution(FILL | {"trade_type": kind}, spec()) is None


@pytest.mark.parametrize("changes", [{"trade_type": "SYNTHETIC"}, {"trade_type": "SOMETHING_NEW"}, {"liquidity_indicator": "UNKNOWN_LIQUIDITY_INDICATOR"}])  # fmt: skip
def test_an_unknown_word_in_a_fill_is_tolerated(changes: dict[str, str]) -> None:
    made = orders.execution(FILL | changes, spec())

    assert made is not None
    assert (made.lots, made.is_maker) == (12, False)


@pytest.mark.parametrize("changes", [{"price": "x"}, {"size": None}, {"trade_time": "yesterday"}, {"size_in_quote": True, "price": "0"}])  # fmt: skip
def test_an_unreadable_fill_is_no_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(NoAnswer, match="cannot be read"):
        orders.execution(FILL | changes, spec())


# Frames


def frame(number: int, channel: str = "market_trades", **more: Any) -> dict[str, Any]:
    return {"channel": channel, "client_id": "", "sequence_num": number, "events": [], **more}


def confirmed(number: int, *channels: str) -> dict[str, Any]:
    return frame(
        number, "subscriptions", events=[{"subscriptions": {key: ["BTC-USD"] for key in channels}}]
    )


async def test_each_channel_is_asked_for_alone_with_a_token_of_its_own() -> None:
    tokens = iter(["first", "second"])
    talk = Subscriptions("user", ["BTC-USD"], lambda: next(tokens))

    assert await talk.requests() == [
        {"type": "subscribe", "channel": "user", "product_ids": ["BTC-USD"], "jwt": "first"},
        {"type": "subscribe", "channel": "heartbeats", "jwt": "second"},
    ]


async def test_connected_is_said_once_both_channels_are_confirmed() -> None:
    talk = Subscriptions("market_trades", ["BTC-USD"])
    assert all("jwt" not in one for one in await talk.requests())

    told = [
        talk.hear(one)
        for one in (
            frame(0),
            confirmed(1, "market_trades"),
            confirmed(2, "market_trades", "heartbeats"),
            confirmed(3, "market_trades", "heartbeats"),
        )
    ]

    assert told == [frame(0), None, Connected(), None]


@given(numbers=st.lists(st.integers(0, 12), max_size=60))
def test_frames_are_told_once_in_order_and_a_gap_breaks(numbers: list[int]) -> None:
    talk, told = Subscriptions("user"), list[int]()
    for number in numbers:
        if number > len(told):
            with pytest.raises(Broken, match=f"message {number} came after"):
                talk.hear(frame(number))
            break
        heard = talk.hear(frame(number))
        assert (heard is not None) == (number == len(told))
        told += [number] if heard is not None else []

    assert told == list(range(len(told)))


def test_the_count_is_over_all_channels() -> None:
    talk = Subscriptions("user")

    assert talk.hear(frame(0, "user")) is not None
    assert talk.hear(frame(1, "heartbeats")) is not None
    assert talk.hear(frame(2, "a_channel_nobody_knows")) is not None
    with pytest.raises(Broken, match="message 4 came after 2"):
        talk.hear(frame(4, "user"))


def test_an_error_frame_breaks_and_odd_frames_do_not() -> None:
    talk = Subscriptions("user")

    with pytest.raises(Broken, match="authentication failure"):
        talk.hear({"type": "error", "message": "authentication failure"})
    assert talk.hear({"type": "something_new"}) is None
    assert talk.hear({"channel": "user", "events": None}) is not None
    assert events_of({"events": ["x", {"type": "update"}]}) == [{"type": "update"}]
    assert events_of({"events": {}}) == []


# Candles


def test_rest_candles_are_turned_round_and_the_running_one_is_left_out() -> None:
    row = {"low": "1", "high": "4", "open": "2", "close": "3", "volume": "5.5"}
    rows = [{"start": str(at), **row} for at in (240, 180, 60)] + [{"start": "x"}, {"start": "0"}]

    bars = rest_candles(rows, until_ns=290 * 10**9, timeframe_ns=MINUTE_NS)

    assert (bars["open_ns"] // 10**9).tolist() == [60, 180]
    assert bars[0].tolist()[1:] == (2.0, 4.0, 1.0, 3.0, 5.5)


def test_a_timeframe_coinbase_has_not_is_named() -> None:
    assert granularity_of(5 * MINUTE_NS) == "FIVE_MINUTE"
    with pytest.raises(ValueError, match="Coinbase has 1 m, 5 m, 15 m"):
        granularity_of(7 * MINUTE_NS)


def test_trades_of_a_frame_come_oldest_first_and_unreadable_ones_not_at_all() -> None:
    good = {"trade_id": "10", "product_id": "BTC-USD", "price": "2", "size": "1", "side": "SELL",
            "time": "2026-01-01T00:00:01.000000Z"}  # fmt: skip
    rows = [
        {**good, "trade_id": "12", "time": "2026-01-01T00:00:02Z"},
        {**good, "trade_id": "11"},
        good,
        {**good, "price": "NaN"},
        {**good, "price": "cheap"},
        {"trade_id": "9"},
        "odd",
    ]

    assert [trade.trade_id for _, trade in read_trades(rows)] == ["10", "11", "12"]


TRADES = st.lists(
    st.tuples(st.integers(0, 59), st.integers(1, 10**6), st.integers(1, 10**9)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150)
@given(told=TRADES, order=st.randoms(use_true_random=False), twice=st.booleans())
def test_a_candle_is_the_same_however_its_trades_come(told: Any, order: Any, twice: bool) -> None:
    trades = [
        Trade(second * 10**9, n, str(n), Decimal(price) / 100, Decimal(size) / 10**8)
        for n, (second, price, size) in enumerate(told)
    ]
    shuffled = trades * (2 if twice else 1)
    order.shuffle(shuffled)
    made, last = TradeCandles(MINUTE_NS), None

    for trade in shuffled:
        last = made.add(trade) or last

    inorder, prices = sorted(trades), [trade.price for trade in trades]
    wanted = (inorder[0].price, max(prices), min(prices), inorder[-1].price)
    volume = sum((trade.size for trade in trades), Decimal(0))
    assert last == (0, (*map(float, wanted), float(volume)))


def test_trades_of_each_interval_make_their_own_candle_and_none_comes_back() -> None:
    made = TradeCandles(MINUTE_NS)

    opens = [
        told[0]
        for n, second in enumerate((0, 59, 60, 61, 180, 62))
        if (told := made.add(Trade(second * 10**9, n, str(n), Decimal(1), Decimal(1))))
    ]

    assert [at // MINUTE_NS for at in opens] == [0, 0, 1, 1, 3]
