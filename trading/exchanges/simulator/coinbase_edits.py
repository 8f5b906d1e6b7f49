"""Edits at the simulated Coinbase: another price or size for a resting order, a moment after the request."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from trading.exchanges.simulator import coinbase_rules as rules
from trading.exchanges.simulator.accounts import CLOSED
from trading.exchanges.simulator.coinbase_asked import Asked, OrderRefusal, number, word
from trading.exchanges.simulator.coinbase_desk import Desk
from trading.exchanges.simulator.coinbase_tickets import Terms, Ticket
from trading.exchanges.simulator.coinbase_words import find_market, product_of, stamp, text
from trading.exchanges.simulator.market import PairMarket
from trading.exchanges.simulator.rules import Wish

UNKNOWN_EDIT = "UNKNOWN_EDIT_ORDER_FAILURE_REASON"
UNKNOWN_PREVIEW = "UNKNOWN_PREVIEW_FAILURE_REASON"


class EditRefusal(Exception):
    """The edit is refused inside an answer that is 200."""

    def __init__(self, reason: str, preview: str = UNKNOWN_PREVIEW) -> None:
        super().__init__(reason)
        self.reason, self.preview = reason, preview


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to become of an order, and the book it rests in."""

    ticket: Ticket
    market: PairMarket
    terms: Terms


class Edits:
    """``/orders/edit`` and its preview."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._exchange = desk, desk.exchange

    def edit(self, asked: Asked) -> dict[str, Any]:
        """Accept an edit; it takes effect after EDIT_QUEUED."""
        try:
            edit = self._read(asked)
        except EditRefusal as error:
            return {"success": False, "errors": _errors(error)}
        edit.ticket.wanted = edit.terms
        self._desk.queue(edit.ticket, "EDIT_QUEUED")
        self._exchange.later(self._desk.lag_seconds, lambda: self._apply(edit))
        return {"success": True, "errors": []}

    def resume(self, ticket: Ticket) -> None:
        """One that was accepted before the venue's process ended takes effect at its next turn."""
        market = find_market(self._exchange.markets, product_of(ticket.order.symbol))
        if market is not None and ticket.wanted is not None:
            self._exchange.later(0.0, partial(self._apply, Edit(ticket, market, ticket.wanted)))

    def preview(self, asked: Asked) -> dict[str, Any]:
        """What an edited order would be; nothing changes."""
        try:
            edit = self._read(asked)
        except EditRefusal as error:
            return {"errors": _errors(error)}
        terms = edit.terms
        quote, sign = terms.size * terms.price, 1 if edit.ticket.order.side == "buy" else -1
        fee = quote * asked.account.tariff.maker
        bid, ask = (side[0][0] for side in edit.market.book(1))
        return {
            "errors": [],
            "slippage": "0",
            "order_total": text(quote + sign * fee),
            "commission_total": text(fee),
            "quote_size": text(quote),
            "base_size": text(terms.size),
            "best_bid": text(bid),
            "best_ask": text(ask),
            "average_filled_price": text(edit.ticket.average),
        }

    def _read(self, asked: Asked) -> Edit:
        ticket = self._desk.find(asked.account, word(asked.body, "order_id"))
        if ticket is None:
            raise EditRefusal("ORDER_NOT_FOUND")
        _check_state(ticket)
        order = ticket.order
        market = find_market(self._exchange.markets, product_of(order.symbol))
        if market is None or order.price is None:
            raise EditRefusal("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
        size = number(asked.body, "size") or order.quantity
        price = number(asked.body, "price") or order.price
        stop = number(asked.body, "stop_price") or order.stop
        if (size, price, stop) == (order.quantity, order.price, order.stop):
            raise EditRefusal("EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST")
        if size <= order.filled:
            raise EditRefusal("CANNOT_EDIT_TO_BELOW_FILLED_SIZE")
        _check_grid(market, size, price)
        wish = Wish(order.symbol, order.side, order.kind, size - order.filled, price)
        try:
            rules.check_funds(asked.account, market, wish, released=ticket.hold)
        except OrderRefusal as error:
            raise EditRefusal(UNKNOWN_EDIT, error.preview) from None
        return Edit(ticket, market, Terms(size, price, stop))

    def _apply(self, edit: Edit) -> None:
        ticket, order, exchange = edit.ticket, edit.ticket.order, self._exchange
        terms = edit.terms
        ticket.queued, ticket.wanted = "", None
        if not order.is_open:
            return
        now = exchange.clock.now_ns()
        if terms.size > order.quantity or terms.price != order.price:
            order.turn = exchange.next_number()
        order.quantity = max(terms.size, order.filled)
        order.price, order.stop = terms.price, terms.stop
        order.amended_ns = now
        ticket.edits.append({"price": text(terms.price), "size": text(terms.size),
                             "replace_accept_timestamp": stamp(now)})  # fmt: skip
        settings = ticket.configuration[ticket.style]
        settings |= {"base_size": text(order.quantity), "limit_price": text(terms.price)}
        for name in ("stop_price", "stop_trigger_price"):
            if name in settings and terms.stop is not None:
                settings[name] = text(terms.stop)
        exchange.log("amend", key=ticket.account.key, order_id=order.order_id,
                     price=str(order.price), quantity=str(order.quantity))  # fmt: skip
        if order.left <= 0:
            order.status, order.closed_ns = CLOSED, now
        ticket.account.tell("executions", {"exec_type": "amended", "order": order})
        if order.is_open:
            exchange.cross(ticket.account, edit.market, order)


def _check_state(ticket: Ticket) -> None:
    """Whether an order can be edited at all.

    Raises:
        EditRefusal: it cannot.
    """
    if not ticket.order.is_open or ticket.queued == "CANCEL_QUEUED":
        raise EditRefusal("ONLY_OPEN_ORDERS_CAN_BE_EDITED")
    if ticket.queued == "EDIT_QUEUED":
        raise EditRefusal("ORDER_IS_ALREADY_BEING_REPLACED")
    if not ticket.style.endswith("_gtc"):
        raise EditRefusal("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
    if ticket.quote_size is not None:
        raise EditRefusal("SIZE_IN_QUOTE_EDITS_NOT_ALLOWED")


def _check_grid(market: PairMarket, size: Decimal, price: Decimal) -> None:
    """Whether size and price are ones the product has.

    Raises:
        EditRefusal: they are not.
    """
    try:
        rules.check_size(market, size)
    except OrderRefusal as error:
        raise EditRefusal("INVALID_EDITED_SIZE", error.preview) from None
    try:
        rules.check_price(market, price)
    except OrderRefusal as error:
        raise EditRefusal("INVALID_EDITED_PRICE", error.preview) from None


def _errors(error: EditRefusal) -> list[dict[str, str]]:
    return [{"edit_failure_reason": error.reason, "preview_failure_reason": error.preview}]
