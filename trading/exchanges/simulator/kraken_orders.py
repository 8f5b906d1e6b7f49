"""What customers ask of orders, the same over REST and WebSocket once the names are translated."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator.accounts import (
    FOK,
    GTC,
    IOC,
    LIMIT,
    MARKET,
    STOP,
    Account,
    Order,
)
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.kraken_words import number, read_stamp
from trading.exchanges.simulator.rules import Rejected, Wish

MOST_CLIENT_ID = 36
MOST_BATCH = 50
GTD = "gtd"
LONGEST_DEADLINE_NS = 61_000_000_000


def add(exchange: Exchange, account: Account, asked: Mapping[str, Any]) -> Order | None:
    """Place an order from plain names: symbol, side, kind, quantity, price, client_id …

    Raises:
        Rejected: in the venue's words.
    """
    _refuse_margin(asked)
    if asked.get("kind") not in (MARKET, LIMIT, STOP):
        raise Rejected("EGeneral:Invalid arguments:ordertype")
    if asked.get("side") not in ("buy", "sell"):
        raise Rejected("EGeneral:Invalid arguments:type")
    price = asked.get("price")
    if asked["kind"] == MARKET:
        price = None
    elif price is None:
        raise Rejected("EGeneral:Invalid arguments:price")
    client_id = str(asked.get("client_id") or "")
    if len(client_id) > MOST_CLIENT_ID:
        raise Rejected("EGeneral:Invalid arguments:cl_ord_id")
    wish = Wish(
        symbol=asked["symbol"],
        side=asked["side"],
        kind=asked["kind"],
        quantity=_quantity(exchange, asked),
        price=None if price is None else number(price, "price"),
        client_id=client_id,
        post_only=bool(asked.get("post_only")),
        expires_ns=int(asked.get("expires_ns") or 0),
        deadline_ns=_deadline(exchange, asked.get("deadline")),
        validate=bool(asked.get("validate")),
        time_in_force=_ending(asked),
    )
    return exchange.place(account, wish)


def _refuse_margin(asked: Mapping[str, Any]) -> None:
    """What takes borrowed money, a later hour or an order of its own is not to be had here.

    Raises:
        Rejected: it was asked for; taking the order without it would be another order.
    """
    if str(asked.get("leverage") or "none").lower() not in ("none", "false", "0", "1"):
        raise Rejected("EOrder:Cannot open position")
    if str(asked.get("reduce_only") or "").lower() in ("true", "1"):
        raise Rejected("EOrder:Reduce only:No position exists")
    for field in ("close", "starttm"):
        if str(asked.get(field) or "0") != "0":
            raise Rejected(f"EGeneral:Invalid arguments:{field}")


def _ending(asked: Mapping[str, Any]) -> str:
    """How long the order works, in the words of the matching."""
    word = str(asked.get("time_in_force") or GTC).lower()
    is_dated = word == GTD and bool(asked.get("expires_ns"))
    if not (is_dated or word in (GTC, IOC, FOK)):
        raise Rejected("EGeneral:Invalid arguments:timeinforce")
    if asked.get("post_only") and word in (IOC, FOK):
        raise Rejected("EGeneral:Invalid arguments:timeinforce")
    return word if word in (IOC, FOK) and asked["kind"] == LIMIT else GTC


def _quantity(exchange: Exchange, asked: Mapping[str, Any]) -> Decimal:
    """In base; what is told in quote buys as much as the book gives for it."""
    told = number(asked.get("quantity"), "volume")
    if not asked.get("in_quote"):
        return told
    market = exchange.markets.get(str(asked.get("symbol")))
    if (asked["kind"], asked["side"]) != (MARKET, "buy") or market is None or told <= 0:
        raise Rejected("EGeneral:Invalid arguments:viqc")
    left, bought = told, Decimal(0)
    for price, size in market.book()[1]:
        taken = min(size, left / price)
        bought, left = bought + taken, left - taken * price
        if left <= 0:
            break
    return bought // market.grid.lot_size * market.grid.lot_size


def _deadline(exchange: Exchange, value: Any) -> int:
    if not value:
        return 0
    deadline = read_stamp(str(value), "deadline")
    if deadline > exchange.clock.now_ns() + LONGEST_DEADLINE_NS:
        raise Rejected("EGeneral:Invalid arguments:deadline")
    return deadline


def amend(exchange: Exchange, account: Account, asked: Mapping[str, Any]) -> str:
    """Change quantity, limit or trigger of a working order; the amendment's name.

    Raises:
        Rejected: in the venue's words.
    """
    order = named(account, asked)
    deadline_ns = _deadline(exchange, asked.get("deadline"))
    if deadline_ns and exchange.clock.now_ns() > deadline_ns:
        raise Rejected("EService:Deadline elapsed")
    price = asked.get("price")
    quantity = asked.get("quantity")
    return exchange.amend(
        account,
        order,
        quantity=None if quantity is None else number(quantity, "order_qty"),
        price=None if price is None else number(price, "price"),
    )


def cancel_batch(exchange: Exchange, account: Account, asked: Mapping[str, Any]) -> int:
    """Cancel the orders that a list names, by either name; how many of them worked.

    Raises:
        Rejected: none, or more than there may be.
    """
    lists = {"order_id": asked.get("orders"), "client_id": asked.get("cl_ord_ids")}
    found = {
        (kind, str(one.get("txid") if isinstance(one, dict) else one))
        for kind, given in lists.items()
        for one in (given if isinstance(given, list) else [])
    }
    if not 0 < len(found) <= MOST_BATCH:
        raise Rejected("EGeneral:Invalid arguments:orders")
    orders = [named(account, {kind: name}) for kind, name in sorted(found)]
    working = [order for order in orders if order is not None and order.is_open]
    for order in working:
        exchange.cancel(account, order, reason="User requested")
    return len(working)


def named(account: Account, asked: Mapping[str, Any]) -> Order | None:
    """The order a request names; by the customer's name only a working one."""
    order_id, client_id = str(asked.get("order_id") or ""), str(asked.get("client_id") or "")
    if order_id:
        return account.find(order_id=order_id)
    mine = [order for order in account.working() if order.client_id == client_id]
    return mine[0] if mine and client_id else None
