"""Orders at the simulated Coinbase: each configuration, each refusal's word, and what is under way."""

from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.coinbase_customer import LIMIT, Customer
from tests.exchanges.conftest import BARS
from tests.exchanges.street import FUNDS, GRID, oracle

MARKET, STOP, BRACKET = "market_market_ioc", "stop_limit_stop_limit_gtc", "trigger_bracket_gtc"
IOC, GTD, FOK = "sor_limit_ioc", "limit_limit_gtd", "limit_limit_fok"
UP, DOWN = "STOP_DIRECTION_STOP_UP", "STOP_DIRECTION_STOP_DOWN"
GOOD = {"base_size": "0.01", "limit_price": "100.0"}
PAST, FUTURE = "1970-01-02T00:00:00Z", "2999-01-01T00:00:00Z"

REFUSED: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("BUY", LIMIT, GOOD | {"product_id": "NO-SUCH"}, "INVALID_PRODUCT_ID", "INVALID_PRODUCT_ID"),
    ("HOLD", LIMIT, GOOD, "INVALID_SIDE", "INVALID_SIDE"),
    ("BUY", "market_market_fok", {"base_size": "1"}, "UNSUPPORTED_ORDER_CONFIGURATION",
     "INVALID_ORDER_CONFIG"),
    ("SELL", MARKET, {"quote_size": "10"}, "UNSUPPORTED_ORDER_CONFIGURATION",
     "INVALID_ORDER_CONFIG"),
    ("BUY", MARKET, {}, "UNKNOWN_FAILURE_REASON", "INVALID_ORDER_CONFIG"),
    ("BUY", MARKET, {"base_size": "1", "quote_size": "1"}, "UNKNOWN_FAILURE_REASON",
     "INVALID_ORDER_CONFIG"),
    ("BUY", LIMIT, GOOD | {"base_size": "0.00015"}, "INVALID_SIZE_PRECISION",
     "INVALID_SIZE_PRECISION"),
    ("BUY", LIMIT, GOOD | {"limit_price": "100.05"}, "INVALID_PRICE_PRECISION",
     "INVALID_PRICE_PRECISION"),
    ("BUY", LIMIT, GOOD | {"base_size": "0"}, "UNKNOWN_FAILURE_REASON",
     "INVALID_BASE_SIZE_TOO_SMALL"),
    ("BUY", LIMIT, GOOD | {"base_size": "9999"}, "UNKNOWN_FAILURE_REASON",
     "INVALID_BASE_SIZE_TOO_LARGE"),
    ("BUY", LIMIT, GOOD | {"base_size": "0.001"}, "UNKNOWN_FAILURE_REASON",
     "INVALID_QUOTE_SIZE_TOO_SMALL"),
    ("BUY", MARKET, {"quote_size": "0.1"}, "UNKNOWN_FAILURE_REASON",
     "INVALID_QUOTE_SIZE_TOO_SMALL"),
    ("BUY", MARKET, {"quote_size": "10.005"}, "UNKNOWN_FAILURE_REASON",
     "INVALID_QUOTE_SIZE_PRECISION"),
    ("BUY", LIMIT, GOOD | {"base_size": "200"}, "INSUFFICIENT_FUND", "INSUFFICIENT_FUND"),
    ("SELL", MARKET, {"base_size": "5"}, "INSUFFICIENT_FUND", "INSUFFICIENT_FUND"),
    ("BUY", LIMIT, GOOD | {"limit_price": "99999.0", "post_only": True},
     "INVALID_LIMIT_PRICE_POST_ONLY", "INVALID_LIMIT_PRICE_POST_ONLY"),
    ("BUY", LIMIT, {"base_size": "0.01"}, "INVALID_LIMIT_PRICE", "INVALID_LIMIT_PRICE"),
    ("BUY", GTD, GOOD | {"end_time": PAST}, "UNKNOWN_FAILURE_REASON", "END_TIME_IS_IN_THE_PAST"),
    ("BUY", GTD, GOOD, "UNKNOWN_FAILURE_REASON", "INVALID_END_TIME"),
    ("SELL", STOP, GOOD | {"stop_price": "99999.0", "stop_direction": DOWN},
     "UNKNOWN_FAILURE_REASON", "STOP_PRICE_ABOVE_LAST_TRADE_PRICE"),
    ("BUY", STOP, GOOD | {"stop_price": "50.0", "stop_direction": UP},
     "UNKNOWN_FAILURE_REASON", "STOP_PRICE_BELOW_LAST_TRADE_PRICE"),
    ("BUY", STOP, GOOD | {"stop_price": "99999.0", "stop_direction": UP},
     "UNKNOWN_FAILURE_REASON", "STOP_PRICE_ABOVE_LIMIT_PRICE"),
    ("SELL", STOP, GOOD | {"stop_price": "50.0", "stop_direction": DOWN},
     "UNKNOWN_FAILURE_REASON", "STOP_PRICE_BELOW_LIMIT_PRICE"),
    ("SELL", STOP, GOOD | {"stop_price": "100.0", "stop_direction": "DOWN"},
     "UNKNOWN_FAILURE_REASON", "INVALID_ORDER_CONFIG"),
    ("BUY", BRACKET, GOOD | {"stop_trigger_price": "50.0"}, "INVALID_SIDE", "INVALID_SIDE"),
    ("SELL", BRACKET, GOOD | {"stop_trigger_price": "50.0"}, "INVALID_LIMIT_PRICE",
     "INVALID_LIMIT_PRICE"),
    ("SELL", BRACKET, GOOD | {"limit_price": "99999.0"}, "UNKNOWN_FAILURE_REASON",
     "INVALID_STOP_PRICE"),
]  # fmt: skip


@pytest.mark.parametrize(("side", "style", "given_", "reason", "preview"), REFUSED)
async def test_a_refused_order_is_told_with_200_and_the_venues_words(
    customer: Customer, side: str, style: str, given_: dict[str, Any], reason: str, preview: str
) -> None:
    told = await customer.order(side, style, "one", **given_)
    asked = {"product_id": given_.get("product_id", "BTC-USD"), "side": side,
             "order_configuration": {style: given_}}  # fmt: skip
    previewed = await customer.post("orders/preview", asked)

    error = told["error_response"]
    assert told["success"] is False
    assert (error["error"], error["new_order_failure_reason"]) == (reason, reason)
    assert error["preview_failure_reason"] == f"PREVIEW_{preview}"
    assert previewed["errs"] == [f"PREVIEW_{preview}"]
    assert oracle(customer.simulator, "order") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"client_order_id": ""}, "client_order_id is missing"),
        ({"client_order_id": 5}, "client_order_id: invalid value for string field: 5"),
        ({"client_order_id": "a", "product_id": "BTC-USD"}, "exactly one configuration"),
        ({"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
          "order_configuration": {LIMIT: {"base_size": 0.01, "limit_price": "1"}}},
         "base_size: invalid value for string field: 0.01"),
        ({"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
          "order_configuration": {LIMIT: {"base_size": "x", "limit_price": "1"}}},
         "base_size 'x': accepted is a decimal number"),
        ({"client_order_id": "a", "product_id": "BTC-USD", "side": "BUY",
          "order_configuration": {LIMIT: GOOD, GTD: GOOD}}, "exactly one configuration"),
        ([], "not a JSON object"),
    ],
)  # fmt: skip
async def test_a_body_that_cannot_be_understood_is_400(
    customer: Customer, body: Any, words: str
) -> None:
    reply = await customer.ask("POST", "orders", json=body)

    assert (reply.status, reply.told["error"], reply.told["code"]) == (400, "INVALID_ARGUMENT", 3)
    assert words in reply.told["message"]


async def test_a_market_order_by_quote_spends_no_more_than_asked_fees_included(
    customer: Customer,
) -> None:
    name = await customer.placed("BUY", MARKET, quote_size="500")

    row, (fill,) = (
        await customer.row(name),
        (await customer.get("orders/historical/fills"))["fills"],
    )

    assert (row["status"], row["order_type"]) == ("FILLED", "MARKET")
    assert row["size_in_quote"] is row["size_inclusive_of_fees"] is fill["size_in_quote"] is True
    spent = Decimal(row["total_value_after_fees"])
    assert Decimal(495) < spent <= 500
    assert spent == Decimal(row["filled_value"]) + Decimal(row["total_fees"])
    assert Decimal(fill["size"]) == Decimal(row["filled_value"])
    assert Decimal(fill["commission"]) == Decimal(row["filled_value"]) * Decimal("0.006")
    assert fill["liquidity_indicator"] == "TAKER"
    assert await customer.wallet("USD") == (FUNDS["USD"] - spent, 0)


async def test_a_resting_order_holds_its_cost_and_fills_as_maker(customer: Customer) -> None:
    low = customer.market().last_price() - Decimal("0.5")
    name = await customer.placed("BUY", LIMIT, base_size="0.01", limit_price=str(low))
    hold = Decimal("0.01") * low * Decimal("1.006")
    assert await customer.wallet("USD") == (FUNDS["USD"] - hold, hold)
    assert Decimal((await customer.row(name))["outstanding_hold_amount"]) == hold

    customer.settle(900)

    row, (fill,) = (
        await customer.row(name),
        (await customer.get("orders/historical/fills"))["fills"],
    )
    assert (row["status"], row["number_of_fills"], row["fee"]) == ("FILLED", "1", "")
    assert (fill["liquidity_indicator"], fill["size"]) == ("MAKER", "0.01")
    assert Decimal(fill["commission"]) == Decimal("0.01") * low * Decimal("0.004")
    assert (await customer.wallet("USD"))[1] == 0


async def test_orders_that_do_not_rest_end_at_once(customer: Customer) -> None:
    _, ((_, first), (reach, second), *_) = customer.market().book()
    customer.simulator.exchange.accounts[customer.name].balances["USD"] = Decimal(10**9)
    more = str(first + second + 1)

    killed = await customer.placed("BUY", FOK, base_size=more, limit_price=str(reach))
    whole = await customer.placed("BUY", FOK, base_size=str(first), limit_price=str(reach))
    part = await customer.placed("BUY", IOC, base_size=more, limit_price=str(reach))
    rows = [await customer.row(name) for name in (killed, whole, part)]

    assert [row["status"] for row in rows] == ["CANCELLED", "FILLED", "CANCELLED"]
    assert [Decimal(row["filled_size"]) for row in rows] == [0, first, second]
    assert [row["time_in_force"] for row in rows] == [
        "FILL_OR_KILL", "FILL_OR_KILL", "IMMEDIATE_OR_CANCEL"]  # fmt: skip


async def test_an_order_with_an_end_expires(customer: Customer) -> None:
    name = await customer.placed("BUY", GTD, **GOOD, end_time="1971-11-26T10:41:00Z")
    customer.settle(1)
    assert (await customer.row(name))["status"] == "OPEN"

    customer.settle(120)

    row = await customer.row(name)
    assert (row["status"], row["time_in_force"]) == ("EXPIRED", "GOOD_UNTIL_DATE_TIME")
    assert (await customer.wallet("USD"))[1] == 0


async def test_a_stop_limit_and_a_bracket_wait_for_their_trigger(customer: Customer) -> None:
    last = customer.market().last_price()
    stop, far = str(last - Decimal("0.5")), str(last - 50)
    first = await customer.placed("SELL", STOP, base_size="0.1", limit_price=far, stop_price=stop,
                                  stop_direction=DOWN)  # fmt: skip
    second = await customer.placed("SELL", BRACKET, base_size="0.1", limit_price=str(last * 2),
                                   stop_trigger_price=stop)  # fmt: skip
    before = [await customer.row(name) for name in (first, second)]

    customer.settle(900)

    after = [await customer.row(name) for name in (first, second)]
    assert [row["trigger_status"] for row in before] == ["STOP_PENDING"] * 2
    assert [row["order_type"] for row in before] == ["STOP_LIMIT", "BRACKET"]
    assert [row["status"] for row in before] == ["OPEN"] * 2
    assert [row["trigger_status"] for row in after] == ["STOP_TRIGGERED"] * 2
    assert [row["status"] for row in after] == ["FILLED"] * 2


async def test_a_stop_upwards_buys_when_the_market_rises_to_it(customer: Customer) -> None:
    last = customer.market().last_price()
    highs = BARS["high"][:30].astype(float)
    stop = Decimal(round(float(highs.max()) * 10) - 5) / 10
    name = await customer.placed("BUY", STOP, base_size="0.1", limit_price=str(last * 2),
                                 stop_price=str(stop), stop_direction=UP)  # fmt: skip
    customer.settle(1)
    before = await customer.row(name)

    customer.settle(1900)

    after = await customer.row(name)
    assert stop > last
    assert (before["trigger_status"], before["status"]) == ("STOP_PENDING", "OPEN")
    assert (after["trigger_status"], after["status"]) == ("STOP_TRIGGERED", "FILLED")
    assert Decimal(after["average_filled_price"]) >= stop


async def test_no_edit_goes_below_what_was_filled(customer: Customer) -> None:
    price, size = customer.market().book()[1][0]
    customer.simulator.exchange.accounts[customer.name].balances["USD"] = Decimal(10**9)
    name = await customer.placed("BUY", LIMIT, base_size=str(size + 1), limit_price=str(price))
    asked = {"order_id": name, "price": str(price)}

    refused = await customer.post("orders/edit", asked | {"size": str(size)})
    taken = await customer.post("orders/edit", asked | {"size": str(size + GRID.lot_size)})
    customer.settle(0.6)

    row = await customer.row(name)
    assert refused["errors"][0]["edit_failure_reason"] == "CANNOT_EDIT_TO_BELOW_FILLED_SIZE"
    assert taken["success"] is True
    assert Decimal(row["filled_size"]) >= size
    assert row["order_configuration"][LIMIT]["base_size"] == str(size + GRID.lot_size)


async def test_a_cancel_is_accepted_first_and_true_later(customer: Customer) -> None:
    filled = await customer.placed("SELL", MARKET, base_size="0.1")
    name = await customer.resting()
    asked = {"order_ids": [name, filled, "none", name]}

    results = (await customer.post("orders/batch_cancel", asked))["results"]
    queued = oracle(customer.simulator, "cancel_queued")
    customer.settle()
    late = (await customer.post("orders/batch_cancel", {"order_ids": [name]}))["results"]

    assert [row["success"] for row in results] == [True, False, False, False]
    assert [row["failure_reason"] for row in results] == [
        "UNKNOWN_CANCEL_FAILURE_REASON", "ORDER_IS_FULLY_FILLED", "UNKNOWN_CANCEL_ORDER",
        "DUPLICATE_CANCEL_REQUEST"]  # fmt: skip
    assert [event["order_id"] for event in queued] == [name]
    assert (await customer.row(name))["status"] == "CANCELLED"
    assert late[0]["failure_reason"] == "INVALID_CANCEL_REQUEST"
    for wrong in ([], ["x"] * 101, "x", [5]):
        reply = await customer.ask("POST", "orders/batch_cancel", json={"order_ids": wrong})
        assert reply.status == 400


async def test_an_edit_is_queued_then_keeps_the_order_and_its_history(customer: Customer) -> None:
    name = await customer.resting()
    told = await customer.post(
        "orders/edit_preview", {"order_id": name, "price": "99", "size": "0.02"}
    )
    assert (told["errors"], told["order_total"]) == ([], "1.98792")

    edited = await customer.post("orders/edit", {"order_id": name, "price": "99", "size": "0.02"})
    again = await customer.post("orders/edit", {"order_id": name, "price": "98", "size": "0.02"})
    cancel = await customer.post("orders/batch_cancel", {"order_ids": [name]})
    customer.settle()

    row = await customer.row(name)
    assert edited == {"success": True, "errors": []}
    assert again["errors"][0]["edit_failure_reason"] == "ORDER_IS_ALREADY_BEING_REPLACED"
    assert cancel["results"][0]["failure_reason"] == "ORDER_IS_BEING_REPLACED"
    assert (row["status"], row["order_configuration"][LIMIT]["base_size"]) == ("OPEN", "0.02")
    assert [(edit["price"], edit["size"]) for edit in row["edit_history"]] == [("99", "0.02")]
    assert (await customer.wallet("USD"))[1] == Decimal("1.99188")


@pytest.mark.parametrize(
    ("changed", "reason", "preview"),
    [
        ({"order_id": "none"}, "ORDER_NOT_FOUND", "UNKNOWN_PREVIEW_FAILURE_REASON"),
        ({"price": "100"}, "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST",
         "UNKNOWN_PREVIEW_FAILURE_REASON"),
        ({"price": "99.99"}, "INVALID_EDITED_PRICE", "PREVIEW_INVALID_PRICE_PRECISION"),
        ({"size": "0.00001"}, "INVALID_EDITED_SIZE", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
        ({"size": "100"}, "UNKNOWN_EDIT_ORDER_FAILURE_REASON", "PREVIEW_INSUFFICIENT_FUND"),
        ({"style": GTD}, "ONLY_LIMIT_ORDER_EDITS_SUPPORTED", "UNKNOWN_PREVIEW_FAILURE_REASON"),
        ({"style": MARKET}, "ONLY_OPEN_ORDERS_CAN_BE_EDITED", "UNKNOWN_PREVIEW_FAILURE_REASON"),
    ],
)  # fmt: skip
async def test_an_edit_is_refused_in_the_venues_words(
    customer: Customer, changed: dict[str, str], reason: str, preview: str
) -> None:
    style = changed.pop("style", LIMIT)
    order = {"base_size": "0.01"} if style == MARKET else GOOD | {"end_time": FUTURE}
    name = await customer.placed("BUY", style, **order)
    asked = {"order_id": name, "price": "100.0", "size": "0.01", **changed}

    told = await customer.post("orders/edit", asked)
    previewed = await customer.post("orders/edit_preview", asked)

    assert told["success"] is False
    assert told["errors"] == previewed["errors"]
    assert told["errors"] == [{"edit_failure_reason": reason, "preview_failure_reason": preview}]
