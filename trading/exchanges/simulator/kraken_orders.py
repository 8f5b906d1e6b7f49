"""What customers ask of orders, the same over REST and WebSocket once the names are translated."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_prices
from trading.exchanges.simulator.accounts import (
    FOK,
    GTC,
    IOC,
    LIMIT,
    LIMITED,
    MARKET,
    STOP,
    STOP_LOSS_LIMIT,
    SWEPT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING,
    Account,
    Order,
)
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.kraken_words import number, read_stamp
from trading.exchanges.simulator.market import PairMarket
from trading.exchanges.simulator.rules import Rejected, Wish

KINDS = (MARKET, LIMIT, STOP, STOP_LOSS_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, TRAILING)
NOT_HERE = {"close": "close", "starttm": "starttm", "display": "displayvol", "stp": "stptype"}
REQUESTED = "User requested"
MOST_USERREF = 2**31 - 1
MOST_CLIENT_ID = 36
MOST_BATCH = 50
GTD = "gtd"
LONGEST_DEADLINE_NS = 61_000_000_000


def wish_of(exchange: Exchange, asked: Mapping[str, Any]) -> Wish:
    """An order from plain names: symbol, side, kind, quantity, price, price2, client_id …

    Raises:
        Rejected: in the venue's words.
    """
    _refuse_margin(asked)
    if asked.get("kind") not in KINDS:
        raise Rejected("EGeneral:Invalid arguments:ordertype")
    if asked.get("side") not in ("buy", "sell"):
        raise Rejected("EGeneral:Invalid arguments:type")
    market = exchange.markets.get(str(asked["symbol"]))
    if market is None:
        raise Rejected("EQuery:Unknown asset pair")
    if asked.get("post_only") and asked["kind"] != LIMIT:
        raise Rejected("EGeneral:Invalid arguments:oflags")
    levels = kraken_prices.read(market, asked)
    return Wish(
        symbol=market.symbol,
        side=asked["side"],
        kind=asked["kind"],
        quantity=_quantity(market, asked),
        price=levels.price,
        client_id=_client_id(asked),
        post_only=bool(asked.get("post_only")),
        expires_ns=int(asked.get("expires_ns") or 0),
        deadline_ns=_deadline(exchange, asked.get("deadline")),
        validate=bool(asked.get("validate")),
        time_in_force=_ending(asked),
        stop=levels.stop,
        is_stop_up=levels.is_stop_up,
        userref=_userref(asked),
        trail=levels.trail,
    )


def add(exchange: Exchange, account: Account, asked: Mapping[str, Any]) -> Order | None:
    """Place an order; None for one that was only to be validated.

    Raises:
        Rejected: in the venue's words.
    """
    return exchange.place(account, wish_of(exchange, asked))


def _client_id(asked: Mapping[str, Any]) -> str:
    told = str(asked.get("client_id") or "")
    if len(told) > MOST_CLIENT_ID or (told and asked.get("userref")):
        raise Rejected("EGeneral:Invalid arguments:cl_ord_id")
    return told


def _userref(asked: Mapping[str, Any]) -> int:
    told = number(asked.get("userref") or 0, "userref")
    if told % 1 or not -MOST_USERREF - 1 <= told <= MOST_USERREF:
        raise Rejected("EGeneral:Invalid arguments:userref")
    return int(told)


def _refuse_margin(asked: Mapping[str, Any]) -> None:
    """What takes borrowed money, a later hour, an order of its own or a hidden part is not to be had.

    Raises:
        Rejected: it was asked for; taking the order without it would be another order.
    """
    if str(asked.get("leverage") or "none").lower() not in ("none", "false", "0", "1"):
        raise Rejected("EOrder:Cannot open position")
    if str(asked.get("reduce_only") or "").lower() in ("true", "1"):
        raise Rejected("EOrder:Reduce only:No position exists")
    for field, word in NOT_HERE.items():
        if str(asked.get(field) or "0") != "0":
            raise Rejected(f"EGeneral:Invalid arguments:{word}")


def _ending(asked: Mapping[str, Any]) -> str:
    """How long the order works, in the words of the matching."""
    word = str(asked.get("time_in_force") or GTC).lower()
    is_dated = word == GTD and bool(asked.get("expires_ns"))
    if not (is_dated or word in (GTC, IOC, FOK)):
        raise Rejected("EGeneral:Invalid arguments:timeinforce")
    if asked.get("post_only") and word in (IOC, FOK):
        raise Rejected("EGeneral:Invalid arguments:timeinforce")
    return word if word in (IOC, FOK) and asked["kind"] == LIMIT else GTC


def _quantity(market: PairMarket, asked: Mapping[str, Any]) -> Decimal:
    """In base; what is told in quote buys as much as the book gives for it."""
    told = number(asked.get("quantity"), "volume")
    if not asked.get("in_quote"):
        return told
    if (asked["kind"], asked["side"]) != (MARKET, "buy") or told <= 0:
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
    if str(asked.get("display") or "0") != "0":
        raise Rejected("EGeneral:Invalid arguments:display_qty")
    names = ("quantity", "order_qty"), ("limit", "limit_price"), ("trigger", "trigger_price")
    quantity, limit, trigger = (
        None if asked.get(ours) in (None, "") else number(asked[ours], theirs)
        for ours, theirs in names
    )
    if order is not None:
        _refuse_levels(order, limit, trigger)
        if order.kind in SWEPT:
            limit, trigger = trigger, None
    return exchange.amend(account, order, quantity=quantity, price=limit, stop=trigger)


def _refuse_levels(order: Order, limit: Decimal | None, trigger: Decimal | None) -> None:
    """What an order does not have cannot be changed.

    Raises:
        Rejected: somebody tries.
    """
    if limit is not None and order.kind in (MARKET, *SWEPT):
        raise Rejected("EGeneral:Invalid arguments:limit_price")
    has_trigger = order.kind in SWEPT + LIMITED and not (order.trail or order.is_triggered)
    if trigger is not None and not has_trigger:
        raise Rejected("EGeneral:Invalid arguments:trigger_price")


def cancel(exchange: Exchange, account: Account, asked: Mapping[str, Any]) -> int:
    """Cancel the order a request names, or all of a userref; how many.

    Raises:
        Rejected: none of that name works.
    """
    mine = by_userref(account, asked.get("order_id")) or [named(account, asked)]
    for order in mine:
        exchange.cancel(account, order, reason=REQUESTED)
    return len(mine)


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
    orders = list[Order | None]()
    for kind, name in sorted(found):
        mine = by_userref(account, name) if kind == "order_id" else []
        orders += mine or [named(account, {kind: name})]
    working = {one.order_id: one for one in orders if one is not None and one.is_open}
    for order in working.values():
        exchange.cancel(account, order, reason=REQUESTED)
    return len(working)


def by_userref(account: Account, name: Any) -> Sequence[Order | None]:
    """The working orders of a customer's number; none where it is no number."""
    if not str(name or "").removeprefix("-").isdecimal():
        return []
    return [order for order in account.working() if order.userref == int(name)]


def named(account: Account, asked: Mapping[str, Any]) -> Order | None:
    """The order a request names; by the customer's name only a working one."""
    order_id, client_id = str(asked.get("order_id") or ""), str(asked.get("client_id") or "")
    if order_id:
        return account.find(order_id=order_id)
    mine = [order for order in account.working() if order.client_id == client_id]
    return mine[0] if mine and client_id else None
