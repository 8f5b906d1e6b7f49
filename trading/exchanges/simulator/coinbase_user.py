"""The user channel of the simulated Coinbase: open orders at first, then each order as it stands."""

from typing import Any

from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.coinbase_outlet import Outlet
from trading.exchanges.simulator.coinbase_tickets import Ticket, user_row
from trading.exchanges.simulator.coinbase_words import find_market, product_of

BATCH = 50
TOLD_ALREADY = "filled"  # the last fill told it


def begin(outlet: Outlet, account: Account) -> None:
    """Snapshot in batches of fifty; the last is shorter, if need be empty. Then listen."""
    open_ = [t for t in outlet.desk.of(account) if t.status == "OPEN" and _concerns(outlet, t)]
    for first in range(0, len(open_) + 1, BATCH):
        rows = [user_row(ticket) for ticket in open_[first : first + BATCH]]
        outlet.tell("user", [_event("snapshot", rows)])
    if outlet.listener is not None:
        return

    def listener(about: str, event: dict[str, Any]) -> None:
        if about == "executions" and "user" in outlet.channels:
            _on_event(outlet, event)

    outlet.listener = listener
    account.listeners.append(listener)


def _on_event(outlet: Outlet, event: dict[str, Any]) -> None:
    ticket = outlet.desk.tickets.get(event["order"].order_id)  # None: it was forgotten
    if ticket is None or event["exec_type"] == TOLD_ALREADY or not _concerns(outlet, ticket):
        return
    status = "PENDING" if event["exec_type"] == "pending_new" else ""
    outlet.tell("user", [_event("update", [user_row(ticket, status)])])


def _concerns(outlet: Outlet, ticket: Ticket) -> bool:
    """Whether the order's product, or the one it is an alias of, was asked for; none asks for all."""
    wanted = outlet.channels.get("user", set())
    product_id = product_of(ticket.order.symbol)
    market = find_market(outlet.desk.exchange.markets, product_id)
    names = {product_id} | ({product_of(market.symbol)} if market else set())
    return not wanted or bool(wanted & names)


def _event(kind: str, orders: list[dict[str, Any]]) -> dict[str, Any]:
    positions: dict[str, list[Any]] = {
        "perpetual_futures_positions": [],
        "expiring_futures_positions": [],
    }
    return {"type": kind, "orders": orders, "positions": positions}
