"""Subscriptions of the simulated venue: what each channel tells at first, and as things happen."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from trading.exchanges.simulator import kraken_own_channels as own
from trading.exchanges.simulator import kraken_views as views
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.kraken_outlet import Listed, Outlet, Subscription
from trading.exchanges.simulator.market import MINUTE_NS, PairMarket, Trade
from trading.exchanges.simulator.rules import Rejected

INSTRUMENT = "instrument"
PUBLIC = ("ticker", "book", "trade", "ohlc", INSTRUMENT)
DEPTHS = (10, 25, 100, 500, 1000)
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
SNAPSHOT_CANDLES, SNAPSHOT_TRADES = 30, 50
TRIGGERS = ("trades", "bbo")
DELISTED = "delisted"


def subscribe(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Begin to tell a channel.

    Raises:
        Rejected: in the venue's words.
    """
    channel = params.get("channel")
    if channel in own.CHANNELS:
        own.subscribe(outlet, channel, params, base)
        return
    if channel not in PUBLIC:
        raise Rejected("Subscription name invalid")
    if channel == INSTRUMENT:
        _subscribe_instruments(outlet, params, base)
        return
    for symbol in params.get("symbol") or []:
        market = outlet.exchange.markets.get(symbol)
        if market is None:
            words_ = f"Currency pair not supported {symbol}"
            outlet.refuse({**base, "symbol": symbol}, words_)
            continue
        key = (channel, symbol, _size(channel, params))
        outlet.subscriptions.add(key)
        has_snapshot = params.get("snapshot", channel != "trade")
        extra = {**_extra(key), "snapshot": has_snapshot}
        outlet.ack(base, {"channel": channel, "symbol": symbol, **extra})
        if has_snapshot:
            _snapshot(outlet, key, market)


def unsubscribe(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Tell a channel no longer."""
    channel = str(params.get("channel"))
    for symbol in params.get("symbol") or [""]:
        key = (channel, symbol, _size(channel, params))
        outlet.subscriptions.discard(key)
        outlet.books.pop(key, None)
        outlet.ack(base, {"channel": channel, **({"symbol": symbol} if symbol else {})})


def _subscribe_instruments(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """All pairs and assets; there is no asking for some."""
    if "symbol" in params:
        raise Rejected(f"Unsupported field: 'symbol' for the given msg type: {base['method']}")
    has_snapshot = params.get("snapshot", True)
    outlet.ack(base, {"channel": INSTRUMENT, "snapshot": has_snapshot})
    outlet.subscriptions.add((INSTRUMENT, "", 0))
    outlet.listed = _listed(outlet.exchange)
    if has_snapshot:
        names = sorted({asset for symbol in outlet.listed for asset in symbol.split("/")})
        _tell_instruments(outlet, "snapshot", names, outlet.listed)


def _listed(exchange: Exchange) -> Listed:
    """On which terms each pair trades now."""
    return {
        one.symbol: (exchange.status_of(one.symbol), one.grid) for one in exchange.markets.values()
    }


def _tell_instruments(outlet: Outlet, kind: str, names: list[str], pairs: Listed) -> None:
    told = {
        "assets": [views.asset(name) for name in names],
        "pairs": [views.instrument(symbol, *terms) for symbol, terms in pairs.items()],
    }
    outlet.tell(INSTRUMENT, kind, told)


def on_terms(outlet: Outlet) -> None:
    """The venue's mode and its pairs' terms, where they are others than were told."""
    if outlet.told_mode != outlet.exchange.mode:
        outlet.greet()
    if (INSTRUMENT, "", 0) not in outlet.subscriptions:
        return
    now, before = _listed(outlet.exchange), outlet.listed
    changed = {symbol: terms for symbol, terms in now.items() if before.get(symbol) != terms}
    gone = {one: (DELISTED, grid) for one, (_, grid) in before.items() if one not in now}
    outlet.listed = now
    if changed or gone:
        _tell_instruments(outlet, "update", [], changed | gone)


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
    if channel == "ticker":
        trigger = params.get("event_trigger", TRIGGERS[0])
        if trigger not in TRIGGERS:
            raise Rejected("Subscription event_trigger not supported")
        return TRIGGERS.index(trigger)
    return 0


def _extra(key: Subscription) -> dict[str, Any]:
    channel, _, size = key
    if channel == "ticker":
        return {"event_trigger": TRIGGERS[size]}
    names = {"book": "depth", "ohlc": "interval"}
    return {names[channel]: size} if channel in names else {}


def _snapshot(outlet: Outlet, key: Subscription, market: PairMarket) -> None:
    channel, _, size = key
    now = outlet.exchange.told_ns()
    if channel == "ticker":
        outlet.tell(channel, "snapshot", [views.ticker(market, now_ns=now)])
        outlet.books[key] = _best(market)
    elif channel == "trade":
        told_trades = views.last_trades(market, SNAPSHOT_TRADES, now_ns=now)
        outlet.tell(channel, "snapshot", [views.trade(market, one) for one in told_trades])
    elif channel == "book":
        told, outlet.books[key] = views.book(market, size, {}, now_ns=now)
        outlet.tell(channel, "snapshot", [told])
    elif channel == "ohlc":
        last = now // MINUTE_NS // size * size
        starts = [last - size * back for back in range(SNAPSHOT_CANDLES - 1, -1, -1)]
        rows = [views.candle(market, start, size, now_ns=now) for start in starts]
        told_rows = [row for row in rows if row]
        outlet.tell(channel, "snapshot", told_rows, timestamp=words.stamp(now))


Happened = Sequence[tuple[PairMarket, Sequence[Trade]]]


def on_trades(outlet: Outlet, happened: Happened) -> None:
    """What the markets did since the last look: all candles as time went by, then the rest of it."""
    candles = [row for market, trades in happened for row in _grown(outlet, market, trades)]
    for at_ns, market, start, interval in sorted(candles, key=itemgetter(0)):
        row = views.candle(market, start, interval, now_ns=at_ns)
        if row:
            outlet.tell("ohlc", "update", [row], timestamp=words.stamp(at_ns))
    for market, trades in happened:
        for key in list(outlet.subscriptions):
            if key[1] == market.symbol and trades:
                _tell_trades(outlet, key, market, trades)


def _tell_trades(
    outlet: Outlet, key: Subscription, market: PairMarket, trades: Sequence[Trade]
) -> None:
    channel, _, size = key
    if channel == "trade":
        outlet.tell(channel, "update", [views.trade(market, one) for one in trades])
    elif channel == "ticker":
        _tell_ticker(outlet, key, market)
    elif channel == "book":
        before = outlet.books.get(key, {})
        now = outlet.exchange.clock.now_ns()
        told, outlet.books[key] = views.book(market, size, before, now_ns=now)
        if told["bids"] or told["asks"]:
            outlet.tell(channel, "update", [told])


def _best(market: PairMarket) -> views.Window:
    bids, asks = market.book(1)
    return {("bids", bids[0][0]): bids[0][1], ("asks", asks[0][0]): asks[0][1]}


def _tell_ticker(outlet: Outlet, key: Subscription, market: PairMarket) -> None:
    """After every trade, or where only another best price or quantity is worth it."""
    best = _best(market)
    if TRIGGERS[key[2]] == "trades" or outlet.books.get(key) != best:
        row = views.ticker(market, now_ns=outlet.exchange.told_ns())
        outlet.tell(key[0], "update", [row])
    outlet.books[key] = best


def _grown(
    outlet: Outlet, market: PairMarket, trades: Sequence[Trade]
) -> list[tuple[int, PairMarket, int, int]]:
    """(last trade, market, minute, interval) of each candle that is listened to and had trades."""
    newest: dict[tuple[int, int], int] = {}
    for channel, symbol, interval in outlet.subscriptions:
        if channel == "ohlc" and symbol == market.symbol:
            for trade in trades:
                start = trade.time_ns // MINUTE_NS // interval * interval
                newest[start, interval] = trade.time_ns
    return [(at_ns, market, start, interval) for (start, interval), at_ns in newest.items()]
