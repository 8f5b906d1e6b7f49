"""The simulated Coinbase over REST: a client of others works against it unchanged; the documents hold."""

import asyncio
import base64
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import ccxt
import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.exchanges.coinbase_customer import LIMIT, ROOT, Customer
from tests.exchanges.street import FUNDS, oracle
from trading.exchanges.kraken.errors import ApiError
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.coinbase import UnknownRight
from trading.exchanges.simulator.coinbase_jwt import InvalidKey, make_key, read_public_key
from trading.exchanges.simulator.server import Simulator
from trading.management.commands.run_simulator import remembered, state_file

MARKET = "market_market_ioc"


class Redirected(HTTPAdapter):
    """Carries what is meant for Coinbase to the simulator; the client signs for Coinbase."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        assert request.url is not None
        request.url = request.url.replace("https://api.coinbase.com", self._address)
        return super().send(request, *args, **kwargs)


async def test_an_unmodified_client_of_others_trades_here(customer: Customer) -> None:
    customer.simulator.coinbase.rest.desk.lag_seconds = 0.0

    def trade() -> dict[str, Any]:
        client = ccxt.coinbase(
            {"apiKey": customer.name, "secret": customer.secret, "enableRateLimit": False}
        )
        client.session.mount("https://api.coinbase.com", Redirected(customer.simulator.address))
        client.load_markets()
        since = customer.simulator.clock.now_ns() // 1_000_000 - 600_000
        limit = client.create_order("BTC/USD", "limit", "buy", 0.01, 100.0)
        listed = [order["id"] for order in client.fetch_open_orders("BTC/USD")]
        client.cancel_order(limit["id"])
        until = time.monotonic() + 10
        while client.fetch_order(limit["id"])["status"] != "canceled":
            assert time.monotonic() < until, "the cancel never took effect"
        sold = client.create_order("BTC/USD", "market", "sell", 0.5)
        (trade,) = client.fetch_my_trades("BTC/USD")
        with pytest.raises(ccxt.InsufficientFunds):
            client.create_order("BTC/USD", "market", "sell", 500)
        return {
            "fees": [client.markets["BTC/USD"][kind] for kind in ("maker", "taker")],
            "listed": listed == [limit["id"]],
            "order": client.fetch_order(sold["id"])["status"],
            "orders": [order["status"] for order in client.fetch_orders("BTC/USD")],
            "fee": (trade["fee"]["cost"] / trade["cost"], trade["fee"]["currency"]),
            "balance": client.fetch_balance({"v3": True})["total"]["BTC"],
            "candles": client.fetch_ohlcv("BTC/USD", "1m", since, 10),
            "book": client.fetch_order_book("BTC/USD")["bids"][0][0],
            "last": client.fetch_ticker("BTC/USD")["last"],
        }

    told = await asyncio.get_running_loop().run_in_executor(None, trade)

    assert told["fees"] == [0.004, 0.006]
    assert told["listed"]
    assert (told["order"], sorted(told["orders"])) == ("closed", ["canceled", "closed"])
    assert told["fee"] == (pytest.approx(0.006), "USD")
    assert told["balance"] == 2.5
    assert len(told["candles"]) >= 1
    assert told["book"] < told["last"]


PATH = f"GET {ROOT}accounts"
BAD_TOKENS: dict[str, dict[str, Any]] = {
    "another path": {"uri": f"GET api.coinbase.com{ROOT}portfolios"},
    "another method": {"uri": f"POST api.coinbase.com{ROOT}accounts"},
    "a scheme in the uri": {"uri": f"GET https://api.coinbase.com{ROOT}accounts"},
    "the query in the uri": {"uri": f"GET api.coinbase.com{ROOT}accounts?limit=1"},
    "expired": {"nbf": time.time() - 400, "exp": time.time() - 280},
    "not valid yet": {"nbf": time.time() + 200, "exp": time.time() + 320},
    "valid for an hour": {"exp": time.time() + 3600},
    "no times": {"exp": None},
    "sub of somebody else": {"sub": "organizations/x/apiKeys/y"},
    "an unknown key": {"header": {"kid": "organizations/x/apiKeys/y"}},
    "another algorithm": {"header": {"alg": "HS256"}},
    "none as the algorithm": {"header": {"alg": "none"}},
    "an unknown issuer": {"iss": "me"},
    "a DER signature": {"raw": False},
}


@pytest.mark.parametrize("changed", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_a_token_that_is_not_for_this_request_is_unauthorized(
    customer: Customer, changed: dict[str, Any]
) -> None:
    good = await customer.ask("GET", "accounts", params={"limit": "1"})
    bad = await customer.ask("GET", "accounts", token=customer.token(PATH, **changed))

    assert good.status == 200
    assert (bad.status, bad.text) == (401, "Unauthorized")


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "ä.b.c"])
async def test_text_that_is_no_token_is_unauthorized(customer: Customer, token: str) -> None:
    reply = await customer.ask("GET", "accounts", token=token)

    assert (reply.status, reply.text) == (401, "Unauthorized")


async def test_every_kind_of_key_signs_and_others_are_refused_by_name(venue: Simulator) -> None:
    seed = bytes(range(32))
    pem = make_key().secret
    for name, secret in (
        ("organizations/o/apiKeys/seed", base64.b64encode(seed).decode()),
        ("organizations/o/apiKeys/both", base64.b64encode(seed + seed).decode()),
        ("organizations/o/apiKeys/lines", pem.replace("\n", "\\n")),
    ):
        venue.coinbase.add_account(key=name, secret=secret, balances=FUNDS)
        one = Customer(venue, name, secret.replace("\\n", "\n"))
        assert (await one.ask("GET", "accounts")).status == 200
    for secret in ("nothing", "", pem.replace("EC", "RSA"), pem[:60]):
        with pytest.raises(InvalidKey, match="accepted is the PEM"):
            venue.coinbase.add_account(key="k", secret=secret, balances=FUNDS)
    with pytest.raises(UnknownRight, match="'fly': accepted is view, trade, transfer"):
        venue.coinbase.add_account(key="k", secret=pem, balances=FUNDS, rights=("fly",))


async def test_a_key_does_what_it_may_and_tells_its_rights(venue: Simulator) -> None:
    key = make_key()
    door = venue.address + "/simulator/account"
    asked = {"venue": "coinbase", "key": key.name, "secret": key.secret,
             "balances": {"USD": "10"}, "rights": ["view", "transfer"]}  # fmt: skip

    def post(body: Any) -> requests.Response:
        return requests.post(door, json=body, timeout=10)

    opened = await asyncio.to_thread(post, asked)
    wrong = [await asyncio.to_thread(post, asked | {"rights": ["fly"]}),
             await asyncio.to_thread(post, asked | {"secret": "x"})]  # fmt: skip
    viewer = Customer(venue, key.name, key.secret)

    rights = await viewer.get("key_permissions")
    refused = await viewer.ask("POST", "orders", json={})

    assert [opened.status_code, *(reply.status_code for reply in wrong)] == [200, 400, 400]
    assert wrong[0].json()["error"] == "right 'fly': accepted is view, trade, transfer"
    assert wrong[1].json()["error"].startswith("secret: accepted is the PEM")
    assert [rights[f"can_{name}"] for name in ("view", "trade", "transfer")] == [True, False, True]
    assert rights["portfolio_type"] == "DEFAULT"
    assert (await viewer.get("portfolios"))["portfolios"][0]["uuid"] == rights["portfolio_uuid"]
    assert refused.status == 403
    assert refused.told["error"] == "PERMISSION_DENIED"
    assert refused.told["error_details"] == "Missing required scopes"


async def test_the_market_is_told_to_anybody_and_agrees(customer: Customer) -> None:
    customer.settle(150)
    now = customer.simulator.clock.now_ns() // 1_000_000_000

    clock = (await customer.ask("GET", "time", token="")).told
    listed = (await customer.ask("GET", "market/products", token="")).told["products"]
    book = (await customer.ask("GET", "market/product_book?product_id=BTC-USDC", token="")).told
    minutes = (await customer.ask("GET", "market/products/BTC-USD/candles", token="", params={
        "start": now - 600, "end": now, "granularity": "ONE_MINUTE"})).told["candles"]  # fmt: skip
    wide = (await customer.ask("GET", "market/products/BTC-USD/candles", token="", params={
        "start": now - 86_400, "end": now, "granularity": "ONE_DAY"})).told["candles"]  # fmt: skip
    trades = (await customer.ask("GET", "market/products/BTC-USD/ticker?limit=5", token="")).told

    assert clock["epochSeconds"] == str(now)
    assert clock["epochMillis"].startswith(str(now))
    assert [(row["product_id"], row["alias"]) for row in listed] == [
        ("BTC-USD", ""), ("BTC-USDC", "BTC-USD")]  # fmt: skip
    assert listed[0]["alias_to"] == ["BTC-USDC"]
    assert listed[0]["trading_disabled"] is False
    assert book["pricebook"]["product_id"] == "BTC-USD"
    assert Decimal(book["spread_absolute"]) == Decimal("0.2")
    starts = [int(row["start"]) for row in minutes]
    assert starts == sorted(starts, reverse=True)
    assert len(starts) == 3
    assert sum(Decimal(row["volume"]) for row in minutes) == Decimal(wide[0]["volume"])
    assert max(Decimal(row["high"]) for row in minutes) == Decimal(wide[0]["high"])
    assert minutes[0]["close"] == trades["trades"][0]["price"]
    times = [row["time"] for row in trades["trades"]]
    assert (len(times), times) == (5, sorted(times, reverse=True))
    assert (await customer.ask("GET", "products/BTC-USD", token="")).status == 401
    mine = await customer.get("best_bid_ask", product_ids=["BTC-USD"])
    assert mine["pricebooks"][0]["bids"] == book["pricebook"]["bids"][:1]


BAD_QUERIES = [
    ("products/NO-SUCH", {}, 404, "valid product_id is required"),
    ("products/BTC-USD/candles", {"start": "0", "end": "60", "granularity": "X"}, 400,
     "granularity 'X': accepted is ONE_MINUTE"),
    ("products/BTC-USD/candles", {"start": "0", "end": "21060", "granularity": "ONE_MINUTE"}, 400,
     "should be less than 350"),
    ("products/BTC-USD/candles", {"granularity": "ONE_MINUTE"}, 400, "start and end"),
    ("accounts", {"limit": "251"}, 400, "limit '251': accepted is 0 to 250"),
    ("accounts", {"cursor": "x"}, 400, "cursor 'x'"),
    ("orders/historical/batch", [("order_status", "OPEN"), ("order_status", "FILLED")], 400,
     "OPEN cannot be combined with others"),
    ("orders/historical/none", {}, 404, "order with this orderID was not found"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "query", "status", "words"), BAD_QUERIES)
async def test_a_bad_query_is_answered_in_the_venues_shapes(
    customer: Customer, name: str, query: Any, status: int, words: str
) -> None:
    reply = await customer.ask("GET", name, params=query)

    assert (reply.status, words in reply.told["message"]) == (status, True), reply.text


async def test_the_market_is_cached_for_a_second_unless_asked_not_to(customer: Customer) -> None:
    async def price(**headers: str) -> str:
        reply = await customer.ask("GET", "market/products/BTC-USD/ticker?limit=1", token="",
                                   headers=headers)  # fmt: skip
        return str(reply.told["trades"][0]["trade_id"])

    wall = 1000.0
    customer.simulator.coinbase.rest.monotonic = lambda: wall
    first = await price()
    customer.settle(30)

    fresh = await price(**{"cache-control": "no-cache"})
    kept = await price()
    customer.settle(30)
    still = await price()
    wall += 1.0
    later = await price()

    assert int(fresh) > int(first)
    assert still == kept == fresh
    assert int(later) > int(fresh)


async def test_the_rate_limit_is_told_in_headers_and_kept(customer: Customer) -> None:
    wall_ns = 0
    limits = customer.simulator.coinbase.rest.limits
    limits.public, limits.now_ns = 3, lambda: wall_ns
    replies = [await customer.ask("GET", "time", token="") for _ in range(3)]
    refused = await customer.ask("GET", "time", token="")
    own = await customer.ask("GET", "accounts")
    wall_ns = 1_000_000_000
    again = await customer.ask("GET", "time", token="")

    assert [reply.status for reply in replies] == [200] * 3
    assert replies[0].headers["x-ratelimit-limit"] == "3"
    assert replies[0].headers["x-ratelimit-remaining"] == "2"
    assert refused.status == 429
    assert refused.told["errors"][0]["id"] == "rate_limit_exceeded"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert (own.status, again.status) == (200, 200)


async def test_lists_end_and_no_page_repeats_another(customer: Customer) -> None:
    names = [await customer.resting(client_id=f"n{number}") for number in range(7)]
    await customer.placed("SELL", MARKET, base_size="0.1")
    await customer.placed("SELL", MARKET, base_size="0.2")

    async def pages(name: str, field: str, **query: Any) -> list[dict[str, Any]]:
        rows, cursor = [], ""
        while True:
            told = await customer.get(name, limit=2, cursor=cursor, **query)
            rows += told[field]
            if not (cursor := told["cursor"]):
                return rows
            await customer.resting(client_id=str(uuid4()))  # what is new shifts no page

    open_ = await pages("orders/historical/batch", "orders", order_status="OPEN")
    fills = await pages("orders/historical/fills", "fills", product_ids=["BTC-USD"])
    wallets = await pages("accounts", "accounts")

    assert [row["order_id"] for row in open_] == names[::-1]
    assert [Decimal(row["size"]) for row in fills] == [Decimal("0.2"), Decimal("0.1")]
    assert len({row["entry_id"] for row in fills}) == 2
    assert [row["currency"] for row in wallets] == ["BTC", "USD"]


async def test_filters_choose_and_a_queued_order_is_not_open(customer: Customer) -> None:
    resting, queued = [await customer.resting(client_id=name) for name in ("a", "b")]
    sold = await customer.placed("SELL", MARKET, base_size="0.1")
    await customer.post("orders/batch_cancel", {"order_ids": [queued]})

    async def names(**query: Any) -> list[str]:
        rows = (await customer.get("orders/historical/batch", **query))["orders"]
        return [row["order_id"] for row in rows]

    assert await names(order_status=["OPEN"]) == [resting]
    assert await names(order_status=["FILLED", "CANCEL_QUEUED"]) == [sold, queued]
    assert await names(order_types=["LIMIT"]) == [queued, resting]
    assert await names(order_side="SELL", product_ids=["BTC-USD", "ETH-USD"]) == [sold]
    assert await names(time_in_forces=["IMMEDIATE_OR_CANCEL"]) == [sold]
    assert await names(order_ids=[resting, sold]) == [sold, resting]
    assert await names(end_date="1971-01-01T00:00:00Z") == []
    assert await names(start_date="1971-01-01T00:00:00Z", asset_filters="BTC", limit=1) == [sold]
    assert await names(order_placement_source="RETAIL_SIMPLE") == []


async def test_a_key_of_one_wire_opens_nothing_on_the_other(customer: Customer) -> None:
    other = KrakenRest(url=customer.simulator.address, key=customer.name, secret="")

    with pytest.raises(ApiError, match="EAPI:Invalid key"):
        await other.act("Balance")

    await other.close()


async def test_a_client_id_used_before_tells_the_order_it_made(customer: Customer) -> None:
    first = await customer.order("BUY", LIMIT, "one", base_size="0.01", limit_price="100.0")
    again = await customer.order("SELL", LIMIT, "one", base_size="2", limit_price="99999.0")
    await customer.post("orders/batch_cancel",
                        {"order_ids": [first["success_response"]["order_id"]]})  # fmt: skip
    customer.settle()
    late = await customer.order("BUY", LIMIT, "one", base_size="0.01", limit_price="100.0")

    assert first["success"]
    assert again == late == first
    assert len(oracle(customer.simulator, "order")) == 1


def test_the_installations_key_is_made_once_and_kept_from_others(
    settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    state_file().parent.mkdir()
    state_file().write_text(json.dumps({"key": "k", "secret": "s", "speed": 1.0, "start_ns": 1,
                                        "began_ns": 2}))  # fmt: skip
    state_file().chmod(0o644)

    first = remembered(speed=1.0, start_s=None)
    again = remembered(speed=60.0, start_s=None)

    assert state_file().stat().st_mode & 0o777 == 0o600
    assert (again["key"], again["coinbase"]) == ("k", first["coinbase"])
    assert json.loads(state_file().read_text()) == again
    assert first["coinbase"]["key"].startswith("organizations/")
    assert first["coinbase"]["secret"].startswith("-----BEGIN EC PRIVATE KEY-----")
    read_public_key(first["coinbase"]["secret"])
