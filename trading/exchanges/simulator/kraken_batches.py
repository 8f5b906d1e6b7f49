"""Several orders at once, and orders in the place of others, at the simulated Kraken."""

from collections.abc import Mapping, Sequence
from typing import Any

from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator import kraken_rows as rows
from trading.exchanges.simulator.accounts import Account, Order
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.rules import Rejected, Wish

FEWEST, MOST = 2, 15
COST = 0.5  # of the trading rate, for each order


def add(
    exchange: Exchange, account: Account, asked: Sequence[Mapping[str, Any]]
) -> list[tuple[Wish, Order | Rejected | None]]:
    """Each order as it was asked for, and what came of it; None where it was only to be validated.

    Raises:
        Rejected: one is written wrongly, or there are too few or too many; nothing was placed.
    """
    if not FEWEST <= len(asked) <= MOST:
        raise Rejected("EGeneral:Invalid arguments:orders")
    wishes = [orders.wish_of(exchange, one) for one in asked]
    return [(wish, _place(exchange, account, wish)) for wish in wishes]


def _place(exchange: Exchange, account: Account, wish: Wish) -> Order | Rejected | None:
    try:
        return exchange.place(account, wish, cost=COST)
    except Rejected as error:
        return error


def edit(
    exchange: Exchange, account: Account, asked: Mapping[str, Any]
) -> tuple[Order, Wish, Order | None]:
    """(the order that was, what is asked for, the order that is); what is not told stays.

    Raises:
        Rejected: in the venue's words; the old one works on.
    """
    mine = orders.by_userref(account, asked.get("order_id")) or [orders.named(account, asked)]
    old = mine[0]
    if len(mine) != 1 or old is None or not old.is_open or old.client_id:
        raise Rejected("EOrder:Invalid order")
    if asked.get("symbol") not in (None, old.symbol):
        raise Rejected("EGeneral:Invalid arguments:pair")
    price, price2 = rows.levels(old)
    told = {name: value for name, value in asked.items() if value not in (None, "")}
    stays = {"quantity": old.left, "price": price, "price2": price2, "userref": old.userref,
             "post_only": old.post_only}  # fmt: skip
    is_own = {"symbol": old.symbol, "side": old.side, "kind": old.kind,
              "time_in_force": old.time_in_force, "expires_ns": old.expires_ns}  # fmt: skip
    wish = orders.wish_of(exchange, stays | told | is_own)
    return old, wish, exchange.edit(account, old, wish)
