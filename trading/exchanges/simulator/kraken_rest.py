"""Kraken's REST endpoints of the simulated venue."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.exchange import TAKER_FEE, Exchange, Rejected
from trading.exchanges.simulator.market import MINUTE_NS, PairMarket

NS = 1_000_000_000
MOST_CANDLES = 720
PAGE = 50
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
HISTORY = ("ClosedOrders", "TradesHistory", "QueryTrades")
UNCOUNTED = ("AddOrder", "CancelOrder", "AmendOrder")
TOKEN_SECONDS = 900
Asked = Mapping[str, str]


class KrakenRest:
    """Answers one request; who may ask is checked like the venue does."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.tokens: dict[str, tuple[Account, int]] = {}

    def public(self, method: str, asked: Asked) -> Any:
        """The result of a public method.

        Raises:
            Rejected: in the venue's words.
        """
        known: dict[str, Callable[[Asked], Any]] = {
            "Time": self._time,
            "SystemStatus": self._status,
            "Assets": self._assets,
            "AssetPairs": self._pairs,
            "Ticker": self._ticker,
            "OHLC": self._candles,
            "Depth": self._depth,
            "Trades": self._trades,
        }
        if method not in known:
            raise Rejected("EGeneral:Unknown method")
        return known[method](asked)

    def _markets(self, asked: Asked) -> list[PairMarket]:
        markets = self._exchange.markets
        if not asked.get("pair"):
            return list(markets.values())
        found = []
        for name in asked["pair"].split(","):
            fitting = [m for m in markets.values() if name in words.pair_names(m.symbol)]
            if not fitting:
                raise Rejected("EQuery:Unknown asset pair")
            found += fitting
        return found

    def _time(self, _: Asked) -> Any:
        return {"unixtime": self._exchange.clock.now_ns() // NS, "rfc1123": ""}

    def _status(self, _: Asked) -> Any:
        now = words.stamp(self._exchange.clock.now_ns())
        return {"status": self._exchange.mode, "timestamp": now}

    def _assets(self, _: Asked) -> Any:
        names = {a for symbol in self._exchange.markets for a in symbol.split("/")}
        return {
            words.asset_key(name): {
                "aclass": "currency",
                "altname": words.altname(name),
                "decimals": 10,
                "display_decimals": 5,
                "status": "enabled",
            }
            for name in sorted(names)
        }

    def _pairs(self, asked: Asked) -> Any:
        return {
            words.pair_key(m.symbol): words.pair_facts(m, self._exchange.mode)
            for m in self._markets(asked)
        }

    def _ticker(self, asked: Asked) -> Any:
        told = {}
        for market in self._markets(asked):
            (bid, bid_size), (ask, ask_size) = (side[0] for side in market.book(1))
            last = words.text(market.last_price())
            told[words.pair_key(market.symbol)] = {
                "a": [words.text(ask), "1", words.text(ask_size)],
                "b": [words.text(bid), "1", words.text(bid_size)],
                "c": [last, "0.1"],
                "v": ["100.0", "2400.0"],
                "p": [last, last],
                "t": [60, 86_400],
                "l": [last, last],
                "h": [last, last],
                "o": last,
            }
        return told

    def _candles(self, asked: Asked) -> Any:
        (market,) = self._markets(asked)
        try:
            interval, since = int(asked.get("interval", "1")), int(asked.get("since", "0"))
        except ValueError:
            raise Rejected("EGeneral:Invalid arguments") from None
        if interval not in INTERVALS:
            raise Rejected("EGeneral:Invalid arguments")
        now = self._exchange.clock.now_ns()
        last = now // MINUTE_NS // interval * interval
        first = max(last - interval * (MOST_CANDLES - 1), since // 60 + (1 if since else 0))
        rows = [self._row(market, start, interval, now) for start in range(
            -(-first // interval) * interval, last + 1, interval)]  # fmt: skip
        told = [row for row in rows if row is not None]
        return {words.pair_key(market.symbol): told, "last": (last - interval) * 60}

    def _row(self, market: PairMarket, start: int, interval: int, now: int) -> list[Any] | None:
        made = market.candles(first=start, last=start + interval - 1, now_ns=now)
        if not made:
            return None
        volume = sum((c.volume for c in made), Decimal(0))
        vwap = sum((c.vwap * c.volume for c in made), Decimal(0)) / volume
        values = (made[0].open, max(c.high for c in made), min(c.low for c in made), made[-1].close,
                  vwap.quantize(market.grid.tick_size), volume)  # fmt: skip
        return [start * 60, *map(words.text, values), sum(c.trades for c in made)]

    def _depth(self, asked: Asked) -> Any:
        (market,) = self._markets(asked)
        bids, asks = market.book(min(int(asked.get("count", "100")), 500))
        now = self._exchange.clock.now_ns() // NS
        rows = {"asks": asks, "bids": bids}
        return {
            words.pair_key(market.symbol): {
                side: [[words.text(price), words.text(size), now] for price, size in levels]
                for side, levels in rows.items()
            }
        }

    def _trades(self, asked: Asked) -> Any:
        (market,) = self._markets(asked)
        now, since = self._exchange.clock.now_ns(), int(asked.get("since") or 0)
        most = min(int(asked.get("count") or 1000), 1000)
        first = since // MINUTE_NS if since else now // MINUTE_NS - 16
        rows: list[list[Any]] = []
        last = since
        for minute in range(first, now // MINUTE_NS + 1):
            for trade in market.minute(minute):
                if since < trade.time_ns <= now and len(rows) < most:
                    side = "b" if trade.is_buy else "s"
                    rows.append([words.text(trade.price), words.text(trade.quantity),
                                 words.seconds(trade.time_ns), side, "m", "", trade.number])  # fmt: skip
                    last = trade.time_ns
        return {words.pair_key(market.symbol): rows, "last": str(last)}

    def private(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Any:
        """The result of a private method, after key, signature, nonce, rights and counter.

        Raises:
            Rejected: in the venue's words.
        """
        account = self._exchange.accounts.get(headers.get("API-Key", ""))
        if account is None:
            raise Rejected("EAPI:Invalid key")
        asked = _fields(body, headers.get("Content-Type", ""))
        self._check_signature(account, path, body, str(asked.get("nonce", "")), headers)
        if method not in UNCOUNTED:
            cost = 2.0 if method in HISTORY else 1.0
            if not account.calls.add(cost, self._exchange.clock.now_ns()):
                raise Rejected("EAPI:Rate limit exceeded")
        known: dict[str, tuple[str, Callable[[Account, Asked], Any]]] = {
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
            "AddOrder": ("modify-trades", self._add),
            "AmendOrder": ("modify-trades", self._amend),
            "CancelOrder": ("close-trades", self._cancel),
            "CancelAll": ("close-trades", self._cancel_all),
            "CancelAllOrdersAfter": ("close-trades", self._dead_man),
        }
        if method not in known:
            raise Rejected("EGeneral:Unknown method")
        right, answer = known[method]
        if right and right not in account.rights:
            raise Rejected("EGeneral:Permission denied")
        return answer(account, asked)

    def _check_signature(
        self, account: Account, path: str, body: bytes, nonce: str, headers: Mapping[str, str]
    ) -> None:
        digest = hashlib.sha256(nonce.encode() + body).digest()
        secret = base64.b64decode(account.secret)
        wanted = base64.b64encode(hmac.digest(secret, path.encode() + digest, "sha512")).decode()
        if not hmac.compare_digest(wanted, headers.get("API-Sign", "")):
            raise Rejected("EAPI:Invalid signature")
        if not nonce.isdigit() or int(nonce) <= account.nonce:
            self._exchange.log("invalid_nonce", key=account.key, nonce=nonce)
            raise Rejected("EAPI:Invalid nonce")
        account.nonce = int(nonce)

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
        expires = self._exchange.clock.now_ns() + TOKEN_SECONDS * NS
        self.tokens[token] = (account, expires)
        return {"token": token, "expires": TOKEN_SECONDS}

    def _balance(self, account: Account, _: Asked) -> Any:
        return {words.asset_key(a): words.text(v) for a, v in account.balances.items()}

    def _balance_ex(self, account: Account, _: Asked) -> Any:
        return {
            words.asset_key(asset): {
                "balance": words.text(value),
                "hold_trade": words.text(account.held(asset, fee=TAKER_FEE)),
            }
            for asset, value in account.balances.items()
        }

    def _volume(self, _: Account, asked: Asked) -> Any:
        fee = {"fee": "0.2600", "minfee": "0.1000", "maxfee": "0.2600"}
        maker = {"fee": "0.1600", "minfee": "0.0000", "maxfee": "0.1600"}
        pairs = (
            [words.pair_key(m.symbol) for m in self._markets(asked)] if asked.get("pair") else []
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
        start = float(asked.get("start") or 0)
        mine = [o for o in mine if o.closed_ns / NS > start]
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
        start = float(asked.get("start") or 0)
        mine = [(o, f) for o in account.orders.values() for f in o.fills if f.time_ns / NS > start]
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

    def _add(self, account: Account, asked: Asked) -> Any:
        (market,) = self._markets({"pair": asked.get("pair") or "none"})
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
                "expires_ns": _expiry(asked),
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
             "quantity": asked.get("order_qty")},
        )  # fmt: skip
        return {"amend_id": name}

    def _cancel(self, account: Account, asked: Asked) -> Any:
        order = orders.named(
            account, {"order_id": asked.get("txid"), "client_id": asked.get("cl_ord_id")}
        )
        self._exchange.cancel(account, order, reason="User requested")
        return {"count": 1}

    def _cancel_all(self, account: Account, _: Asked) -> Any:
        return {"count": self._exchange.cancel_all(account, reason="User requested")}

    def _dead_man(self, account: Account, asked: Asked) -> Any:
        now, timeout = self._exchange.clock.now_ns(), int(asked.get("timeout") or 0)
        account.dead_man_ns = now + timeout * NS if timeout else 0
        fires = words.stamp(account.dead_man_ns) if timeout else "0"
        return {"currentTime": words.stamp(now), "triggerTime": fires}


def _chosen(account: Account, asked: Asked) -> list[Order]:
    client_id = asked.get("cl_ord_id")
    return [o for o in account.orders.values() if client_id in (None, "", o.client_id)]


def _expiry(asked: Asked) -> int:
    value = str(asked.get("expiretm") or "0")
    return int(value) * NS if value.isdigit() else 0


def _fields(body: bytes, content_type: str) -> dict[str, Any]:
    try:
        if "json" in content_type:
            told = json.loads(body)
            return told if isinstance(told, dict) else {}
        return dict(parse_qsl(body.decode(), strict_parsing=True))
    except ValueError:
        raise Rejected("EGeneral:Invalid arguments") from None
