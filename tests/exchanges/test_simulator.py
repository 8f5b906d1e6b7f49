"""The venue simulator: a client of others works against it unchanged; it refuses what the venue refuses."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from websockets.asyncio.client import connect

from tests.engine.fakes import random_bars
from tests.exchanges.street import KEY, SECRET, open_simulator, oracle
from trading.exchanges.kraken.errors import ApiError, NoAnswer
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.accounts import LIMIT, RIGHTS, Account, Order
from trading.exchanges.simulator.faults import Fault, UnknownFault
from trading.exchanges.simulator.market import Trade
from trading.exchanges.simulator.rules import Wish
from trading.exchanges.simulator.server import Simulator

BARS = random_bars(1, 60)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    made = await open_simulator(BARS)
    yield made
    await made.stop()


@pytest.fixture
async def rest(simulator: Simulator) -> AsyncIterator[KrakenRest]:
    client = KrakenRest(url=simulator.address, key=KEY, secret=SECRET)
    yield client
    await client.close()


async def apart(work: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work)


async def test_an_unmodified_client_of_others_trades_here(simulator: Simulator) -> None:
    def trade() -> dict[str, Any]:
        client = ccxt.kraken({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
        client.urls["api"] = dict.fromkeys(client.urls["api"], simulator.address)
        markets = client.load_markets()
        limit = client.create_order("BTC/USD", "limit", "buy", 0.01, 100.0)
        listed = [order["id"] for order in client.fetch_open_orders()]
        client.cancel_order(limit["id"])
        both = [client.create_order("BTC/USD", "limit", "buy", 0.01, 100.0)["id"] for _ in "ab"]
        client.cancel_orders([*both, both[0], limit["id"]])
        assert client.fetch_open_orders() == []
        with pytest.raises(ccxt.ExchangeError, match="Invalid arguments:orders"):
            client.cancel_orders([f"O{n}" for n in range(51)])
        bought = client.create_order("BTC/USD", "market", "buy", 0.01)
        (trade,) = client.fetch_my_trades("BTC/USD")
        at_once = client.create_order(
            "BTC/USD", "limit", "buy", 0.01, 100.0, {"timeInForce": "IOC"}
        )
        with pytest.raises(ccxt.InsufficientFunds):
            client.create_order("BTC/USD", "market", "sell", 500)
        with pytest.raises(ccxt.BadSymbol):
            client.fetch_ticker("NO/SUCH")
        return {
            "symbols": list(markets),
            "listed": listed == [limit["id"]],
            "at_once": client.fetch_order(at_once["id"])["status"],
            "order": client.fetch_order(bought["id"])["status"],
            "fee": trade["fee"]["cost"] / trade["cost"],
            "balance": client.fetch_balance()["total"]["BTC"],
            "candles": len(client.fetch_ohlcv("BTC/USD", "1m")),
            "book": client.fetch_order_book("BTC/USD")["bids"][0][0],
            "last": client.fetch_ticker("BTC/USD")["last"],
        }

    told = await apart(trade)

    assert told["symbols"] == ["BTC/USD"]
    assert told["listed"]
    assert told["at_once"] == "canceled"
    assert told["order"] == "closed"
    assert told["fee"] == pytest.approx(0.0026)
    assert told["balance"] == 3.01
    assert told["candles"] >= 1
    assert told["book"] < told["last"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"pair": "NOSUCH"}, "EQuery:Unknown asset pair"),
    ({"volume": "0.00005"}, "EGeneral:Invalid arguments:volume"),
    ({"volume": "0"}, "EGeneral:Invalid arguments:volume"),
    ({"volume": "x"}, "EGeneral:Invalid arguments:volume"),
    ({"ordertype": "limit", "price": "100.05"}, "EOrder:Invalid price"),
    ({"ordertype": "limit"}, "EGeneral:Invalid arguments:price"),
    ({"ordertype": "iceberg"}, "EGeneral:Invalid arguments:ordertype"),
    ({"volume": "5000"}, "EOrder:Insufficient funds"),
    ({"ordertype": "limit", "price": "1.0", "volume": "0.1"}, "EOrder:Cost minimum not met"),
    ({"ordertype": "limit", "price": "99999.0", "oflags": "post"}, "EOrder:Post only order"),
    ({"deadline": "2001-01-01T00:00:00Z", "x": "1"}, "EGeneral:Invalid arguments:deadline"),
    ({"timeinforce": "DAY"}, "EGeneral:Invalid arguments:timeinforce"),
    ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:timeinforce"),
    (
        {"ordertype": "limit", "price": "100.0", "oflags": "post", "timeinforce": "IOC"},
        "EGeneral:Invalid arguments:timeinforce",
    ),
    ({"type": "sell", "oflags": "viqc"}, "EGeneral:Invalid arguments:viqc"),
    ({"oflags": "viqc", "volume": "-1"}, "EGeneral:Invalid arguments:viqc"),
    ({"leverage": "5"}, "EOrder:Cannot open position"),
    ({"reduce_only": "true"}, "EOrder:Reduce only"),
    ({"close[ordertype]": "stop-loss"}, "EGeneral:Invalid arguments:close"),
    ({"starttm": "+60"}, "EGeneral:Invalid arguments:starttm"),
    ({"expiretm": "soon"}, "EGeneral:Invalid arguments:expiretm"),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
async def test_what_the_venue_refuses_is_refused_in_its_words(
    simulator: Simulator, rest: KrakenRest, given: dict[str, Any], words: str
) -> None:
    asked = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01", **given}

    with pytest.raises(ApiError, match=words):
        await rest.act("AddOrder", **asked)
    assert oracle(simulator, "order") == []


@pytest.mark.parametrize("ending", ["IOC", "FOK"])
async def test_what_must_be_filled_at_once_never_rests(
    simulator: Simulator, rest: KrakenRest, ending: str
) -> None:
    asked = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "timeinforce": ending}
    far = (await rest.act("AddOrder", **asked, price="100.0", volume="0.1"))["txid"][0]
    near = (await rest.act("AddOrder", **asked, price="24000.0", volume="0.01"))["txid"][0]

    told = await rest.read("QueryOrders", txid=f"{far},{near}")

    assert (told[far]["status"], told[far]["vol_exec"]) == ("canceled", "0")
    assert told[near]["status"] == "closed"


@pytest.mark.parametrize(("ending", "part"), [("IOC", True), ("FOK", False)])
async def test_more_than_there_is_fills_in_part_or_not_at_all(
    simulator: Simulator, rest: KrakenRest, ending: str, part: bool
) -> None:
    (market,) = simulator.exchange.markets.values()
    (price, size), *_ = market.book()[1]
    simulator.exchange.accounts[KEY].balances["USD"] = Decimal(10**8)
    asked = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "timeinforce": ending}

    name = (await rest.act("AddOrder", **asked, price=price, volume=size + Decimal("0.1")))["txid"][
        0
    ]

    told = (await rest.read("QueryOrders", txid=name))[name]
    assert (told["status"], Decimal(told["vol_exec"])) == ("canceled", size if part else 0)


async def test_a_purchase_in_quote_spends_no_more_than_that(
    simulator: Simulator, rest: KrakenRest
) -> None:
    asked = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "oflags": "viqc,fciq"}
    name = (await rest.act("AddOrder", **asked, volume="100"))["txid"][0]

    told = (await rest.read("QueryOrders", txid=name))[name]

    assert told["status"] == "closed"
    assert 95 < Decimal(told["cost"]) <= 100


async def test_an_expiry_may_count_from_now(simulator: Simulator, rest: KrakenRest) -> None:
    asked = {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "price": "100.0",
        "volume": "0.1",
    }
    name = (await rest.act("AddOrder", **asked, timeinforce="GTD", expiretm="+30"))["txid"][0]

    told = (await rest.read("QueryOrders", txid=name))[name]

    assert told["expiretm"] == simulator.clock.now_ns() // 1_000_000_000 + 30


async def test_validate_places_nothing_and_names_no_order(
    simulator: Simulator, rest: KrakenRest
) -> None:
    told = await rest.act("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01",
                          validate="true")  # fmt: skip

    assert "txid" not in told
    assert oracle(simulator, "order") == []


async def test_a_client_id_is_taken_only_while_its_order_works(
    simulator: Simulator, rest: KrakenRest
) -> None:
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "100.0",
             "volume": "0.01", "cl_ord_id": "one"}  # fmt: skip
    first = (await rest.act("AddOrder", **order))["txid"][0]
    with pytest.raises(ApiError, match="cl_ord_id"):
        await rest.act("AddOrder", **order)

    await rest.act("CancelOrder", cl_ord_id="one")
    second = (await rest.act("AddOrder", **order))["txid"][0]

    assert first != second
    assert list((await rest.read("ClosedOrders", cl_ord_id="one"))["closed"]) == [first]


async def test_keys_signatures_nonces_and_rights_are_checked(simulator: Simulator) -> None:
    for key, secret, words in [
        ("nobody", SECRET, "EAPI:Invalid key"),
        (KEY, SECRET[:-4] + "AA==", "EAPI:Invalid signature"),
    ]:
        client = KrakenRest(url=simulator.address, key=key, secret=secret)
        with pytest.raises(ApiError, match=words):
            await client.act("Balance")
        await client.close()
    client = KrakenRest(url=simulator.address, key=KEY, secret=SECRET)
    await client.act("Balance")
    client.nonces.take = lambda: 1  # type: ignore[method-assign]
    with pytest.raises(ApiError, match="EAPI:Invalid nonce"):
        await client.act("Balance")
    simulator.exchange.accounts[KEY].rights = tuple(r for r in RIGHTS if r != "query-funds")
    fresh = KrakenRest(url=simulator.address, key=KEY, secret=SECRET)
    with pytest.raises(ApiError, match="EGeneral:Permission denied"):
        await fresh.act("Balance")
    await client.close()
    await fresh.close()


async def test_both_rate_counters_count(simulator: Simulator, rest: KrakenRest) -> None:
    account = simulator.exchange.accounts[KEY]
    account.calls.most = 15

    async def ask() -> None:
        for _ in range(30):
            await rest.act("Balance")

    with pytest.raises(ApiError, match="EAPI:Rate limit exceeded"):
        await ask()
    order = {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "price": "100.0",
        "volume": "0.01",
    }

    async def churn() -> None:
        for _ in range(80):  # adding and cancelling at once is what costs most
            txid = (await rest.act("AddOrder", **order))["txid"][0]
            await rest.act("CancelOrder", txid=txid)

    with pytest.raises(ApiError, match="EOrder:Rate limit exceeded"):
        await churn()


@pytest.mark.parametrize(
    ("mode", "words"),
    [("cancel_only", "cancel_only mode"), ("maintenance", "EService:Unavailable")],
)
async def test_modes_of_the_venue_hold(
    simulator: Simulator, rest: KrakenRest, mode: str, words: str
) -> None:
    simulator.exchange.mode = mode

    assert (await rest.public("SystemStatus"))["status"] == mode
    with pytest.raises(ApiError, match=words):
        await rest.act("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.01")


async def test_the_dead_mans_switch_cancels_everything_once(
    simulator: Simulator, rest: KrakenRest
) -> None:
    order = {
        "pair": "XBTUSD",
        "type": "buy",
        "ordertype": "limit",
        "price": "100.0",
        "volume": "0.01",
    }
    await rest.act("AddOrder", **order)
    await rest.act("CancelAllOrdersAfter", timeout=60)
    clock = simulator.clock
    clock.jump(clock.now_ns() + 59_000_000_000)
    simulator.exchange.advance()
    assert len((await rest.read("OpenOrders"))["open"]) == 1

    clock.jump(clock.now_ns() + 2_000_000_000)
    simulator.exchange.advance()

    assert (await rest.read("OpenOrders"))["open"] == {}
    await rest.act("AddOrder", **order)
    clock.jump(clock.now_ns() + 600_000_000_000)
    simulator.exchange.advance()
    assert len((await rest.read("OpenOrders"))["open"]) == 1


async def test_faults_meet_what_they_name_and_the_request_was_done_or_not(
    simulator: Simulator, rest: KrakenRest
) -> None:
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.01"}
    for kind, done in (("request_lost", 0), ("reply_lost", 1), ("page_520", 1)):
        simulator.exchange.faults.arm(Fault(kind, "AddOrder"))
        with pytest.raises(NoAnswer):
            await rest.act("AddOrder", **order)
        assert len(oracle(simulator, "order")) == done
    with pytest.raises(UnknownFault, match="accepted is"):
        Fault("gremlins")


def apply(book: dict[str, dict[str, str]], rows: dict[str, Any]) -> None:
    """The venue's rules: absolute quantities, 0 removes, then cut to ten."""
    for side in ("bids", "asks"):
        for row in rows[side]:
            if Decimal(row["qty"]) == 0:
                book[side].pop(row["price"], None)
            else:
                book[side][row["price"]] = row["qty"]
        best = sorted(book[side], key=Decimal, reverse=side == "bids")[:10]
        book[side] = {price: book[side][price] for price in best}


def crc(book: dict[str, dict[str, str]]) -> int:
    parts = []
    for side in ("asks", "bids"):
        for price, size in book[side].items():
            parts += [text.replace(".", "").lstrip("0") for text in (price, size)]
    return zlib.crc32("".join(parts).encode())


async def test_a_plain_client_keeps_the_book_by_the_documents_alone(simulator: Simulator) -> None:
    book: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
    checked = 0
    async with connect(f"ws://127.0.0.1:{simulator.port}/v2") as socket:
        params = {"channel": "book", "symbol": ["BTC/USD"], "depth": 10}
        await socket.send(json.dumps({"method": "subscribe", "params": params, "req_id": 5}))
        while checked < 25:
            simulator.clock.jump(simulator.clock.now_ns() + 1_000_000_000)
            frame = json.loads(await socket.recv(), parse_float=str)
            if frame.get("method") == "subscribe":
                assert (frame["success"], frame["req_id"]) == (True, 5)
            if frame.get("channel") != "book":
                continue
            apply(book, frame["data"][0])
            assert crc(book) == frame["data"][0]["checksum"]
            checked += 1


async def test_a_plain_client_reads_candles_and_trades_that_agree(simulator: Simulator) -> None:
    seen: dict[str, Any] = {}
    volume = Decimal(0)
    async with connect(f"ws://127.0.0.1:{simulator.port}/v2") as socket:
        for channel in ("trade", "ohlc"):
            params: dict[str, Any] = {"channel": channel, "symbol": ["BTC/USD"]}
            await socket.send(json.dumps({"method": "subscribe", "params": params}))
        while "begin" not in seen:
            simulator.clock.jump(simulator.clock.now_ns() + 500_000_000)
            frame = json.loads(await socket.recv(), parse_float=str)
            for row in frame.get("data", []):
                if frame["channel"] == "trade":
                    volume += Decimal(row["qty"])
                    seen["trade"] = Decimal(row["price"])
                elif frame["channel"] == "ohlc" and frame["type"] == "update":
                    assert Decimal(row["low"]) <= Decimal(row["close"]) <= Decimal(row["high"])
                    if row["interval_begin"] != seen.setdefault("first", row["interval_begin"]):
                        seen["begin"] = row["interval_begin"]

    assert volume > 0


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"method": "subscribe", "params": {"channel": "book", "symbol": ["XBT/USD"]}},
         "Currency pair not supported XBT/USD"),
        ({"method": "subscribe", "params": {"channel": "nothing"}}, "Subscription name invalid"),
        ({"method": "subscribe", "params": {"channel": "executions", "token": "x"}},
         "EAPI:Invalid token"),
        ({"method": "dance"}, "Unsupported event"),
        ({"method": "add_order", "params": {"token": "x"}}, "EAPI:Invalid token"),
    ],
)  # fmt: skip
async def test_a_wrong_frame_is_answered_in_the_venues_words(
    simulator: Simulator, request_: dict[str, Any], words: str
) -> None:
    async with connect(f"ws://127.0.0.1:{simulator.port}/v2/auth") as socket:
        await socket.recv()  # status
        await socket.send(json.dumps({**request_, "req_id": 9}))
        answer = json.loads(await socket.recv())

    assert (answer["success"], answer["error"], answer["req_id"]) == (False, words, 9)


async def test_orders_over_the_socket_are_told_on_the_private_channels(
    simulator: Simulator, rest: KrakenRest
) -> None:
    token = (await rest.read("GetWebSocketsToken"))["token"]
    frames: list[dict[str, Any]] = []
    async with connect(f"ws://127.0.0.1:{simulator.port}/v2/auth") as socket:
        for channel in ("executions", "balances"):
            params: dict[str, Any] = {"channel": channel, "token": token}
            await socket.send(json.dumps({"method": "subscribe", "params": params}))
        order = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.01,
                 "cl_ord_id": "over-the-socket", "token": token}  # fmt: skip
        await socket.send(json.dumps({"method": "add_order", "params": order, "req_id": 3}))
        while not any(f.get("method") == "add_order" for f in frames):
            frames.append(json.loads(await socket.recv(), parse_float=str))

    told = [
        f["data"][0]["exec_type"] for f in frames if f.get("channel") == "executions" and f["data"]
    ]
    numbers = [f["sequence"] for f in frames if f.get("channel") == "executions"]
    assert told == ["pending_new", "new", "trade", "filled"]
    assert numbers == [1, 2, 3, 4, 5]
    (ack,) = [f for f in frames if f.get("method") == "add_order"]
    assert ack["result"]["cl_ord_id"] == "over-the-socket"


async def test_a_trade_is_shared_out_by_price_and_then_by_time(simulator: Simulator) -> None:
    simulator.add_account(key="other", secret=SECRET, balances={"USD": Decimal(10**6)})
    mine, other = (simulator.exchange.accounts[key] for key in (KEY, "other"))
    (market,) = simulator.exchange.markets.values()

    def bid(account: Account, price: str, quantity: str) -> Order:
        wish = Wish("BTC/USD", "buy", LIMIT, Decimal(quantity), Decimal(price))
        simulator.clock.jump(simulator.clock.now_ns() + 1_000_000)
        order = simulator.exchange.place(account, wish)
        assert order is not None
        return order

    two = [bid(mine, "15000.0", "0.1"), bid(other, "15000.0", "0.1")]
    dear = bid(other, "15000.1", "0.1")
    trade = Trade(10**9, simulator.clock.now_ns(), Decimal("14999"), Decimal("0.15"), is_buy=False)

    simulator.exchange._meet(market, trade)

    assert [one.filled for one in (dear, *two)] == [
        Decimal("0.1"), Decimal("0.05"), Decimal(0)
    ]  # fmt: skip
