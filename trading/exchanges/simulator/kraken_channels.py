"""Subscriptions of the simulated venue: what each channel tells at first, and as things happen."""

import math
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_views as views
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.kraken_outlet import Outlet, Subscription
from trading.exchanges.simulator.market import MINUTE_NS, PairMarket, Trade
from trading.exchanges.simulator.rules import Rejected

PUBLIC = ("ticker", "book", "trade", "ohlc", "instrument")
PRIVATE = ("executions", "balances")
DEPTHS = (10, 25, 100, 500, 1000)
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
SNAPSHOT_CANDLES = 30


def subscribe(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Begin to tell a channel.

    Raises:
        Rejected: in the venue's words.
    """
    channel = params.get("channel")
    if channel in PRIVATE:
        _subscribe_private(outlet, channel, params, base)
        return
    if channel not in PUBLIC:
        raise Rejected("Subscription name invalid")
    if channel == "instrument":
        outlet.ack(base, {"channel": channel, "snapshot": True})
        outlet.subscriptions.add((channel, "", 0))
        markets = list(outlet.exchange.markets.values())
        outlet.tell(channel, "snapshot", views.instruments(markets, mode=outlet.exchange.mode))
        return
    for symbol in params.get("symbol") or []:
        market = outlet.exchange.markets.get(symbol)
        if market is None:
            words_ = f"Currency pair not supported {symbol}"
            outlet.refuse({**base, "symbol": symbol}, words_)
            continue
        key = (channel, symbol, _size(channel, params))
        outlet.subscriptions.add(key)
        outlet.ack(base, {"channel": channel, "symbol": symbol, **_extra(key)})
        if params.get("snapshot", channel != "trade"):
            _snapshot(outlet, key, market)


def unsubscribe(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Tell a channel no longer."""
    channel = str(params.get("channel"))
    for symbol in params.get("symbol") or [""]:
        key = (channel, symbol, _size(channel, params))
        outlet.subscriptions.discard(key)
        outlet.books.pop(key, None)
        outlet.ack(base, {"channel": channel, "symbol": symbol})


def _size(channel: str, params: dict[str, Any]) -> int:
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


def _extra(key: Subscription) -> dict[str, Any]:
    names = {"book": "depth", "ohlc": "interval"}
    return {names[key[0]]: key[2]} if key[0] in names else {}


def _snapshot(outlet: Outlet, key: Subscription, market: PairMarket) -> None:
    channel, _, size = key
    now = outlet.exchange.clock.now_ns()
    if channel == "ticker":
        outlet.tell(channel, "snapshot", [views.ticker(market, now_ns=now)])
    elif channel == "book":
        told, outlet.books[key] = views.book(market, size, {}, now_ns=now)
        outlet.tell(channel, "snapshot", [told])
    elif channel == "ohlc":
        last = now // MINUTE_NS // size * size
        starts = [last - size * back for back in range(SNAPSHOT_CANDLES - 1, -1, -1)]
        rows = [views.candle(market, start, size, now_ns=now) for start in starts]
        told_rows = [row for row in rows if row]
        outlet.tell(channel, "snapshot", told_rows, timestamp=words.stamp(now))


def on_trades(outlet: Outlet, market: PairMarket, trades: list[Trade]) -> None:
    """What the market did since the last look."""
    now = outlet.exchange.clock.now_ns()
    for key in list(outlet.subscriptions):
        channel, symbol, size = key
        if symbol != market.symbol or not trades:
            continue
        if channel == "trade":
            outlet.tell(channel, "update", [views.trade(market, one) for one in trades])
        elif channel == "ticker":
            outlet.tell(channel, "update", [views.ticker(market, now_ns=now)])
        elif channel == "book":
            before = outlet.books.get(key, {})
            told, outlet.books[key] = views.book(market, size, before, now_ns=now)
            if told["bids"] or told["asks"]:
                outlet.tell(channel, "update", [told])
        elif channel == "ohlc":
            _tell_candles(outlet, market, size, trades)


def _tell_candles(outlet: Outlet, market: PairMarket, interval: int, trades: list[Trade]) -> None:
    """Each interval that had trades, as it stood after the last of them."""
    newest: dict[int, int] = {}
    for trade in trades:
        newest[trade.time_ns // MINUTE_NS // interval * interval] = trade.time_ns
    for start, at in newest.items():
        row = views.candle(market, start, interval, now_ns=at)
        if row:
            outlet.tell("ohlc", "update", [row], timestamp=words.stamp(at))


def _subscribe_private(
    outlet: Outlet, channel: str, params: dict[str, Any], base: dict[str, Any]
) -> None:
    account = outlet.account_of(params)
    if outlet.account is None:
        outlet.account = account

        def listener(about: str, event: dict[str, Any]) -> None:
            _on_private(outlet, about, event)

        outlet.listener = listener
        account.listeners.append(listener)
    outlet.subscriptions.add((channel, "", 0))
    most = {"maxratecount": int(account.engine_most)} if channel == "executions" else {}
    outlet.tells_rate = outlet.tells_rate or bool(most and params.get("ratecounter"))
    outlet.ack(base, {"channel": channel, "snap_orders": True, "snap_trades": False, **most})
    outlet.sequence[channel] = 1
    if channel == "executions":
        now = outlet.exchange.clock.now_ns()
        events = [{"exec_type": "snapshot", "order": order} for order in account.working()]
        told = [words.execution(event, now_ns=now) for event in events]
    else:
        told = [_balance(asset, value) for asset, value in account.balances.items()]
    outlet.tell(channel, "snapshot", told, sequence=1)


def _balance(asset: str, value: Decimal) -> dict[str, Any]:
    wallet = {"type": "spot", "id": "main", "balance": words.raw(value)}
    return {
        "asset": asset,
        "asset_class": "currency",
        "balance": words.raw(value),
        "wallets": [wallet],
    }


def _on_private(outlet: Outlet, channel: str, event: dict[str, Any]) -> None:
    """News of the account this socket belongs to, and answers that come late, whoever asked."""
    if channel == "answers":
        outlet.send(event["message"])
        return
    if (channel, "", 0) not in outlet.subscriptions or outlet.account is None:
        return
    if channel == "executions":
        told = [{**words.execution(event, now_ns=outlet.exchange.clock.now_ns()),
                 **_rate(outlet, outlet.account, event["order"])}]  # fmt: skip
    else:
        told = [_ledger_row(outlet, asset, event) for asset in event["assets"]]
    outlet.sequence[channel] += 1
    outlet.tell(channel, "update", told, sequence=outlet.sequence[channel])


def _rate(outlet: Outlet, account: Account, order: Order) -> dict[str, Any]:
    """How far the pair's counter is, for those who asked for it."""
    if not outlet.tells_rate:
        return {}
    counter = outlet.exchange.counter(account, order.symbol)
    return {"ratecount": math.ceil(counter.now(outlet.exchange.clock.now_ns()))}


def _ledger_row(outlet: Outlet, asset: str, event: dict[str, Any]) -> dict[str, Any]:
    assert outlet.account is not None
    order, fill = event["order"], event["fill"]
    sign = 1 if order.side == "buy" else -1
    base, quote = order.symbol.split("/")
    moved = {base: sign * fill.quantity, quote: -sign * fill.price * fill.quantity}
    return {
        "ledger_id": outlet.exchange.name("L"),
        "ref_id": fill.trade_id,
        "timestamp": words.stamp(fill.time_ns),
        "type": "trade",
        "asset": asset,
        "asset_class": "currency",
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": words.raw(moved.get(asset, Decimal(0))),
        "fee": words.raw(fill.fee if asset == fill.fee_asset else Decimal(0)),
        "balance": words.raw(outlet.account.balances[asset]),
    }
