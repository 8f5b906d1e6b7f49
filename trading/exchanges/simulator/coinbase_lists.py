"""Lists of the simulated Coinbase, page by page: orders, fills, accounts."""

from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from trading.exchanges.simulator import coinbase_tickets as tickets
from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.coinbase_asked import Asked, bad_argument, is_count
from trading.exchanges.simulator.coinbase_desk import Desk
from trading.exchanges.simulator.coinbase_tickets import Ticket
from trading.exchanges.simulator.coinbase_words import product_of, stamp, text

FOREVER = 2**63 - 1
FIAT = ("USD", "EUR", "GBP")
MOST_ORDERS, MOST_FILLS, MOST_ACCOUNTS = 1000, 1000, 250


def orders(desk: Desk, asked: Asked) -> dict[str, Any]:
    """``/orders/historical/batch``: newest first; the cursor is the last order told."""
    statuses, before = asked.many("order_status"), _cursor(asked)
    if "OPEN" in statuses and len(statuses) > 1:
        raise bad_argument("order_status: OPEN cannot be combined with others")
    found = [t for t in reversed(desk.of(asked.account)) if t.number < before]
    found = [ticket for ticket in found if _fits(ticket, asked)]
    limit = asked.integer("limit", MOST_ORDERS, most=MOST_ORDERS) or MOST_ORDERS
    page, has_next = found[:limit], len(found) > limit
    return {
        "orders": [tickets.order_row(ticket) for ticket in page],
        "sequence": "0",
        "has_next": has_next,
        "cursor": str(page[-1].number) if has_next else "",
    }


def _fits(ticket: Ticket, asked: Asked) -> bool:
    order = ticket.order
    start, end = asked.moment("start_date", 0), asked.moment("end_date", FOREVER)
    wanted: Sequence[tuple[list[str], str]] = (
        (asked.many("order_ids"), order.order_id),
        (asked.many("product_ids", "product_id"), product_of(order.symbol)),
        (asked.many("order_status"), ticket.status),
        (asked.many("order_types", "order_type"), ticket.kind),
        (asked.many("order_side"), order.side.upper()),
        (asked.many("time_in_forces"), ticket.ending),
        (asked.many("asset_filters"), order.symbol.split("/")[0]),
        (asked.many("order_placement_source"), "RETAIL_ADVANCED"),
        (asked.many("product_type"), "SPOT"),
    )
    return start <= order.opened_ns < end and all(
        not choice or value in choice for choice, value in wanted
    )


def fills(desk: Desk, asked: Asked) -> dict[str, Any]:
    """``/orders/historical/fills``: newest first; an empty cursor ends the list."""
    before = _cursor(asked)
    start = asked.moment("start_sequence_timestamp", 0)
    end = asked.moment("end_sequence_timestamp", FOREVER)
    chosen = (
        (asked.many("order_ids", "order_id"), lambda t, f: t.order.order_id),
        (asked.many("trade_ids"), lambda t, f: f.trade_id),
        (asked.many("product_ids", "product_id"), lambda t, f: product_of(t.order.symbol)),
    )
    found = [
        (ticket, fill)
        for ticket in desk.of(asked.account)
        for fill in ticket.order.fills
        if fill.number < before
        and start <= fill.time_ns <= end
        and all(not choice or value(ticket, fill) in choice for choice, value in chosen)
    ]
    found.sort(key=lambda pair: -pair[1].number)
    limit = asked.integer("limit", 100, most=MOST_FILLS) or 100
    page = found[:limit]
    cursor = str(page[-1][1].number) if len(found) > limit else ""
    return {"fills": [tickets.fill_row(*pair) for pair in page], "cursor": cursor}


def accounts(asked: Asked) -> dict[str, Any]:
    """``/accounts``: one wallet a currency."""
    account = asked.account
    first = 0 if _cursor(asked) == FOREVER else _cursor(asked)
    limit = asked.integer("limit", 49, most=MOST_ACCOUNTS) or 49
    names = sorted(account.balances)
    page = names[first : first + limit]
    has_next = first + limit < len(names)
    return {
        "accounts": [wallet(account, name) for name in page],
        "has_next": has_next,
        "cursor": str(first + limit) if has_next else "",
        "size": len(page),
    }


def wallet(account: Account, asset: str) -> dict[str, Any]:
    """One currency of a customer: what is free, and what orders hold."""
    held, opened = account.held(asset), stamp(account.opened_ns)
    return {
        "uuid": wallet_id(account, asset),
        "name": f"{asset} Wallet",
        "currency": asset,
        "available_balance": {"value": text(account.balances[asset] - held), "currency": asset},
        "default": True,
        "active": True,
        "created_at": opened,
        "updated_at": opened,
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if asset in FIAT else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": text(held), "currency": asset},
        "retail_portfolio_id": tickets.portfolio_id(account),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def wallet_id(account: Account, asset: str) -> str:
    """The identifier of a wallet."""
    return str(uuid5(NAMESPACE_URL, f"{account.key}/{asset}"))


def _cursor(asked: Asked) -> int:
    value = asked.one("cursor")
    if value and not is_count(value):
        raise bad_argument(f"cursor {value!r}: accepted is a cursor of the page before")
    return int(value) if value else FOREVER
