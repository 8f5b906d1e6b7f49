"""Lists of orders and trades of the simulated Kraken: open, closed, by name, page by page."""

from collections.abc import Callable, Mapping
from typing import Any

from trading.exchanges.simulator import kraken_rows as rows
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Account, Fill, Order
from trading.exchanges.simulator.exchange import Exchange, as_it_is
from trading.exchanges.simulator.kraken_pages import Past, page
from trading.exchanges.simulator.rules import Rejected

MOST_ORDERS, MOST_TRADES = 50, 20
BY_TIME = {"open": lambda o: o.opened_ns, "close": lambda o: o.closed_ns}
Asked = Mapping[str, Any]
Method = tuple[str, Callable[[Account, Asked], Any]]


class Lists:
    """What an account may ask of what it did."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.known: dict[str, Method] = {
            "OpenOrders": ("query-open-trades", self._open),
            "ClosedOrders": ("query-closed-trades", self._closed),
            "QueryOrders": ("query-closed-trades", self._query),
            "OrderAmends": ("query-open-trades", self._amends),
            "OpenPositions": ("query-open-trades", self._positions),
            "TradesHistory": ("query-closed-trades", self._history),
            "QueryTrades": ("query-closed-trades", self._query_trades),
        }

    def _open(self, account: Account, asked: Asked) -> Any:
        now = self._exchange.clock.now_ns()
        listed = now >= account.unlisted_until_ns
        trades = words.is_true(asked.get("trades"))
        return {
            "open": {
                order.order_id: rows.rest_order(order, trades=trades)
                for order in _chosen(account, asked)
                if order.is_open and (listed or order.opened_ns < now - words.NS)
            }
        }

    def _closed(self, account: Account, asked: Asked) -> Any:
        told = asked.get("closetime")
        at = BY_TIME["open" if told == "open" else "close"]
        trades = words.is_true(asked.get("trades"))
        mine = [order for order in reversed(_chosen(account, asked)) if not order.is_open]
        mine.sort(key=at, reverse=True)
        past = [Past(o.order_id, at(o), rows.rest_order(o, trades=trades)) for o in mine]
        return page(past, asked, "closed")

    def _query(self, account: Account, asked: Asked) -> Any:
        wanted = _names(asked, most=MOST_ORDERS)
        mine = {order.order_id: order for order in _chosen(account, asked)}
        found = [mine[name] for name in wanted if name in mine]
        if not found:
            raise Rejected("EOrder:Unknown order")
        trades = words.is_true(asked.get("trades"))
        return {order.order_id: rows.rest_order(order, trades=trades) for order in found}

    def _amends(self, account: Account, asked: Asked) -> Any:
        order = account.find(order_id=str(asked.get("order_id") or "none"))
        if order is None:
            raise Rejected("EOrder:Unknown order")
        was = order.amendments or (as_it_is(order, "original"),)
        return {"count": len(was), "amends": [rows.amendment(one) for one in was]}

    def _positions(self, _: Account, asked: Asked) -> Any:
        """None: there is no margin here."""
        return [] if asked.get("consolidation") else {}

    def _history(self, account: Account, asked: Asked) -> Any:
        mine = sorted(_fills(account), key=lambda one: -one[1].number)
        past = [Past(f.trade_id, f.time_ns, rows.rest_trade(o, f)) for o, f in mine]
        return page(past, asked, "trades")

    def _query_trades(self, account: Account, asked: Asked) -> Any:
        wanted = _names(asked, most=MOST_TRADES)
        return {
            fill.trade_id: rows.rest_trade(order, fill)
            for order, fill in _fills(account)
            if fill.trade_id in wanted
        }


def _names(asked: Asked, *, most: int) -> list[str]:
    names = [one.strip() for one in str(asked.get("txid") or "").split(",")]
    if len(names) > most:
        raise Rejected("EGeneral:Invalid arguments:txid")
    return names


def _fills(account: Account) -> list[tuple[Order, Fill]]:
    return [(order, fill) for order in account.orders.values() for fill in order.fills]


def _chosen(account: Account, asked: Asked) -> list[Order]:
    """The orders of a client's name or number; all where none is told."""
    client_id, userref = asked.get("cl_ord_id"), asked.get("userref")
    mine = [o for o in account.orders.values() if client_id in (None, "", o.client_id)]
    if userref in (None, ""):
        return mine
    wanted = words.number(userref, "userref")
    return [order for order in mine if order.userref == wanted]
