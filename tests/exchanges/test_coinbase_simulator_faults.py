"""What goes wrong at the simulated Coinbase when it is told to, and what was done nevertheless."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from tests.exchanges.coinbase_customer import LIMIT, Customer, listen
from tests.exchanges.street import oracle
from trading.exchanges.simulator.coinbase_rest import TOMORROW
from trading.exchanges.simulator.faults import Fault

USER = "/coinbase/ws/user"
GOOD = {"base_size": "0.01", "limit_price": "100.0"}


def body(client_id: str) -> dict[str, Any]:
    """An order that rests."""
    return {"client_order_id": client_id, "product_id": "BTC-USD", "side": "BUY",
            "order_configuration": {LIMIT: GOOD}}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "words", "done"),
    [
        ("page_520", 520, "<html>", 0),
        ("unauthorized", 401, "Unauthorized", 0),
        ("rate_limited", 429, "rate_limit_exceeded", 0),
        ("error", 400, "not today", 0),
        ("server_error", 503, "internal", 1),
    ],
)
async def test_an_answer_that_is_not_200_leaves_the_order_done_or_not(
    customer: Customer, kind: str, status: int, words: str, done: int
) -> None:
    customer.simulator.exchange.faults.arm(Fault(kind, "orders", words="not today"))

    spared = await customer.ask("GET", "accounts")
    reply = await customer.ask("POST", "orders", json=body("one"))
    after = len(oracle(customer.simulator, "order"))
    again = await customer.ask("POST", "orders", json=body("one"))

    assert (spared.status, reply.status, words in reply.text, after) == (200, status, True, done)
    assert again.told["success"] is True
    assert len(oracle(customer.simulator, "order")) == 1
    if kind == "rate_limited":
        assert reply.headers["x-ratelimit-remaining"] == "0"


@pytest.mark.parametrize(("kind", "done"), [("request_lost", 0), ("reply_lost", 1)])
async def test_a_lost_request_or_reply_may_be_sent_again_with_its_id(
    customer: Customer, kind: str, done: int
) -> None:
    customer.simulator.exchange.faults.arm(Fault(kind, "orders"))

    with pytest.raises(aiohttp.ClientError):
        await customer.ask("POST", "orders", json=body("one"))
    after = len(oracle(customer.simulator, "order"))
    again = await customer.ask("POST", "orders", json=body("one"))

    assert after == done
    assert again.told["success"] is True
    assert len(oracle(customer.simulator, "order")) == 1


async def test_a_late_reply_comes_after_the_order_was_told_elsewhere(customer: Customer) -> None:
    customer.simulator.exchange.faults.arm(Fault("reply_late", "orders", seconds=0.3))

    asked = asyncio.create_task(customer.ask("POST", "orders", json=body("one")))
    while not (listed := (await customer.get("orders/historical/batch"))["orders"]):
        await asyncio.sleep(0.01)

    assert not asked.done()
    assert (await asked).told["success_response"]["order_id"] == listed[0]["order_id"]


async def test_an_order_may_fill_after_its_cancel_was_accepted(customer: Customer) -> None:
    name = await customer.resting()
    customer.simulator.exchange.faults.arm(Fault("late_fill", "orders/batch_cancel", seconds=5))
    async with listen(customer.simulator, USER) as socket:
        await socket.send("user", jwt=customer.token())
        await socket.next("user", "snapshot")
        accepted = await customer.post("orders/batch_cancel", {"order_ids": [name]})
        customer.settle(4)
        queued = await customer.row(name)
        customer.settle(2)
        told = [(await socket.next("user", "update"))["orders"][0]["status"] for _ in range(2)]

    row = await customer.row(name)
    (fill,) = (await customer.get("orders/historical/fills", order_ids=[name]))["fills"]
    assert accepted["results"][0]["success"] is True
    assert (queued["status"], queued["pending_cancel"]) == ("CANCEL_QUEUED", True)
    assert told == ["CANCEL_QUEUED", "FILLED"]
    assert (row["status"], row["pending_cancel"]) == ("FILLED", False)
    assert (fill["size"], fill["price"], fill["liquidity_indicator"]) == ("0.01", "100", "MAKER")


async def test_words_of_tomorrow_come_where_lists_of_words_are_open(customer: Customer) -> None:
    name = await customer.resting()
    faults = customer.simulator.exchange.faults
    faults.arm(Fault("unknown_enum", "orders/historical/{order_id}"))
    faults.arm(Fault("unknown_enum", "orders"))
    spoilt, true = await customer.row(name), await customer.row(name)
    refused = await customer.order("BUY", LIMIT, base_size="900", limit_price="100.0")
    faults.arm(Fault("unknown_enum", "user"))
    async with listen(customer.simulator, USER) as socket:
        await socket.send("user", jwt=customer.token())
        (first,) = (await socket.next("user", "snapshot"))["orders"]

    assert (spoilt["status"], spoilt["order_type"], true["status"]) == (TOMORROW, TOMORROW, "OPEN")
    assert refused["error_response"]["error"] == TOMORROW
    assert refused["success"] is False
    assert (first["status"], first["order_id"]) == (TOMORROW, name)


async def test_messages_are_lost_doubled_replayed_or_no_json(customer: Customer) -> None:
    faults = customer.simulator.exchange.faults
    async with listen(customer.simulator, USER) as socket:
        await socket.send("user", jwt=customer.token())
        await socket.next("user", "snapshot")
        for kind in ("drop", "duplicate", "replay"):  # each spoils the PENDING of an order
            faults.arm(Fault(kind, "user"))
            await customer.resting(client_id=kind)
        while socket.frames[-1]["sequence_num"] < 12:
            await socket.read()
        faults.arm(Fault("not_json", "user"))
        await customer.resting()
        assert not str(await socket.wire.recv()).startswith("{")

    rows = [
        (frame["sequence_num"], row["client_order_id"], row["status"])
        for frame in socket.frames[2:]
        for row in frame["events"][0]["orders"]
    ]
    assert rows == [
        (3, "drop", "OPEN"),  # 2 is missing
        (4, "duplicate", "PENDING"),
        (4, "duplicate", "PENDING"),
        (5, "duplicate", "OPEN"),
        (6, "replay", "PENDING"),
        # 7 replays the empty snapshot
        (8, "drop", "PENDING"),
        (9, "drop", "OPEN"),
        (10, "duplicate", "PENDING"),
        (11, "duplicate", "OPEN"),
        (12, "replay", "OPEN"),
    ]


async def test_a_socket_falls_silent_or_is_dropped(customer: Customer) -> None:
    faults = customer.simulator.exchange.faults
    async with listen(customer.simulator) as socket:
        await socket.send("heartbeats")
        await socket.next("heartbeats")
        faults.arm(Fault("silent", "heartbeats", seconds=0.9))
        beat = await socket.next("heartbeats")
        assert int(beat["heartbeat_counter"]) >= 2
        faults.arm(Fault("close", "heartbeats"))
        with pytest.raises(ConnectionClosed):
            await socket.next("heartbeats")
    async with listen(customer.simulator) as socket:
        await socket.send("heartbeats")
        await socket.next("heartbeats")
        async with aiohttp.ClientSession() as door:
            await door.post(customer.simulator.address + "/simulator/sockets", json={})
        with pytest.raises(ConnectionClosed):
            await socket.next("never")


async def test_modes_hold_on_this_wire_too(customer: Customer) -> None:
    name = await customer.resting()
    exchange, told = customer.simulator.exchange, {}
    async with listen(customer.simulator) as socket:
        await socket.send("status")
        first = await socket.next("status", "snapshot")
        for mode in ("maintenance", "cancel_only", "post_only"):
            exchange.mode = mode
            told[mode] = (await customer.order("BUY", LIMIT, **GOOD))["error_response"]["error"]
            product = await customer.get("products/BTC-USD")
            assert (product["trading_disabled"], product["cancel_only"], product["post_only"]) == (
                mode == "maintenance", mode == "cancel_only", mode == "post_only")  # fmt: skip
        exchange.mode = "maintenance"
        cancel = await customer.post("orders/batch_cancel", {"order_ids": [name]})
        update = await socket.next("status", "update")
    exchange.mode = "post_only"
    maker = await customer.order("BUY", LIMIT, **GOOD, post_only=True)

    assert told == {"maintenance": "PRODUCT_TRADING_HALTED", "cancel_only": "ORDER_ENTRY_DISABLED",
                    "post_only": "ORDER_ENTRY_DISABLED"}  # fmt: skip
    assert cancel["results"][0]["failure_reason"] == "COMMANDER_REJECTED_CANCEL_ORDER"
    assert [event["products"][0]["status"] for event in (first, update)] == ["online", "offline"]
    assert maker["success"] is True


async def test_an_alias_shares_the_book_and_settles_in_its_own_quote(customer: Customer) -> None:
    account = customer.simulator.exchange.accounts[customer.name]
    account.balances["USDC"] = Decimal(1000)
    name = await customer.placed(
        "BUY", "market_market_ioc", product_id="BTC-USDC", base_size="0.01"
    )
    low = str(customer.market().last_price() - 1)
    resting = await customer.placed("BUY", LIMIT, product_id="BTC-USDC", base_size="0.01",
                                    limit_price=low)  # fmt: skip
    customer.settle(900)

    row = await customer.row(name)
    (usd, _), (usdc, held) = await customer.wallet("USD"), await customer.wallet("USDC")
    other = await customer.row(resting)
    assert (row["product_id"], row["status"], other["status"]) == ("BTC-USDC", "FILLED", "FILLED")
    assert usd == 10_000
    spent = Decimal(row["total_value_after_fees"]) + Decimal(other["total_value_after_fees"])
    assert (usdc, held) == (1000 - spent, 0)
    assert json.dumps(row)  # every field has a JSON form
