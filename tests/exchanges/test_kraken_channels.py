"""The simulated venue tells instruments and balances as Kraken's documents say, to a client of theirs alone."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.exchanges.street import KEY, SECRET, open_simulator
from trading.chaos.stormy import stormy_bars
from trading.chaos.wires import uncounted
from trading.exchanges.kraken.errors import ApiError
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.faults import Fault
from trading.exchanges.simulator.server import Simulator

BARS, NS = stormy_bars(5, 60), 1_000_000_000
ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    made = await open_simulator(BARS)
    yield made
    await made.stop()


@pytest.fixture
async def rest(simulator: Simulator) -> AsyncIterator[KrakenRest]:
    made = KrakenRest(url=simulator.address, key=KEY, secret=SECRET, calls=uncounted())
    yield made
    await made.close()


class Client:
    """Says and hears what the documents allow."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, method: str, number: int, **params: Any) -> dict[str, Any]:
        """Ask, and the answer."""
        asked = {"method": method, "params": params, "req_id": number}
        await self._socket.send(json.dumps(asked))
        while (told := await self.hear()).get("req_id") != number:
            pass
        return told

    async def hear(self, channel: str = "") -> dict[str, Any]:
        """The next frame of a channel."""
        while True:
            told: dict[str, Any] = json.loads(await self._socket.recv(), parse_float=str)
            if channel in ("", told.get("channel")):
                return told


@asynccontextmanager
async def client_of(simulator: Simulator, path: str = "/v2") -> AsyncIterator[Client]:
    async with connect(f"ws://127.0.0.1:{simulator.port}{path}") as socket:
        yield Client(socket)


async def act(simulator: Simulator, what: str, **told: Any) -> None:
    """Through the door for tests."""
    async with httpx.AsyncClient(base_url=simulator.address) as http:
        (await http.post(f"/simulator/{what}", json=told)).raise_for_status()


async def test_instruments_come_whole_and_then_as_they_change(
    simulator: Simulator, rest: KrakenRest
) -> None:
    (facts,) = (await rest.public("AssetPairs")).values()
    async with client_of(simulator) as client:
        ack = await client.say("subscribe", 7, channel="instrument")
        first = await client.hear("instrument")
        await act(simulator, "pair", symbol="BTC/USD", status="cancel_only")
        second = await client.hear("instrument")
        await act(simulator, "pair", symbol="BTC/USD", status="online", tick_size="0.5")
        third = await client.hear("instrument")

    assert (ack["success"], ack["result"]) == (True, {"channel": "instrument", "snapshot": True})
    assert [one["type"] for one in (first, second, third)] == ["snapshot", "update", "update"]
    assert {one["id"] for one in first["data"]["assets"]} == {"BTC", "USD"}
    ((pair,), (closed,), (other,)) = (one["data"]["pairs"] for one in (first, second, third))
    assert (pair["symbol"], pair["base"], pair["quote"]) == ("BTC/USD", "BTC", "USD")
    assert pair["price_increment"] == facts["tick_size"]
    assert pair["price_precision"] == facts["pair_decimals"]
    assert pair["qty_precision"] == facts["lot_decimals"]
    assert (pair["qty_min"], pair["cost_min"]) == (facts["ordermin"], facts["costmin"])
    assert [one["status"] for one in (pair, closed, other)] == ["online", "cancel_only", "online"]
    assert other["price_increment"] == "0.5"


async def test_a_pair_that_is_taken_off_the_list_is_told(simulator: Simulator) -> None:
    async with client_of(simulator) as client:
        await client.say("subscribe", 1, channel="instrument", snapshot=False)
        del simulator.exchange.markets["BTC/USD"]
        told = await client.hear("instrument")

    assert told["type"] == "update"
    assert [(one["symbol"], one["status"]) for one in told["data"]["pairs"]] == [
        ("BTC/USD", "delisted")
    ]


async def test_instruments_cannot_be_asked_for_by_name(simulator: Simulator) -> None:
    async with client_of(simulator) as client:
        answer = await client.say("subscribe", 1, channel="instrument", symbol=["BTC/USD"])

    assert answer["success"] is False
    assert answer["error"] == "Unsupported field: 'symbol' for the given msg type: subscribe"


async def test_another_mode_of_the_venue_is_told_by_itself(simulator: Simulator) -> None:
    async with client_of(simulator) as client:
        first = await client.hear("status")
        await act(simulator, "mode", mode="post_only")
        second = await client.hear("status")

    assert [one["data"][0]["system"] for one in (first, second)] == ["online", "post_only"]


@pytest.mark.parametrize(
    ("status", "refused", "taken"),
    [
        ("cancel_only", {"price": "9000", "ordertype": "limit"}, None),
        ("post_only", {}, {"price": "9000", "ordertype": "limit", "oflags": "post"}),
        ("limit_only", {}, {"price": "9000", "ordertype": "limit"}),
        ("reduce_only", {}, {"type": "sell"}),
        ("work_in_progress", {}, None),
        ("delisted", {"type": "sell"}, None),
    ],
)
async def test_what_a_pairs_status_forbids_is_refused(
    simulator: Simulator,
    rest: KrakenRest,
    status: str,
    refused: dict[str, str],
    taken: dict[str, str] | None,
) -> None:
    simulator.exchange.statuses["BTC/USD"] = status

    with pytest.raises(ApiError, match=f"EService:Market in {status} mode"):
        await rest.act("AddOrder", **{**ORDER, **refused})
    if taken is not None:
        assert (await rest.act("AddOrder", **{**ORDER, **taken}))["txid"]
    (facts,) = (await rest.public("AssetPairs")).values()
    assert facts["status"] == status


async def test_balances_come_by_wallet_and_every_amount_that_moves(
    simulator: Simulator, rest: KrakenRest
) -> None:
    account = simulator.exchange.accounts[KEY]
    account.balances["BTC.F"] = Decimal("0.5")
    token = (await rest.read("GetWebSocketsToken"))["token"]
    async with client_of(simulator, "/v2/auth") as client:
        ack = await client.say("subscribe", 4, channel="balances", token=token)
        first = await client.hear("balances")
        await rest.act("AddOrder", **ORDER)
        bought = [await client.hear("balances") for _ in range(2)]
        await act(simulator, "move", key=KEY, asset="USD", amount="-250.5")
        drawn = await client.hear("balances")
        await act(simulator, "move", key=KEY, asset="BTC.F", amount="0.25")
        earned = await client.hear("balances")

    assert (ack["success"], ack["result"]) == (True, {"channel": "balances", "snapshot": True})
    frames = [first, *bought, drawn, earned]
    assert [one["sequence"] for one in frames] == [1, 2, 3, 4, 5]
    held = {one["asset"]: one for one in first["data"]}
    assert {(one["type"], one["id"]) for one in held["BTC"]["wallets"]} == {
        ("spot", "main"),
        ("earn", "flex"),
    }
    assert Decimal(held["BTC"]["balance"]) == Decimal("3.5")
    (order,) = account.orders.values()
    rows = [row for one in frames[1:] for row in one["data"]]
    assert [(row["type"], row["asset"]) for row in rows] == [
        ("trade", "BTC"),
        ("trade", "USD"),
        ("withdrawal", "USD"),
        ("deposit", "BTC"),
    ]
    assert {row["ref_id"] for row in rows[:2]} == {order.fills[0].trade_id}
    assert [row["ledger_id"] for row in rows] == [line.ledger_id for line in account.ledger[-4:]]
    assert Decimal(rows[2]["amount"]) == Decimal("-250.5")
    assert Decimal(rows[2]["balance"]) == account.balances["USD"]
    assert (rows[3]["wallet_type"], rows[3]["wallet_id"]) == ("earn", "flex")


async def test_a_second_subscription_counts_anew_and_a_dropped_message_leaves_a_gap(
    simulator: Simulator, rest: KrakenRest
) -> None:
    token = (await rest.read("GetWebSocketsToken"))["token"]
    simulator.exchange.faults.arm(Fault("drop", "balances"))
    async with client_of(simulator, "/v2/auth") as client:
        await client.say("subscribe", 1, channel="balances", token=token)
        await act(simulator, "move", key=KEY, asset="USD", amount="1")
        assert (await client.hear("balances"))["sequence"] == 2
        await client.say("unsubscribe", 2, channel="balances", token=token)
        await act(simulator, "move", key=KEY, asset="USD", amount="1")
        await client.say("subscribe", 3, channel="balances", token=token)
        again = await client.hear("balances")

    assert (again["type"], again["sequence"]) == ("snapshot", 1)
    (usd,) = [one for one in again["data"] if one["asset"] == "USD"]
    assert Decimal(usd["balance"]) == Decimal(10_002)


async def test_the_last_fifty_trades_come_for_who_asks_and_the_next_follow_them(
    simulator: Simulator,
) -> None:
    simulator.clock.jump(simulator.clock.now_ns() + 600 * NS)
    simulator.advance()
    async with client_of(simulator) as client:
        asked: dict[str, Any] = {"channel": "trade", "symbol": ["BTC/USD"], "snapshot": True}
        ack = await client.say("subscribe", 1, **asked)
        first = await client.hear("trade")
        simulator.clock.jump(simulator.clock.now_ns() + 2 * NS)
        second = await client.hear("trade")

    assert ack["result"] == {"channel": "trade", "symbol": "BTC/USD", "snapshot": True}
    assert (first["type"], second["type"]) == ("snapshot", "update")
    numbers = [row["trade_id"] for one in (first, second) for row in one["data"]]
    assert len(first["data"]) == 50
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("trigger", ["trades", "bbo"])
async def test_the_ticker_comes_by_trade_or_by_best_price(
    simulator: Simulator, trigger: str
) -> None:
    rows: list[dict[str, Any]] = []
    async with client_of(simulator) as client:
        params: dict[str, Any] = {"channel": "ticker", "symbol": ["BTC/USD"]}
        wrong = await client.say("subscribe", 1, event_trigger="none", **params)
        ack = await client.say("subscribe", 2, event_trigger=trigger, **params)
        while len(rows) < 20:
            simulator.clock.jump(simulator.clock.now_ns() + NS)
            rows += (await client.hear("ticker"))["data"]

    assert wrong["error"] == "Subscription event_trigger not supported"
    assert ack["result"]["event_trigger"] == trigger
    best = [(row["bid"], row["bid_qty"], row["ask"], row["ask_qty"]) for row in rows]
    assert all(Decimal(row["bid"]) < Decimal(row["ask"]) for row in rows)
    if trigger == "bbo":
        assert all(one != other for one, other in pairwise(best))
