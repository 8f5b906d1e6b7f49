"""The simulated Coinbase's sockets, read by a plain client that follows the documents alone."""

import asyncio
import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.exchanges.coinbase_customer import Customer, Socket, listen
from trading.exchanges.simulator.coinbase_account import ALL_RIGHTS
from trading.exchanges.simulator.coinbase_jwt import make_key
from trading.exchanges.simulator.coinbase_words import text
from trading.exchanges.simulator.server import Simulator

USER = "/coinbase/ws/user"
MARKET = "market_market_ioc"


def apply(book: dict[str, dict[str, str]], updates: list[dict[str, Any]]) -> None:
    """Absolute quantities; 0 removes."""
    for row in updates:
        if Decimal(row["new_quantity"]) == 0:
            book[row["side"]].pop(row["price_level"], None)
        else:
            book[row["side"]][row["price_level"]] = row["new_quantity"]


async def test_a_plain_client_keeps_the_book_by_the_documents_alone(customer: Customer) -> None:
    book: dict[str, dict[str, str]] = {"bid": {}, "offer": {}}
    async with listen(customer.simulator) as socket:
        await socket.send("level2", product_ids=["BTC-USDC"], jwt=customer.token())
        first = await socket.next("l2_data", "snapshot")
        apply(book, first["updates"])
        for _ in range(10):
            customer.simulator.clock.jump(customer.simulator.clock.now_ns() + 60_000_000_000)
            event = await socket.next("l2_data", "update")
            apply(book, event["updates"])
            bids, asks = customer.market().book()

            assert event["product_id"] == "BTC-USD"
            assert book["bid"] == {text(price): text(size) for price, size in bids}
            assert book["offer"] == {text(price): text(size) for price, size in asks}

    assert socket.frames[0]["events"] == [{"subscriptions": {"level2": ["BTC-USD"]}}]
    assert [frame["sequence_num"] for frame in socket.frames] == list(range(len(socket.frames)))


async def test_one_sequence_counts_every_channel_of_a_connection(customer: Customer) -> None:
    async with listen(customer.simulator) as socket:
        for channel in ("heartbeats", "ticker", "ticker_batch", "status", "candles"):
            await socket.send(channel, product_ids=["BTC-USD"])
        beats = [await socket.next("heartbeats") for _ in range(2)]

    by_channel = {frame["channel"]: frame["events"][0] for frame in reversed(socket.frames)}
    assert [frame["sequence_num"] for frame in socket.frames] == list(range(len(socket.frames)))
    assert set(by_channel) == {"subscriptions", "heartbeats", "ticker", "ticker_batch", "status",
                               "candles"}  # fmt: skip
    assert [beat["heartbeat_counter"] for beat in beats] == ["0", "1"]
    assert beats[0]["current_time"].endswith("+0000 UTC m=+1.0")
    (ticker,) = by_channel["ticker"]["tickers"]
    assert Decimal(ticker["best_bid"]) < Decimal(ticker["price"]) < Decimal(ticker["best_ask"])
    assert "best_bid" not in by_channel["ticker_batch"]["tickers"][0]
    assert by_channel["status"]["products"][0]["id"] == "BTC-USD"
    (candle,) = by_channel["candles"]["candles"]
    assert int(candle["start"]) % 300 == 0


async def test_trades_are_told_newest_first_and_add_up_to_the_candle(customer: Customer) -> None:
    customer.simulator.clock.jump(customer.simulator.clock.now_ns() + 40_000_000_000)
    seen: dict[str, dict[str, Any]] = {}
    async with listen(customer.simulator) as socket:
        await socket.send("market_trades", product_ids=["BTC-USD"])
        await socket.send("candles", product_ids=["BTC-USD"])
        first = await socket.next("market_trades", "snapshot")
        customer.simulator.clock.jump(customer.simulator.clock.now_ns() + 15_000_000_000)
        batch = await socket.next("market_trades", "update")
        candle = (await socket.next("candles", "update"))["candles"][0]
        for event in (first, batch):
            numbers = [int(trade["trade_id"]) for trade in event["trades"]]
            assert numbers == sorted(numbers, reverse=True)
            seen |= {trade["trade_id"]: trade for trade in event["trades"]}

    mine = sorted(seen.values(), key=lambda trade: int(trade["trade_id"]))
    ups = [trade["side"] == "SELL" for trade in mine]  # the maker's side
    rises = [
        Decimal(after["price"]) >= Decimal(before["price"]) for before, after in pairwise(mine)
    ]
    assert len(mine) == 56
    assert ups[1:] == rises
    assert sum(Decimal(trade["size"]) for trade in mine) == Decimal(candle["volume"])
    assert mine[-1]["price"] == candle["close"]


async def test_orders_are_told_as_they_stand_and_without_their_fills(customer: Customer) -> None:
    async with listen(customer.simulator, USER) as socket:
        await socket.send("user", jwt=customer.token())
        assert (await socket.next("user", "snapshot"))["orders"] == []
        resting = await customer.resting(client_id="mine")
        await customer.post("orders/batch_cancel", {"order_ids": [resting]})
        customer.settle()
        _, asks = customer.market().book()
        size = str(asks[0][1] + Decimal("0.0005"))
        customer.simulator.exchange.accounts[customer.name].balances["USD"] = Decimal(10**9)
        bought = await customer.placed("BUY", MARKET, base_size=size, client_id="bought")
        told: list[dict[str, Any]] = []
        while not told or told[-1]["status"] != "FILLED":
            told += (await socket.next("user", "update"))["orders"]

    first = [row for row in told if row["order_id"] == resting]
    second = [row for row in told if row["order_id"] == bought]
    assert [row["status"] for row in first] == ["PENDING", "OPEN", "CANCEL_QUEUED", "CANCELLED"]
    assert {row["client_order_id"] for row in first} == {"mine"}
    assert first[1]["leaves_quantity"] == "0.01"
    assert first[1]["limit_price"] == "100"
    assert first[1]["outstanding_hold_amount"] == "1.006"
    done = [Decimal(row["cumulative_quantity"]) for row in second]
    assert done == sorted(done)
    assert [row["number_of_fills"] for row in second] == ["0", "0", "1", "2"]
    assert Decimal(second[-1]["cumulative_quantity"]) == Decimal(size)
    assert second[-1]["leaves_quantity"] == "0"
    row = await customer.row(bought)
    for name, theirs in (("avg_price", "average_filled_price"), ("total_fees", "total_fees"),
                         ("filled_value", "filled_value")):  # fmt: skip
        assert second[-1][name] == row[theirs]
    listed = socket.frames[0]["events"][0]["subscriptions"]["user"]
    assert listed == [row["user_id"]]


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (49, [49]), (50, [50, 0]), (61, [50, 11])])
async def test_the_first_orders_come_in_fifties_the_last_batch_shorter(
    customer: Customer, count: int, sizes: list[int]
) -> None:
    names = [await customer.resting() for _ in range(count)]
    async with listen(customer.simulator, USER) as socket:
        await socket.send("user", jwt=customer.token(), product_ids=["BTC-USD"])
        batches = [(await socket.next("user", "snapshot"))["orders"] for _ in sizes]

    assert [len(batch) for batch in batches] == sizes
    assert [row["order_id"] for batch in batches for row in batch] == names


@pytest.mark.parametrize(
    ("path", "frame", "words"),
    [
        ("/coinbase/ws", {"type": "subscribe", "channel": "user"}, "channel 'user'"),
        (USER, {"type": "subscribe", "channel": "level2"}, "channel 'level2'"),
        ("/coinbase/ws", {"type": "subscribe", "channels": ["ticker", "level2"]}, "channel 'None'"),
        ("/coinbase/ws", {"type": "dance", "channel": "ticker"}, "type 'dance'"),
        ("/coinbase/ws", ["ticker"], "type None"),
        ("/coinbase/ws", {"type": "subscribe", "channel": "ticker", "product_ids": ["NO-SUCH"]},
         "'NO-SUCH' is not a product"),
        ("/coinbase/ws", {"type": "subscribe", "channel": "ticker", "product_ids": "BTC-USD"},
         "product_ids: accepted is a list"),
    ],
)  # fmt: skip
async def test_a_wrong_frame_is_answered_with_an_error_and_the_socket_stays(
    customer: Customer, path: str, frame: Any, words: str
) -> None:
    async with listen(customer.simulator, path) as socket:
        await socket.wire.send(json.dumps(frame))
        assert words in (await socket.next("error"))["message"]
        await socket.send("heartbeats")
        assert (await socket.next("heartbeats"))["heartbeat_counter"] == "0"


async def closing(socket: Socket) -> None:
    """Read until the venue closes."""

    async def read() -> None:
        async with asyncio.timeout(30):
            while True:
                await socket.read()

    with pytest.raises(ConnectionClosed):
        await read()


async def test_a_token_that_proves_nobody_ends_the_socket(customer: Customer) -> None:
    blind = make_key()
    customer.simulator.coinbase.add_account(key=blind.name, secret=blind.secret, balances={},
                                            rights=ALL_RIGHTS[1:])  # fmt: skip
    tokens = [
        {},
        {"jwt": ""},
        {"jwt": customer.token(uri="GET api.coinbase.com/api/v3/brokerage/accounts")},
        {"jwt": customer.token(exp=1, nbf=0)},
        {"jwt": Customer(customer.simulator, blind.name, blind.secret).token()},
    ]
    for more in tokens:
        async with listen(customer.simulator, USER) as socket:
            await socket.send("user", **more)
            await closing(socket)
        assert socket.frames == [{"type": "error", "message": "authentication failure"}]


async def test_unsubscribing_ends_a_product_or_the_whole_channel(customer: Customer) -> None:
    async with listen(customer.simulator) as socket:
        await socket.send("ticker", product_ids=["BTC-USD"])
        await socket.send("status")
        await socket.send("ticker", "unsubscribe", product_ids=["BTC-USD"])
        await socket.send("status", "unsubscribe")
        states = [(await socket.next("subscriptions"))["subscriptions"] for _ in range(4)]

    assert states == [{"ticker": ["BTC-USD"]}, {"ticker": ["BTC-USD"], "status": ["BTC-USD"]},
                      {"status": ["BTC-USD"]}, {}]  # fmt: skip


async def test_a_socket_that_asks_for_nothing_or_hears_nothing_is_closed(venue: Simulator) -> None:
    patience = venue.coinbase.sockets.patience
    patience.subscribe_seconds, patience.idle_seconds = 0.1, 600
    async with listen(venue) as socket:
        await closing(socket)
    assert socket.frames == []
    patience.subscribe_seconds, patience.idle_seconds = 600, 0.2
    async with listen(venue) as socket:
        await socket.send("status")  # told once, then nothing changes
        await closing(socket)
    assert [frame["channel"] for frame in socket.frames] == ["subscriptions", "status"]
    patience.idle_seconds = 1.8
    async with listen(venue) as socket:
        await socket.send("status")
        await socket.send("heartbeats")
        for _ in range(3):  # longer than the venue's patience
            await socket.next("heartbeats")


async def test_connections_are_counted_by_address(venue: Simulator) -> None:
    venue.coinbase.sockets.connections.now_ns = lambda: 0

    async def one() -> int:
        try:
            async with listen(venue):
                return 101
        except InvalidStatus as error:
            return error.response.status_code

    assert [await one() for _ in range(9)] == [101] * 8 + [429]
    venue.coinbase.sockets.messages.now_ns = lambda: 0
    venue.coinbase.sockets.connections.now_ns = lambda: 10**9
    async with listen(venue) as socket:
        for _ in range(9):
            await socket.send("heartbeats")
        assert (await socket.next("error"))["message"] == "rate limit exceeded"
