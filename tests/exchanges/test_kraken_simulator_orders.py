"""Kraken's other orders at the simulated venue, as clients of others ask for them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import ccxt
import pytest
from websockets.asyncio.client import connect

from tests.engine.fakes import random_bars
from tests.exchanges.street import KEY, SECRET, open_simulator
from trading.exchanges.simulator.server import Simulator

S = "BTC/USD"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    made = await open_simulator(random_bars(1, 60))
    made.exchange.accounts[KEY].calls.most = 1e6
    yield made
    await made.stop()


def customer(simulator: Simulator) -> ccxt.kraken:
    client = ccxt.kraken({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
    client.nonce = client.microseconds  # a millisecond may see two requests
    client.urls["api"] = dict.fromkeys(client.urls["api"], simulator.address)
    return client


async def test_an_unmodified_client_places_edits_and_lists_them(simulator: Simulator) -> None:
    def trade() -> None:
        client = customer(simulator)
        last = float(client.fetch_ticker(S)["last"])

        def sell(kind: str, price: float | None = None, **given: Any) -> dict[str, Any]:
            name = client.create_order(S, kind, "sell", 0.01, price, given)["id"]
            return dict(client.privatePostQueryOrders({"txid": name})["result"][name]["descr"])

        low, high = round(last * 0.9, 1), round(last * 1.1, 1)
        assert sell("limit", low - 1, stopLossPrice=low)["ordertype"] == "stop-loss-limit"
        assert sell("market", takeProfitPrice=high)["ordertype"] == "take-profit"
        both = sell("limit", high + 1, takeProfitPrice=high)
        assert (both["ordertype"], float(both["price2"])) == ("take-profit-limit", high + 1)
        assert sell("market", trailingPercent=5)["price"] == "+5%"
        client.cancel_all_orders()
        mine = {"symbol": S, "type": "limit", "side": "buy", "amount": 0.01, "price": low}
        two = client.create_orders([mine, mine])
        numbered = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01"}
        client.privatePostAddOrder({**numbered, "price": str(low), "userref": 7})
        (listed,) = client.privatePostOpenOrders({"userref": 7})["result"]["open"].values()
        assert listed["userref"] == "7"
        edit = {"txid": two[0]["id"], "pair": "XBTUSD", "volume": "0.02"}
        new = client.privatePostEditOrder(edit)["result"]
        assert new["originaltxid"] == two[0]["id"] != new["txid"]
        client.edit_order(new["txid"], S, "limit", "buy", 0.01, low)
        amends = client.privatePostOrderAmends({"order_id": new["txid"]})["result"]
        assert [one["amend_type"] for one in amends["amends"]] == ["original", "user"]
        assert client.cancel_order("7")["info"]["result"]["count"] == "1"
        tried = client.privatePostAddOrder({"pair": "XBTUSD", "type": "buy", "volume": "0.01",
                                            "ordertype": "limit", "price": "#1%",
                                            "validate": "true"})["result"]  # fmt: skip
        assert list(tried) == ["descr"]
        assert client.privatePostTradeBalance({})["result"]["uv"] == "0.0000"
        assert client.fetch_positions() == []
        ((_, bid, ask),) = client.publicGetSpread({"pair": "XBTUSD"})["result"]["XXBTZUSD"]
        assert float(bid) < last < float(ask)

    await asyncio.get_running_loop().run_in_executor(None, trade)


async def test_pages_go_by_name_and_time_and_none_repeats_another(simulator: Simulator) -> None:
    def trade() -> None:
        client = customer(simulator)
        made = [client.create_order(S, "market", "buy", 0.0001)["id"] for _ in range(53)]

        def names(**given: Any) -> list[str]:
            told = client.privatePostTradesHistory(given)["result"]
            assert told["count"] == str(len(made)) or given.get("start") or given.get("end")
            return list(told["trades"])

        first, rest = names(), names(ofs=50)
        assert (len(first), len({*first, *rest})) == (50, 53)
        assert names(start=rest[0]) == first[:50]
        assert names(end=rest[0]) == rest
        closed = client.privatePostClosedOrders({"ofs": 50, "without_count": "true"})["result"]
        assert (len(closed["closed"]), "count" in closed) == (3, False)
        several = client.privatePostQueryOrders({"txid": ",".join(made[:3])})["result"]
        assert list(several) == made[:3]
        with pytest.raises(ccxt.ExchangeError, match="Invalid arguments:ofs"):
            names(ofs=-1)

    simulator.exchange.accounts[KEY].engine_most = 1e6
    await asyncio.get_running_loop().run_in_executor(None, trade)


async def test_batches_and_edits_go_over_the_socket(simulator: Simulator) -> None:
    def token() -> str:
        answer = customer(simulator).privatePostGetWebSocketsToken({})
        return str(answer["result"]["token"])

    known = await asyncio.get_running_loop().run_in_executor(None, token)
    async with connect(f"ws://127.0.0.1:{simulator.port}/v2/auth") as socket:

        async def ask(method: str, **params: Any) -> dict[str, Any]:
            await socket.send(json.dumps({"method": method, "params": params | {"token": known}}))
            while True:
                told: dict[str, Any] = json.loads(await socket.recv())
                if told.get("method") == method:
                    return told

        limit = {"order_type": "limit", "side": "buy", "order_qty": 0.01, "limit_price": 100.0}
        greedy = {**limit, "order_qty": 500, "limit_price": 10000.0}
        added = await ask("batch_add", symbol=S, orders=[{**limit, "order_userref": 5}, greedy])
        one, refused = added["result"]
        assert (one["order_userref"], refused) == (5, {"error": "EOrder:Insufficient funds"})
        edited = await ask("edit_order", order_id=one["order_id"], symbol=S, order_qty=0.02)
        assert edited["result"]["original_order_id"] == one["order_id"]
        trail = {"order_type": "trailing-stop", "side": "sell", "order_qty": 0.01, "symbol": S,
                 "triggers": {"reference": "last", "price": 2.5, "price_type": "pct"}}  # fmt: skip
        trailing = (await ask("add_order", **trail))["result"]["order_id"]
        gone = await ask("batch_cancel", orders=[5, trailing])
        assert gone["result"] == {"count": 2}
    assert simulator.exchange.accounts[KEY].working() == []
