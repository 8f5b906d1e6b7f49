"""What customers of the simulated Coinbase do with orders: place, preview, cancel."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

from trading.exchanges.simulator import coinbase_rules as rules
from trading.exchanges.simulator.accounts import CANCELED, CLOSED, MARKET, Account
from trading.exchanges.simulator.coinbase_asked import (
    UNKNOWN,
    Asked,
    OrderRefusal,
    bad_argument,
    word,
)
from trading.exchanges.simulator.coinbase_tickets import Ticket
from trading.exchanges.simulator.coinbase_words import (
    find_market,
    product_of,
    symbol_of,
    text,
)
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.market import PairMarket

MOST_CANCELS = 100
UNKNOWN_CANCEL = "UNKNOWN_CANCEL_FAILURE_REASON"


class Desk:
    """Orders by their identifiers, and what may happen to them."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.lag_seconds = (
            0.0  # of the market, between accepting a cancel or an edit and its effect
        )
        self.tickets: dict[str, Ticket] = {}
        self._by_client: dict[tuple[str, str], Ticket] = {}

    def find(self, account: Account, order_id: str) -> Ticket | None:
        """An order of this customer's."""
        ticket = self.tickets.get(order_id)
        return ticket if ticket is not None and ticket.account is account else None

    def of(self, account: Account) -> list[Ticket]:
        """Every order of a customer, oldest first."""
        return [ticket for ticket in self.tickets.values() if ticket.account is account]

    def keep(self, ticket: Ticket) -> None:
        """From now on it is known by both its names."""
        order = ticket.order
        self.tickets[order.order_id] = ticket
        self._by_client[ticket.account.key, order.client_id] = ticket

    def place(self, asked: Asked) -> dict[str, Any]:
        """``POST /orders``: a new order, or the one this client_order_id made before."""
        account, told = asked.account, asked.body
        client_id = word(told, "client_order_id")
        if not client_id:
            raise bad_argument("client_order_id is missing")
        known = self._by_client.get((account.key, client_id))
        if known is not None:
            return _accepted(known)
        try:
            market, request = self._read(account, told)
        except OrderRefusal as error:
            return _refused(error, rules.repeat(told.get("order_configuration")))
        order = self.exchange.draft(request.wish, order_id=str(uuid4()))
        ticket = Ticket(
            order, account, len(self.tickets) + 1, request.configuration, request.quote_size
        )
        self.keep(ticket)
        self.exchange.take(account, market, order)
        return _accepted(ticket)

    def _read(self, account: Account, told: Mapping[str, Any]) -> tuple[PairMarket, rules.Request]:
        product_id = word(told, "product_id")
        market = find_market(self.exchange.markets, product_id)
        if market is None:
            raise rules.refuse("INVALID_PRODUCT_ID", f"invalid product {product_id!r}")
        request = rules.read(account, market, symbol_of(product_id), told)
        mode = self.exchange.mode
        if mode == "maintenance":
            raise OrderRefusal("PREVIEW_NOT_ALLOWED_BY_MARKET_STATE", "trading is halted",
                               reason="PRODUCT_TRADING_HALTED")  # fmt: skip
        if mode == "cancel_only" or (mode == "post_only" and not request.wish.post_only):
            raise OrderRefusal("PREVIEW_NOT_ALLOWED_BY_MARKET_STATE", f"the market is {mode}",
                               reason="ORDER_ENTRY_DISABLED")  # fmt: skip
        rules.check(account, market, request, now_ns=self.exchange.clock.now_ns())
        return market, request

    def preview(self, asked: Asked) -> dict[str, Any]:
        """``POST /orders/preview``: what an order would cost; nothing is placed."""
        errors: list[str] = []
        base = quote = fee = Decimal(0)
        market = find_market(self.exchange.markets, word(asked.body, "product_id"))
        try:
            market, request = self._read(asked.account, asked.body)
        except OrderRefusal as error:
            errors.append(error.preview)
        else:
            wish, tariff = request.wish, asked.account.tariff
            base = wish.quantity
            quote = base * (wish.price or market.last_price())
            takes = wish.kind == MARKET or (
                wish.price is not None and rules.would_take(market, wish.side, wish.price)
            )
            fee = quote * (tariff.taker if takes else tariff.maker)
        sign = -1 if asked.body.get("side") == "SELL" else 1
        bests = [text(side[0][0]) for side in market.book(1)] if market else ["0", "0"]
        return {
            "order_total": text(quote + sign * fee),
            "commission_total": text(fee),
            "errs": errors,
            "warning": [],
            "quote_size": text(quote),
            "base_size": text(base),
            "best_bid": bests[0],
            "best_ask": bests[1],
            "is_max": False,
            "slippage": "0",
            "preview_id": "" if errors else str(uuid4()),
        }

    def cancel(self, asked: Asked) -> dict[str, Any]:
        """``POST /orders/batch_cancel``: each accepted one is cancelled a moment later."""
        wanted = asked.body.get("order_ids")
        if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
            raise bad_argument("order_ids: accepted is a list of order ids")
        if not 0 < len(wanted) <= MOST_CANCELS:
            raise bad_argument(f"order_ids: {len(wanted)} given, accepted are 1 to {MOST_CANCELS}")
        results = []
        for order_id in wanted:
            ticket = self.find(asked.account, order_id)
            reason = self._why_not_cancel(ticket)
            if not reason and ticket is not None:
                self._begin_cancel(ticket)
            results.append({"success": not reason, "failure_reason": reason or UNKNOWN_CANCEL,
                            "order_id": order_id})  # fmt: skip
        return {"results": results}

    def _why_not_cancel(self, ticket: Ticket | None) -> str:
        if ticket is None:
            return "UNKNOWN_CANCEL_ORDER"
        if ticket.order.status == CLOSED:
            return "ORDER_IS_FULLY_FILLED"
        if not ticket.order.is_open:
            return "INVALID_CANCEL_REQUEST"
        if self.exchange.mode == "maintenance":
            return "COMMANDER_REJECTED_CANCEL_ORDER"
        queued = {"CANCEL_QUEUED": "DUPLICATE_CANCEL_REQUEST",
                  "EDIT_QUEUED": "ORDER_IS_BEING_REPLACED"}  # fmt: skip
        return queued.get(ticket.queued, "")

    def _begin_cancel(self, ticket: Ticket) -> None:
        fault = self.exchange.faults.take(("late_fill",), "orders/batch_cancel")
        self.queue(ticket, "CANCEL_QUEUED")
        if fault is not None:
            self.exchange.later(fault.seconds, partial(self._fill_late, ticket))
        else:
            self.exchange.later(self.lag_seconds, partial(self._finish_cancel, ticket))

    def _fill_late(self, ticket: Ticket) -> None:
        ticket.queued = ""
        self.exchange.fill_rest(ticket.account, ticket.order)

    def _finish_cancel(self, ticket: Ticket) -> None:
        ticket.queued = ""
        if ticket.order.is_open:
            self.exchange.end(ticket.account, ticket.order, CANCELED, "User requested cancel")

    def resume_cancel(self, ticket: Ticket) -> None:
        """One that was accepted before the venue's process ended takes effect at its next turn."""
        self.exchange.later(0.0, partial(self._finish_cancel, ticket))

    def queue(self, ticket: Ticket, word_: str) -> None:
        """Something is under way with an order."""
        ticket.queued = word_
        self.exchange.log(word_.lower(), key=ticket.account.key, order_id=ticket.order.order_id)
        ticket.account.tell("executions", {"exec_type": word_.lower(), "order": ticket.order})

    def close_position(self, asked: Asked) -> dict[str, Any]:
        """``POST /orders/close_position``: there are positions in derivatives only, none here."""
        if not word(asked.body, "client_order_id"):
            raise bad_argument("client_order_id is missing")
        return _refused(OrderRefusal("PREVIEW_INVALID_ORDER_CONFIG", "no open position"), None)


def _accepted(ticket: Ticket) -> dict[str, Any]:
    order = ticket.order
    return {
        "success": True,
        "success_response": {
            "order_id": order.order_id,
            "product_id": product_of(order.symbol),
            "side": order.side.upper(),
            "client_order_id": order.client_id,
        },
        "order_configuration": ticket.configuration,
    }


def _refused(error: OrderRefusal, configuration: Any) -> dict[str, Any]:
    return {
        "success": False,
        "failure_reason": UNKNOWN,
        "order_id": "",
        "error_response": {
            "error": error.reason,
            "message": str(error),
            "error_details": "",
            "preview_failure_reason": error.preview,
            "new_order_failure_reason": error.reason,
        },
        "order_configuration": configuration,
    }
