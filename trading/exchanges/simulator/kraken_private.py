"""Kraken's private REST methods of the simulated venue."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.kraken_public import PublicMethods
from trading.exchanges.simulator.rules import Rejected

NS = 1_000_000_000
PAGE = 50
TOKEN_SECONDS = 900
Asked = Mapping[str, str]


class PrivateMethods:
    """What an account may ask, by method: the right it takes, and the answer."""

    def __init__(self, exchange: Exchange, public: PublicMethods) -> None:
        self._exchange, self._public = exchange, public
        self.known: dict[str, tuple[str, Callable[[Account, Asked], Any]]] = {
            "GetApiKeyInfo": ("", self._key_info),
            "GetWebSocketsToken": ("create-ws-token", self._token),
            "Balance": ("query-funds", self._balance),
            "BalanceEx": ("query-funds", self._balance_ex),
            "TradeVolume": ("query-funds", self._volume),
            "OpenOrders": ("query-open-trades", self._open),
            "ClosedOrders": ("query-closed-trades", self._closed),
            "QueryOrders": ("query-closed-trades", self._query),
            "TradesHistory": ("query-closed-trades", self._history),
            "QueryTrades": ("query-closed-trades", self._query_trades),
            "Ledgers": ("query-ledger", self._ledgers),
            "QueryLedgers": ("query-ledger", self._query_ledgers),
            "AddOrder": ("modify-trades", self._add),
            "AmendOrder": ("modify-trades", self._amend),
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

    def _balance(self, account: Account, _: Asked) -> Any:
        return {words.asset_key(a): words.text(v) for a, v in account.balances.items()}

    def _balance_ex(self, account: Account, _: Asked) -> Any:
        return {
            words.asset_key(asset): {
                "balance": words.text(value),
                "hold_trade": words.text(account.held(asset)),
            }
            for asset, value in account.balances.items()
        }

    def _volume(self, _: Account, asked: Asked) -> Any:
        fee = {"fee": "0.2600", "minfee": "0.1000", "maxfee": "0.2600"}
        maker = {"fee": "0.1600", "minfee": "0.0000", "maxfee": "0.1600"}
        pairs = (
            [words.pair_key(m.symbol) for m in self._public.markets(asked)]
            if asked.get("pair")
            else []
        )
        return {
            "currency": "ZUSD",
            "volume": "0.0000",
            "fees": {pair: fee for pair in pairs} or None,
            "fees_maker": {pair: maker for pair in pairs} or None,
        }

    def _open(self, account: Account, asked: Asked) -> Any:
        now = self._exchange.clock.now_ns()
        listed = now >= account.unlisted_until_ns
        mine = [
            o for o in _chosen(account, asked) if o.is_open and (listed or o.opened_ns < now - NS)
        ]
        return {"open": {o.order_id: words.rest_order(o, trades=bool(asked.get("trades")))
                         for o in mine}}  # fmt: skip

    def _closed(self, account: Account, asked: Asked) -> Any:
        mine = [o for o in reversed(_chosen(account, asked)) if not o.is_open]
        by_opening = asked.get("closetime") == "open"
        mine = [o for o in mine if _within(asked, o.opened_ns if by_opening else o.closed_ns)]
        first = int(asked.get("ofs") or 0)
        page = mine[first : first + PAGE]
        trades = bool(asked.get("trades"))
        return {"closed": {o.order_id: words.rest_order(o, trades=trades) for o in page},
                "count": len(mine)}  # fmt: skip

    def _query(self, account: Account, asked: Asked) -> Any:
        wanted = [account.find(order_id=one) for one in asked.get("txid", "").split(",")]
        found = [order for order in wanted if order is not None]
        if not found:
            raise Rejected("EOrder:Unknown order")
        trades = bool(asked.get("trades"))
        return {order.order_id: words.rest_order(order, trades=trades) for order in found}

    def _history(self, account: Account, asked: Asked) -> Any:
        mine = [
            (o, f) for o in account.orders.values() for f in o.fills if _within(asked, f.time_ns)
        ]
        mine.sort(key=lambda pair: -pair[1].number)
        first = int(asked.get("ofs") or 0)
        page = mine[first : first + PAGE]
        return {"trades": {f.trade_id: words.rest_trade(o, f) for o, f in page},
                "count": len(mine)}  # fmt: skip

    def _query_trades(self, account: Account, asked: Asked) -> Any:
        wanted = set(asked.get("txid", "").split(","))
        return {
            fill.trade_id: words.rest_trade(order, fill)
            for order in account.orders.values()
            for fill in order.fills
            if fill.trade_id in wanted
        }

    def _ledgers(self, account: Account, asked: Asked) -> Any:
        kind, wanted = asked.get("type") or "all", (asked.get("asset") or "all").split(",")
        mine = [
            line
            for line in reversed(account.ledger)
            if kind in ("all", line.kind)
            and _within(asked, line.time_ns)
            and {"all", line.asset, words.asset_key(line.asset), words.altname(line.asset)}
            & set(wanted)
        ]
        first = int(asked.get("ofs") or 0)
        page = mine[first : first + PAGE]
        return {"ledger": {one.ledger_id: words.ledger_line(one) for one in page},
                "count": len(mine)}  # fmt: skip

    def _query_ledgers(self, account: Account, asked: Asked) -> Any:
        wanted = set(asked.get("id", "").split(","))
        return {
            line.ledger_id: words.ledger_line(line)
            for line in account.ledger
            if line.ledger_id in wanted
        }

    def _add(self, account: Account, asked: Asked) -> Any:
        (market,) = self._public.markets({"pair": asked.get("pair") or "none"})
        order = orders.add(
            self._exchange,
            account,
            {
                "symbol": market.symbol,
                "side": asked.get("type"),
                "kind": asked.get("ordertype"),
                "quantity": asked.get("volume"),
                "price": asked.get("price"),
                "client_id": asked.get("cl_ord_id"),
                "post_only": "post" in str(asked.get("oflags", "")).split(","),
                "expires_ns": _expiry(asked, now_ns=self._exchange.clock.now_ns()),
                "time_in_force": asked.get("timeinforce"),
                "in_quote": "viqc" in str(asked.get("oflags", "")).split(","),
                "leverage": asked.get("leverage"),
                "reduce_only": asked.get("reduce_only"),
                "close": asked.get("close") or asked.get("close[ordertype]"),
                "starttm": asked.get("starttm"),
                "deadline": asked.get("deadline"),
                "validate": str(asked.get("validate", "")).lower() == "true",
            },
        )
        names = ("type", "volume", "ordertype", "price")
        side, volume, kind, price = (str(asked.get(name)) for name in names)
        sentence = words.describe(side, volume, market.symbol, kind, price)
        told = {"descr": {"order": sentence}}
        return told if order is None else {"txid": [order.order_id], **told}

    def _amend(self, account: Account, asked: Asked) -> Any:
        price = asked.get("trigger_price") or asked.get("limit_price")
        name = orders.amend(
            self._exchange,
            account,
            {"order_id": asked.get("txid"), "client_id": asked.get("cl_ord_id"), "price": price,
             "quantity": asked.get("order_qty"), "deadline": asked.get("deadline")},
        )  # fmt: skip
        return {"amend_id": name}

    def _cancel(self, account: Account, asked: Asked) -> Any:
        order = orders.named(
            account, {"order_id": asked.get("txid"), "client_id": asked.get("cl_ord_id")}
        )
        self._exchange.cancel(account, order, reason="User requested")
        return {"count": 1}

    def _cancel_batch(self, account: Account, asked: Mapping[str, Any]) -> Any:
        return {"count": orders.cancel_batch(self._exchange, account, asked)}

    def _cancel_all(self, account: Account, _: Asked) -> Any:
        return {"count": self._exchange.cancel_all(account, reason="User requested")}

    def _dead_man(self, account: Account, asked: Asked) -> Any:
        timeout = words.timeout(asked.get("timeout"))
        fires_ns = self._exchange.set_dead_man(account, timeout)
        return words.switch(now_ns=self._exchange.clock.now_ns(), fires_ns=fires_ns)


def _chosen(account: Account, asked: Asked) -> list[Order]:
    client_id = asked.get("cl_ord_id")
    return [o for o in account.orders.values() if client_id in (None, "", o.client_id)]


def _within(asked: Asked, time_ns: int) -> bool:
    """Start exclusive, end inclusive."""
    at, end = Decimal(time_ns) / NS, asked.get("end")
    is_after = at > words.number(asked.get("start") or "0", "start")
    return is_after and (not end or at <= words.number(end, "end"))


def _expiry(asked: Asked, *, now_ns: int) -> int:
    """A moment, or so many seconds from now; 0: never.

    Raises:
        Rejected: it is neither.
    """
    value = str(asked.get("expiretm") or "0")
    seconds = int(words.number(value, "expiretm"))
    return now_ns + seconds * NS if value.startswith("+") else seconds * NS
