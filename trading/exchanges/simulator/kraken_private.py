"""Kraken's private REST methods of the simulated venue: keys, tokens, and all that changes orders."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from trading.exchanges.simulator import kraken_asked, kraken_batches
from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator import kraken_rows as rows
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.kraken_funds import Funds
from trading.exchanges.simulator.kraken_lists import Lists
from trading.exchanges.simulator.kraken_public import PublicMethods
from trading.exchanges.simulator.rules import Rejected, Wish

NS = 1_000_000_000
TOKEN_SECONDS = 900
Asked = Mapping[str, Any]


class PrivateMethods:
    """What an account may ask, by method: the right it takes, and the answer."""

    def __init__(self, exchange: Exchange, public: PublicMethods) -> None:
        self._exchange, self._public = exchange, public
        self.known: dict[str, tuple[str, Callable[[Account, Asked], Any]]] = {
            **Funds(exchange, public).known,
            **Lists(exchange).known,
            "GetApiKeyInfo": ("", self._key_info),
            "GetWebSocketsToken": ("create-ws-token", self._token),
            "AddOrder": ("modify-trades", self._add),
            "AddOrderBatch": ("modify-trades", self._add_batch),
            "AmendOrder": ("modify-trades", self._amend),
            "EditOrder": ("modify-trades", self._edit),
            "CancelOrder": ("close-trades", self._cancel),
            "CancelOrderBatch": ("close-trades", self._cancel_batch),
            "CancelAll": ("close-trades", self._cancel_all),
            "CancelAllOrdersAfter": ("close-trades", self._dead_man),
        }

    def _key_info(self, account: Account, _: Asked) -> Any:
        return {
            "apiKeyName": "simulated",
            "apiKey": account.key,
            "nonce": str(account.nonce),
            "nonceWindow": 0,
            "permissions": list(account.rights),
            "validUntil": "0",
            "ipAllowlist": [],
        }

    def _token(self, account: Account, _: Asked) -> Any:
        token = self._exchange.name("W")
        account.tokens[token] = self._exchange.clock.now_ns() + TOKEN_SECONDS * NS
        return {"token": token, "expires": TOKEN_SECONDS}

    def _symbol(self, asked: Asked) -> str:
        (market,) = self._public.markets({"pair": asked.get("pair") or "none"})
        return market.symbol

    def _add(self, account: Account, asked: Asked) -> Any:
        now_ns = self._exchange.clock.now_ns()
        told = kraken_asked.of_rest(asked, self._symbol(asked), now_ns=now_ns)
        wish = orders.wish_of(self._exchange, told)
        order = self._exchange.place(account, wish)
        named = {} if order is None else {"txid": [order.order_id]}
        volume = told["quantity"] if told["in_quote"] else None
        return {**named, "descr": self._described(wish, order, volume=volume)}

    def _described(self, wish: Wish, order: Order | None, *, volume: Any = None) -> dict[str, str]:
        made = order or self._exchange.draft(wish, order_id="")
        return {"order": rows.describe(made, volume=volume)}

    def _add_batch(self, account: Account, asked: Asked) -> Any:
        symbol, now_ns = self._symbol(asked), self._exchange.clock.now_ns()
        shared = {name: asked.get(name) for name in ("deadline", "validate")}
        told = [
            kraken_asked.of_rest({**one, **shared}, symbol, now_ns=now_ns) for one in _listed(asked)
        ]
        done = kraken_batches.add(self._exchange, account, told)
        return {"orders": [self._batched(wish, became) for wish, became in done]}

    def _batched(self, wish: Wish, became: Order | Rejected | None) -> dict[str, Any]:
        if isinstance(became, Rejected):
            return {"error": str(became)}
        named = {} if became is None else {"txid": became.order_id}
        return {**named, "descr": self._described(wish, became)}

    def _amend(self, account: Account, asked: Asked) -> Any:
        names = {"order_id": "txid", "client_id": "cl_ord_id", "limit": "limit_price",
                 "trigger": "trigger_price", "quantity": "order_qty", "display": "display_qty",
                 "deadline": "deadline"}  # fmt: skip
        told = {ours: asked.get(theirs) for ours, theirs in names.items()}
        return {"amend_id": orders.amend(self._exchange, account, told)}

    def _edit(self, account: Account, asked: Asked) -> Any:
        names = {"order_id": "txid", "quantity": "volume", "price": "price", "price2": "price2",
                 "userref": "userref", "deadline": "deadline", "display": "displayvol"}  # fmt: skip
        told: dict[str, Any] = {ours: asked.get(theirs) for ours, theirs in names.items()}
        told |= {"symbol": self._symbol(asked), "validate": words.is_true(asked.get("validate"))}
        if asked.get("oflags"):
            told["post_only"] = "post" in kraken_asked.flags(asked)
        old, wish, new = kraken_batches.edit(self._exchange, account, told)
        price, price2 = rows.levels(new or self._exchange.draft(wish, order_id=""))
        named = {} if new is None else {"txid": new.order_id}
        return {
            "status": "ok",
            **named,
            "originaltxid": old.order_id,
            "volume": words.text(wish.quantity),
            "price": price,
            "price2": price2,
            "orders_cancelled": 0 if new is None else 1,
            "descr": self._described(wish, new),
        }

    def _cancel(self, account: Account, asked: Asked) -> Any:
        told = {"order_id": asked.get("txid"), "client_id": asked.get("cl_ord_id")}
        return {"count": orders.cancel(self._exchange, account, told)}

    def _cancel_batch(self, account: Account, asked: Mapping[str, Any]) -> Any:
        return {"count": orders.cancel_batch(self._exchange, account, asked)}

    def _cancel_all(self, account: Account, _: Asked) -> Any:
        return {"count": self._exchange.cancel_all(account, reason="User requested")}

    def _dead_man(self, account: Account, asked: Asked) -> Any:
        timeout = words.timeout(asked.get("timeout"))
        fires_ns = self._exchange.set_dead_man(account, timeout)
        return words.switch(now_ns=self._exchange.clock.now_ns(), fires_ns=fires_ns)


def _listed(asked: Asked) -> list[Mapping[str, Any]]:
    """The orders of a batch; a form carries them as JSON.

    Raises:
        Rejected: they are no list of orders.
    """
    told = asked.get("orders")
    try:
        read = json.loads(told) if isinstance(told, str) else told
    except ValueError:
        read = None
    if not isinstance(read, list) or not all(isinstance(one, dict) for one in read):
        raise Rejected("EGeneral:Invalid arguments:orders")
    return read
