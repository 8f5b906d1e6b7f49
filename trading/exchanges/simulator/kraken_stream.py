"""Kraken's WebSocket v2 of the simulated venue: one session per socket, public and private."""

import asyncio
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from aiohttp import web

from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.exchange import Exchange, Rejected
from trading.exchanges.simulator.faults import MESSAGES
from trading.exchanges.simulator.kraken_rest import KrakenRest
from trading.exchanges.simulator.market import MINUTE_NS, Level, PairMarket, Trade

PUBLIC = ("ticker", "book", "trade", "ohlc", "instrument")
PRIVATE = ("executions", "balances")
DEPTHS = (10, 25, 100, 500, 1000)
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
SNAPSHOT_CANDLES = 30
IDLE_FRAMES = 10_000
Subscription = tuple[str, str, int]  # channel, symbol, depth or interval


@dataclass(slots=True, eq=False)
class Session:
    """One socket: what it listens to, and what waits to be written."""

    exchange: Exchange
    rest: KrakenRest
    is_private: bool
    queue: "asyncio.Queue[bytes]" = field(default_factory=lambda: asyncio.Queue(IDLE_FRAMES))
    subscriptions: set[Subscription] = field(default_factory=set)
    books: dict[Subscription, dict[tuple[str, Decimal], Decimal]] = field(default_factory=dict)
    account: Account | None = None
    sequence: dict[str, int] = field(default_factory=dict)
    silent_until: float = 0.0
    is_over: bool = False

    def send(self, message: dict[str, Any]) -> None:
        """Queue a frame; a reader that falls too far behind is dropped."""
        loop = asyncio.get_running_loop()
        if loop.time() < self.silent_until and "method" not in message:
            return
        try:
            self.queue.put_nowait(msgspec.json.encode(message))
        except asyncio.QueueFull:
            self.is_over = True

    def tell(self, channel: str, kind: str, data: Any, **more: Any) -> None:
        """A data message, unless a fault spoils it."""
        message = {"channel": channel, "type": kind, "data": data, **more}
        fault = self.exchange.faults.take(MESSAGES, channel)
        if fault is None:
            self.send(message)
        elif fault.kind == "duplicate":
            self.send(message)
            self.send(message)
        elif fault.kind == "not_json":
            self.queue.put_nowait(b"CloudFlare WebSocket proxy restarting")
        elif fault.kind == "bad_checksum" and channel == "book":
            data[0]["checksum"] = (data[0]["checksum"] + 1) % 2**32
            self.send(message)

    def greet(self) -> None:
        """The status frame that comes by itself."""
        told = {"api_version": "v2", "connection_id": 13834774380200032777,
                "system": self.exchange.mode, "version": "2.0.9"}  # fmt: skip
        self.send({"channel": "status", "type": "update", "data": [told]})

    def leave(self) -> None:
        """The socket is gone."""
        if self.account is not None and self.on_private in self.account.listeners:
            self.account.listeners.remove(self.on_private)
        self.is_over = True

    # --- requests ---------------------------------------------------------------------------

    def receive(self, text: str) -> None:
        """Answer one frame of the customer's."""
        now = words.stamp(self.exchange.clock.now_ns())
        try:
            asked = json.loads(text, parse_float=Decimal)
            method, params = str(asked["method"]), asked.get("params") or {}
        except (ValueError, KeyError, TypeError):
            self.send(
                {"error": "Malformed request", "success": False, "time_in": now, "time_out": now}
            )
            return
        base = {"method": method, "time_in": now, "time_out": now}
        if isinstance(asked.get("req_id"), int):
            base["req_id"] = asked["req_id"]
        if method == "ping":
            self.send({**base, "method": "pong"})
            return
        known: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "add_order": self._add,
            "amend_order": self._amend,
            "cancel_order": self._cancel,
            "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._dead_man,
        }
        if method not in known:
            self.send({**base, "success": False, "error": "Unsupported event"})
            return
        try:
            known[method](params, base)
        except Rejected as error:
            self.send({**base, "success": False, "error": str(error)})

    def _subscribe(self, params: dict[str, Any], base: dict[str, Any]) -> None:
        channel = params.get("channel")
        if channel in PRIVATE:
            self._subscribe_private(channel, params, base)
            return
        if channel not in PUBLIC:
            raise Rejected("Subscription name invalid")
        if channel == "instrument":
            self._ack(base, {"channel": channel, "snapshot": True})
            self.subscriptions.add((channel, "", 0))
            self.tell("instrument", "snapshot", self._instruments())
            return
        for symbol in params.get("symbol") or []:
            market = self.exchange.markets.get(symbol)
            if market is None:
                words_ = f"Currency pair not supported {symbol}"
                self.send({**base, "success": False, "error": words_, "symbol": symbol})
                continue
            key = (channel, symbol, self._size(channel, params))
            self.subscriptions.add(key)
            self._ack(base, {"channel": channel, "symbol": symbol, **_extra(key)})
            if params.get("snapshot", channel != "trade"):
                self._snapshot(key, market)

    def _size(self, channel: str, params: dict[str, Any]) -> int:
        if channel == "book":
            depth = params.get("depth", 10)
            if depth not in DEPTHS:
                raise Rejected("Subscription depth not supported")
            return int(depth)
        if channel == "ohlc":
            interval = params.get("interval", 1)
            if interval not in INTERVALS:
                raise Rejected("Subscription ohlc interval not supported")
            return int(interval)
        return 0

    def _ack(self, base: dict[str, Any], result: dict[str, Any]) -> None:
        self.send({**base, "result": result, "success": True})

    def _unsubscribe(self, params: dict[str, Any], base: dict[str, Any]) -> None:
        channel = str(params.get("channel"))
        for symbol in params.get("symbol") or [""]:
            key = (channel, symbol, self._size(channel, params))
            self.subscriptions.discard(key)
            self.books.pop(key, None)
            self._ack(base, {"channel": channel, "symbol": symbol})

    def _token(self, params: dict[str, Any]) -> Account:
        found = self.rest.tokens.get(str(params.get("token", "")))
        now = self.exchange.clock.now_ns()
        if not self.is_private or found is None:
            raise Rejected("EAPI:Invalid token")
        account, expires = found
        if now > expires and self.account is not account:
            raise Rejected("EAPI:Invalid token")
        return account

    def _subscribe_private(
        self, channel: str, params: dict[str, Any], base: dict[str, Any]
    ) -> None:
        account = self._token(params)
        if self.account is None:
            self.account = account
            account.listeners.append(self.on_private)
        self.subscriptions.add((channel, "", 0))
        self._ack(base, {"channel": channel, "snap_orders": True, "snap_trades": False})
        self.sequence[channel] = 0
        if channel == "executions":
            working = [order for order in account.orders.values() if order.is_open]
            now = self.exchange.clock.now_ns()
            told = [
                words.execution({"exec_type": "snapshot", "order": o}, now_ns=now) for o in working
            ]
        else:
            told = [{"asset": asset, "asset_class": "currency", "balance": words.raw(value),
                     "wallets": [{"type": "spot", "id": "main", "balance": words.raw(value)}]}
                    for asset, value in account.balances.items()]  # fmt: skip
        self.tell(channel, "snapshot", told, sequence=self._next(channel))

    def _next(self, channel: str) -> int:
        self.sequence[channel] += 1
        return self.sequence[channel]

    def on_private(self, channel: str, event: dict[str, Any]) -> None:
        """News of the account this socket belongs to."""
        if (channel, "", 0) not in self.subscriptions or self.account is None:
            return
        if channel == "executions":
            told = [words.execution(event, now_ns=self.exchange.clock.now_ns())]
        else:
            told = [self._row(asset, event) for asset in event["assets"]]
        self.tell(channel, "update", told, sequence=self._next(channel))

    def _row(self, asset: str, event: dict[str, Any]) -> dict[str, Any]:
        assert self.account is not None
        order, fill = event["order"], event["fill"]
        sign = 1 if order.side == "buy" else -1
        is_base = asset == order.symbol.split("/")[0]
        amount = sign * fill.quantity if is_base else -sign * fill.price * fill.quantity
        return {
            "ledger_id": self.exchange.name("L"),
            "ref_id": fill.trade_id,
            "timestamp": words.stamp(fill.time_ns),
            "type": "trade",
            "asset": asset,
            "asset_class": "currency",
            "wallet_type": "spot",
            "wallet_id": "main",
            "amount": words.raw(amount),
            "fee": words.raw(Decimal(0) if is_base else fill.fee),
            "balance": words.raw(self.account.balances[asset]),
        }

    def _add(self, params: dict[str, Any], base: dict[str, Any]) -> None:
        account = self._token(params)
        for name in ("order_qty", "limit_price"):
            if isinstance(params.get(name), str):
                raise Rejected(f"{name.capitalize()} field must be a number_float")
        triggers = params.get("triggers") or {}
        kind = params.get("order_type")
        order = orders.add(
            self.exchange,
            account,
            {
                "symbol": params.get("symbol"),
                "side": params.get("side"),
                "kind": kind,
                "quantity": params.get("order_qty"),
                "price": triggers.get("price") if triggers else params.get("limit_price"),
                "client_id": params.get("cl_ord_id"),
                "post_only": params.get("post_only"),
                "expires_ns": words.read_stamp(params["expire_time"], "expire_time")
                if params.get("expire_time")
                else 0,
                "deadline": params.get("deadline"),
                "validate": params.get("validate"),
            },
        )
        result = {"order_id": order.order_id if order else ""}
        if params.get("cl_ord_id"):
            result["cl_ord_id"] = params["cl_ord_id"]
        self._ack(base, result)

    def _amend(self, params: dict[str, Any], base: dict[str, Any]) -> None:
        account = self._token(params)
        name = orders.amend(
            self.exchange,
            account,
            {
                "order_id": params.get("order_id"),
                "client_id": params.get("cl_ord_id"),
                "quantity": params.get("order_qty"),
                "price": params.get("trigger_price") or params.get("limit_price"),
            },
        )
        self._ack(base, {"amend_id": name, "order_id": params.get("order_id", "")})

    def _cancel(self, params: dict[str, Any], base: dict[str, Any]) -> None:
        account = self._token(params)
        wanted = [("order_id", one) for one in params.get("order_id") or []]
        wanted += [("cl_ord_id", one) for one in params.get("cl_ord_id") or []]
        for field_, name in wanted:  # one answer each
            key = "order_id" if field_ == "order_id" else "client_id"
            try:
                self.exchange.cancel(
                    account, orders.named(account, {key: name}), reason="User requested"
                )
            except Rejected as error:
                self.send({**base, "success": False, "error": str(error)})
            else:
                self._ack(base, {field_: name})

    def _cancel_all(self, params: dict[str, Any], base: dict[str, Any]) -> None:
        account = self._token(params)
        self._ack(base, {"count": self.exchange.cancel_all(account, reason="User requested")})

    def _dead_man(self, params: dict[str, Any], base: dict[str, Any]) -> None:
        account, timeout = self._token(params), int(params.get("timeout") or 0)
        now = self.exchange.clock.now_ns()
        account.dead_man_ns = now + timeout * 1_000_000_000 if timeout else 0
        self._ack(base, {"currentTime": words.stamp(now),
                         "triggerTime": words.stamp(account.dead_man_ns)})  # fmt: skip

    # --- public data --------------------------------------------------------------------------

    def _instruments(self) -> dict[str, Any]:
        markets = self.exchange.markets.values()
        assets = sorted({asset for market in markets for asset in market.symbol.split("/")})
        return {
            "assets": [{"id": name, "status": "enabled", "precision": 10} for name in assets],
            "pairs": [self._instrument(market) for market in markets],
        }

    def _instrument(self, market: PairMarket) -> dict[str, Any]:
        base, quote = market.symbol.split("/")
        grid = market.grid
        return {
            "symbol": market.symbol,
            "base": base,
            "quote": quote,
            "status": self.exchange.mode,
            "qty_precision": grid.lot_decimals,
            "qty_increment": words.raw(grid.lot_size),
            "price_precision": grid.price_decimals,
            "price_increment": words.raw(grid.tick_size),
            "cost_precision": 5,
            "cost_min": words.raw(grid.min_notional),
            "qty_min": words.raw(grid.min_quantity),
            "marginable": False,
            "has_index": True,
        }

    def _snapshot(self, key: Subscription, market: PairMarket) -> None:
        channel, _, size = key
        now = self.exchange.clock.now_ns()
        if channel == "ticker":
            self.tell(channel, "snapshot", [self._ticker(market)])
        elif channel == "book":
            self._tell_book(key, market, "snapshot")
        elif channel == "ohlc":
            last = now // MINUTE_NS // size * size
            rows = [self._candle(market, last - size * back, size, now) for back in range(
                SNAPSHOT_CANDLES - 1, -1, -1)]  # fmt: skip
            told = [row for row in rows if row]
            self.tell(channel, "snapshot", told, timestamp=words.stamp(now))

    def _ticker(self, market: PairMarket) -> dict[str, Any]:
        (bid, bid_size), (ask, ask_size) = (side[0] for side in market.book(1))
        last = words.raw(market.last_price())
        names = ("last", "vwap", "low", "high")
        return {
            "symbol": market.symbol,
            "bid": words.raw(bid),
            "bid_qty": words.raw(bid_size),
            "ask": words.raw(ask),
            "ask_qty": words.raw(ask_size),
            **dict.fromkeys(names, last),
            "volume": words.raw(Decimal("2400.0")),
            "change": words.raw(Decimal("0.0")),
            "change_pct": words.raw(Decimal("0.00")),
            "timestamp": words.stamp(self.exchange.clock.now_ns()),
        }

    def _candle(
        self, market: PairMarket, start: int, interval: int, now: int
    ) -> dict[str, Any] | None:
        made = market.candles(first=start, last=start + interval - 1, now_ns=now)
        if not made:
            return None
        begin = start * MINUTE_NS
        return {
            "symbol": market.symbol,
            "open": words.raw(made[0].open),
            "high": words.raw(max(c.high for c in made)),
            "low": words.raw(min(c.low for c in made)),
            "close": words.raw(made[-1].close),
            "trades": sum(c.trades for c in made),
            "volume": words.raw(sum((c.volume for c in made), Decimal(0))),
            "vwap": words.raw(made[-1].vwap),
            "interval_begin": words.stamp(begin).replace(".000000Z", ".000000000Z"),
            "interval": interval,
            "timestamp": words.stamp(begin + interval * MINUTE_NS),
        }

    def on_trades(self, market: PairMarket, trades: list[Trade]) -> None:
        """What the market did since the last look."""
        for key in list(self.subscriptions):
            channel, symbol, size = key
            if symbol != market.symbol or not trades:
                continue
            if channel == "trade":
                self.tell(channel, "update", [_trade(market, trade) for trade in trades])
            elif channel == "ticker":
                self.tell(channel, "update", [self._ticker(market)])
            elif channel == "book":
                self._tell_book(key, market, "update")
            elif channel == "ohlc":
                self._tell_candles(market, size, trades)

    def _tell_candles(self, market: PairMarket, interval: int, trades: list[Trade]) -> None:
        """Each interval that had trades, as it stood after the last of them."""
        newest: dict[int, int] = {}
        for trade in trades:
            newest[trade.time_ns // MINUTE_NS // interval * interval] = trade.time_ns
        for start, at in newest.items():
            row = self._candle(market, start, interval, at)
            if row:
                self.tell("ohlc", "update", [row], timestamp=words.stamp(at))

    def _tell_book(self, key: Subscription, market: PairMarket, kind: str) -> None:
        """The whole window, or what changed in it; what falls out of it is not told."""
        depth = key[2]
        bids, asks = (side[:depth] for side in market.book(max(depth, 25)))
        now = {("bids", p): q for p, q in bids} | {("asks", p): q for p, q in asks}
        before = {} if kind == "snapshot" else self.books.get(key, {})
        self.books[key] = now
        worst = {"bids": bids[-1][0], "asks": asks[-1][0]}
        rows: dict[str, list[dict[str, Any]]] = {"bids": [], "asks": []}
        for side, price in before.keys() - now.keys():
            inside = price > worst["bids"] if side == "bids" else price < worst["asks"]
            if inside:
                rows[side].append(_level(market, price, Decimal(0)))
        for (side, price), size in now.items():
            if before.get((side, price)) != size:
                rows[side].append(_level(market, price, size))
        told = {
            "symbol": market.symbol,
            **rows,
            "checksum": checksum(market, bids, asks),
            "timestamp": words.stamp(self.exchange.clock.now_ns()),
        }
        if kind == "snapshot" or rows["bids"] or rows["asks"]:
            self.tell("book", kind, [told])


def _level(market: PairMarket, price: Decimal, size: Decimal) -> dict[str, Any]:
    quantity = size.quantize(market.grid.lot_size)
    return {"price": words.raw(price), "qty": words.raw(quantity)}


def _extra(key: Subscription) -> dict[str, Any]:
    names = {"book": "depth", "ohlc": "interval"}
    return {names[key[0]]: key[2]} if key[0] in names else {}


def _trade(market: PairMarket, trade: Trade) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "side": "buy" if trade.is_buy else "sell",
        "price": words.raw(trade.price),
        "qty": words.raw(trade.quantity),
        "ord_type": "market",
        "trade_id": trade.number,
        "timestamp": words.stamp(trade.time_ns),
    }


def checksum(market: PairMarket, bids: list[Level], asks: list[Level]) -> int:
    """CRC-32 over the ten best levels, as the venue's documents define it."""
    parts = []
    for price, size in (*asks[:10], *bids[:10]):
        for value, step in ((price, market.grid.tick_size), (size, market.grid.lot_size)):
            parts.append(f"{value.quantize(step):f}".replace(".", "").lstrip("0"))
    return zlib.crc32("".join(parts).encode())


async def serve(request: web.Request, session: Session) -> web.WebSocketResponse:
    """Carry one socket until either side is done."""
    socket = web.WebSocketResponse(heartbeat=None, max_msg_size=1_000_000)
    await socket.prepare(request)
    session.greet()
    writer = asyncio.create_task(_write(socket, session))
    try:
        async for message in socket:
            if message.type is not web.WSMsgType.TEXT:
                break
            fault = _reply_fault(session, message.data)
            if fault == "request_lost":
                break
            session.receive(message.data)
            if fault == "reply_lost":
                break
    finally:
        session.leave()
        writer.cancel()
        await socket.close()
    return socket


def _reply_fault(session: Session, text: str) -> str:
    """Which fault meets this request: before it is acted on, or before it is answered."""
    try:
        method = str(json.loads(text).get("method"))
    except (ValueError, AttributeError):
        return ""
    fault = session.exchange.faults.take(("request_lost", "reply_lost"), method)
    return fault.kind if fault else ""


async def _write(socket: web.WebSocketResponse, session: Session) -> None:
    """Frames as they come; a heartbeat after a second without one, once something is subscribed."""
    loop = asyncio.get_running_loop()
    while not socket.closed and not session.is_over:
        try:
            async with asyncio.timeout(1.0):
                frame = await session.queue.get()
        except TimeoutError:
            if session.subscriptions and loop.time() >= session.silent_until:
                await socket.send_str('{"channel":"heartbeat"}')
            continue
        await socket.send_str(frame.decode())
    await socket.close()
