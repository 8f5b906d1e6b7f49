"""Rows of one's own at the simulated Kraken: orders, trades and ledger lines, on REST and the sockets."""

from decimal import Decimal
from typing import Any

from trading.exchanges.simulator.accounts import (
    LIMITED,
    MARKET,
    SWEPT,
    TRAILING,
    Amendment,
    Fill,
    Order,
)
from trading.exchanges.simulator.kraken_words import (
    NS,
    asset_key,
    pair_key,
    pair_names_short,
    raw,
    seconds,
    stamp,
    text,
)
from trading.exchanges.simulator.ledger import Line

MS = 1_000_000


def rest_order(order: Order, *, trades: bool) -> dict[str, Any]:
    """An order as OpenOrders, ClosedOrders and QueryOrders tell it."""
    average = order.cost / order.filled if order.filled else Decimal(0)
    told: dict[str, Any] = {
        "refid": None,
        "userref": order.userref or None,
        "cl_ord_id": order.client_id or None,
        "status": order.status,
        "opentm": seconds(order.opened_ns),
        "starttm": 0,
        "expiretm": order.expires_ns // NS,
        "descr": _description(order),
        "vol": text(order.quantity),
        "vol_exec": text(order.filled),
        "cost": text(order.cost),
        "fee": text(order.fee),
        "price": text(average.quantize(Decimal("0.00001"))),
        "stopprice": text(_trigger(order) or Decimal("0.00000")),
        "limitprice": text(order.price or Decimal("0.00000")) if _is_set_off(order) else "0.00000",
        "misc": ",".join(_misc(order)),
        "oflags": "post,fciq" if order.post_only else "fciq",
    }
    if order.kind in SWEPT + LIMITED:
        told["trigger"] = "last"
    if order.closed_ns:
        told |= {"closetm": seconds(order.closed_ns), "reason": order.reason or None}
    if trades and order.fills:
        told["trades"] = [fill.trade_id for fill in order.fills]
    return told


def _description(order: Order) -> dict[str, Any]:
    first, second = levels(order)
    return {
        "pair": pair_names_short(order.symbol),
        "type": order.side,
        "ordertype": order.kind,
        "price": first,
        "price2": second,
        "leverage": "none",
        "order": describe(order),
        "close": "",
    }


def levels(order: Order) -> tuple[str, str]:
    """(price, price2) as they were asked for."""
    price = text(order.price) if order.price is not None else "0"
    if order.kind in LIMITED and order.stop is not None:
        return text(order.stop), price
    return order.trail or price, "0"


def _trigger(order: Order) -> Decimal | None:
    return order.price if order.kind in SWEPT else order.stop


def _is_set_off(order: Order) -> bool:
    return order.kind in LIMITED and order.is_triggered


def _misc(order: Order) -> list[str]:
    marks = {"stopped": order.is_triggered, "amended": bool(order.amendments),
             "partial": not order.is_open and 0 < order.filled < order.quantity}  # fmt: skip
    return [mark for mark, is_so in marks.items() if is_so]


def describe(order: Order, *, volume: Any = None) -> str:
    """An order in the venue's sentence: ``buy 0.01 XBTUSD @ stop loss 100.0 -> limit 101.0``."""
    told = text(order.quantity) if volume is None else str(volume)
    first, second = levels(order)
    kind = order.kind.removesuffix("-limit").replace("-", " ")
    level = "" if order.kind == MARKET else f" {first}"
    limit = f" -> limit {second}" if order.kind in LIMITED else ""
    pair = pair_names_short(order.symbol)
    return f"{order.side} {told} {pair} @ {kind}{level}{limit}"


def amendment(one: Amendment) -> dict[str, Any]:
    """What an order was made, as OrderAmends tells it."""
    told = {
        "amend_id": one.amend_id,
        "amend_type": one.kind,
        "order_qty": text(one.quantity),
        "remaining_qty": text(one.left),
        "post_only": one.post_only,
        "timestamp": one.time_ns // MS,
    }
    if one.price is not None:
        told["limit_price"] = text(one.price)
    if one.stop is not None:
        told["trigger_price"] = text(one.stop)
    return told


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


def transfer(line: Line) -> dict[str, Any]:
    """A line as DepositStatus and WithdrawStatus tell it."""
    return {
        "method": "Simulated",
        "aclass": "currency",
        "asset": asset_key(line.asset),
        "refid": line.reference,
        "txid": line.reference,
        "info": "",
        "amount": text(abs(line.amount)),
        "fee": text(line.fee),
        "time": line.time_ns // NS,
        "status": "Success",
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
    if order.userref:
        told["order_userref"] = order.userref
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
    level = _trigger(order)
    if level is not None:
        told["triggers"] = {
            "reference": "last",
            "price": raw(level),
            "price_type": "static",
            "status": "triggered" if order.is_triggered else "untriggered",
        }
    if order.kind == TRAILING:
        told["triggers"] |= {
            "price": raw(Decimal(order.trail.rstrip("%"))),
            "price_type": "pct" if order.trail.endswith("%") else "quote",
            "actual_price": raw(order.price or Decimal(0)),
        }
    if order.price is not None and order.kind not in SWEPT:
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
