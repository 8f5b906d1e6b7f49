"""Kraken's names and texts: assets, pairs, orders as REST tells them, numbers as WebSocket writes them."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Raw

from trading.exchanges.simulator.accounts import KRAKEN_TARIFF, MARKET, STOP, Fill, Order
from trading.exchanges.simulator.ledger import Line
from trading.exchanges.simulator.market import Grid, PairMarket
from trading.exchanges.simulator.rules import Rejected

NS = 1_000_000_000
DAY_SECONDS = 86_400
LEGACY = {  # asset as customers say it: (REST key, altname)
    "BTC": ("XXBT", "XBT"),
    "ETH": ("XETH", "ETH"),
    "XRP": ("XXRP", "XRP"),
    "DOGE": ("XXDG", "XDG"),
    "LTC": ("XLTC", "LTC"),
    "USD": ("ZUSD", "USD"),
    "EUR": ("ZEUR", "EUR"),
}


def asset_key(asset: str) -> str:
    """REST's key of an asset."""
    return LEGACY.get(asset, (asset, asset))[0]


def altname(asset: str) -> str:
    """The older name of an asset."""
    return LEGACY.get(asset, (asset, asset))[1]


def pair_key(symbol: str) -> str:
    """REST's key of a pair: XXBTZUSD, SOLUSD."""
    base, quote = symbol.split("/")
    if base in LEGACY and quote in LEGACY and base != "DOGE":
        return asset_key(base) + asset_key(quote)
    return altname(base) + altname(quote)


def pair_names(symbol: str) -> set[str]:
    """Every name REST takes for a pair."""
    base, quote = symbol.split("/")
    return {pair_key(symbol), altname(base) + altname(quote), f"{altname(base)}/{altname(quote)}",
            symbol}  # fmt: skip


def pair_facts(market: PairMarket, status: str) -> dict[str, Any]:
    """One entry of AssetPairs."""
    base, quote = market.symbol.split("/")
    grid: Grid = market.grid
    return {
        "altname": altname(base) + altname(quote),
        "wsname": f"{altname(base)}/{altname(quote)}",
        "aclass_base": "currency",
        "base": asset_key(base),
        "aclass_quote": "currency",
        "quote": asset_key(quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": grid.price_decimals,
        "lot_decimals": grid.lot_decimals,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, float(KRAKEN_TARIFF.taker * 100)]],
        "fees_maker": [[0, float(KRAKEN_TARIFF.maker * 100)]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": text(grid.min_quantity),
        "costmin": text(grid.min_notional),
        "tick_size": text(grid.tick_size),
        "status": status,
    }


def text(value: Decimal) -> str:
    """A number as REST writes it."""
    return f"{value:f}"


def raw(value: Decimal) -> Raw:
    """A number of JSON with every digit of its decimal."""
    return Raw(f"{value:f}".encode())


def seconds(time_ns: int) -> Raw:
    """A REST time stamp: seconds with a fraction."""
    return Raw(f"{time_ns // NS}.{time_ns % NS // 10_000:05d}".encode())


def stamp(time_ns: int) -> str:
    """A WebSocket time stamp."""
    at = datetime.fromtimestamp(time_ns // NS, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % NS // 1000:06d}Z"


def read_stamp(value: str, field: str) -> int:
    """Nanoseconds of an RFC 3339 time.

    Raises:
        Rejected: it is none.
    """
    try:
        at = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        raise Rejected(f"EGeneral:Invalid arguments:{field}") from None
    return int(at.timestamp() * 1_000_000) * 1000


def number(value: Any, field: str) -> Decimal:
    """A number of a request.

    Raises:
        Rejected: it is none.
    """
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        read = Decimal("nan")
    if not read.is_finite():
        raise Rejected(f"EGeneral:Invalid arguments:{field}")
    return read


def timeout(value: Any) -> int:
    """Seconds of the dead-man switch.

    Raises:
        Rejected: more than a day, or no number.
    """
    read = number(value or 0, "timeout")
    if not 0 <= read < DAY_SECONDS:
        raise Rejected("EGeneral:Invalid arguments:timeout")
    return int(read)


def switch(*, now_ns: int, fires_ns: int) -> dict[str, Any]:
    """How the dead-man switch stands."""
    return {"currentTime": stamp(now_ns), "triggerTime": stamp(fires_ns) if fires_ns else "0"}


def rest_order(order: Order, *, trades: bool) -> dict[str, Any]:
    """An order as OpenOrders, ClosedOrders and QueryOrders tell it."""
    is_stop = order.kind == STOP
    price = text(order.price) if order.price is not None else "0"
    average = order.cost / order.filled if order.filled else Decimal(0)
    pair = pair_names_short(order.symbol)
    words = describe(order.side, text(order.quantity), order.symbol, order.kind, price)
    told: dict[str, Any] = {
        "refid": None,
        "userref": 0,
        "cl_ord_id": order.client_id or None,
        "status": order.status,
        "opentm": seconds(order.opened_ns),
        "starttm": 0,
        "expiretm": order.expires_ns // NS,
        "descr": {
            "pair": pair,
            "type": order.side,
            "ordertype": order.kind,
            "price": price,
            "price2": "0",
            "leverage": "none",
            "order": words,
            "close": "",
        },
        "vol": text(order.quantity),
        "vol_exec": text(order.filled),
        "cost": text(order.cost),
        "fee": text(order.fee),
        "price": text(average.quantize(Decimal("0.00001"))),
        "stopprice": price if is_stop else "0.00000",
        "limitprice": "0.00000",
        "misc": "",
        "oflags": "post,fciq" if order.post_only else "fciq",
    }
    if order.closed_ns:
        told |= {"closetm": seconds(order.closed_ns), "reason": order.reason or None}
    if trades and order.fills:
        told["trades"] = [fill.trade_id for fill in order.fills]
    return told


def describe(side: str, quantity: str, symbol: str, kind: str, price: str) -> str:
    """An order in the venue's sentence: ``buy 0.01 XBTUSD @ stop loss 100.0``."""
    level = "" if kind == MARKET else f" {price}"
    return f"{side} {quantity} {pair_names_short(symbol)} @ {kind.replace('-', ' ')}{level}"


def pair_names_short(symbol: str) -> str:
    """The altname of a pair."""
    base, quote = symbol.split("/")
    return altname(base) + altname(quote)


def rest_trade(order: Order, fill: Fill) -> dict[str, Any]:
    """A trade as TradesHistory and QueryTrades tell it."""
    return {
        "ordertxid": order.order_id,
        "postxid": "TKH2SE-M7IF5-CFI7LT",
        "pair": pair_key(order.symbol),
        "time": seconds(fill.time_ns),
        "type": order.side,
        "ordertype": order.kind,
        "price": text(fill.price),
        "cost": text(fill.price * fill.quantity),
        "fee": text(order.fee_of(fill)),
        "vol": text(fill.quantity),
        "margin": "0.00000",
        "misc": "",
        "trade_id": fill.number,
        "maker": fill.is_maker,
    }


def ledger_line(line: Line) -> dict[str, Any]:
    """A line as Ledgers and QueryLedgers tell it."""
    return {
        "refid": line.reference,
        "time": seconds(line.time_ns),
        "type": line.kind,
        "subtype": "",
        "aclass": "currency",
        "asset": asset_key(line.asset),
        "amount": text(line.amount),
        "fee": text(line.fee),
        "balance": text(line.balance),
    }


WS_STATUS = {"open": "new", "closed": "filled", "canceled": "canceled", "expired": "expired"}


def execution(event: dict[str, Any], *, now_ns: int) -> dict[str, Any]:
    """One entry of the executions channel; only what its kind carries."""
    order: Order = event["order"]
    kind = event["exec_type"]
    status = "partially_filled" if order.is_open and order.fills else WS_STATUS[order.status]
    told: dict[str, Any] = {
        "order_id": order.order_id,
        "exec_type": kind,
        "order_status": "pending_new" if kind == "pending_new" else status,
        "timestamp": stamp(event["fill"].time_ns if "fill" in event else now_ns),
    }
    if order.client_id:
        told["cl_ord_id"] = order.client_id
    if kind in ("pending_new", "snapshot", "amended"):
        told |= _facts(order)
    if kind == "snapshot":
        told["exec_type"] = "new"
    if kind == "trade":
        told["order_status"] = "partially_filled"
        told |= _fill_facts(order, event["fill"])
    if kind in ("filled", "canceled", "expired", "snapshot"):
        told |= {"cum_qty": raw(order.filled), "cum_cost": raw(order.cost)}
    if kind in ("canceled", "expired"):
        told["reason"] = order.reason
    return told


def _facts(order: Order) -> dict[str, Any]:
    told: dict[str, Any] = {
        "symbol": order.symbol,
        "side": order.side,
        "order_type": order.kind,
        "order_qty": raw(order.quantity),
        "time_in_force": "GTD" if order.expires_ns else order.time_in_force.upper(),
    }
    if order.price is not None and order.kind == STOP:
        told["triggers"] = {
            "reference": "last",
            "price": raw(order.price),
            "price_type": "static",
            "status": "untriggered",
        }
    elif order.price is not None:
        told["limit_price"] = raw(order.price)
    return told


def _fill_facts(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "symbol": order.symbol,
        "side": order.side,
        "exec_id": fill.trade_id,
        "trade_id": fill.number,
        "last_qty": raw(fill.quantity),
        "last_price": raw(fill.price),
        "cost": raw(fill.price * fill.quantity),
        "liquidity_ind": "m" if fill.is_maker else "t",
        "fees": [{"asset": fill.fee_asset, "qty": raw(fill.fee)}],
        "cum_qty": raw(order.filled),
        "cum_cost": raw(order.cost),
    }
