"""Coinbase's orders: what is kept of each, and how REST and the user channel tell them and their fills."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from trading.exchanges.simulator.accounts import (
    BRACKET,
    CANCELED,
    CLOSED,
    EXPIRED,
    MARKET,
    OPEN,
    STOP_LIMIT,
    Account,
    Fill,
    Order,
)
from trading.exchanges.simulator.coinbase_words import NO_TIME, product_of, stamp, text

STATUSES = {OPEN: "OPEN", CLOSED: "FILLED", CANCELED: "CANCELLED", EXPIRED: "EXPIRED"}
TYPES = {MARKET: "MARKET", STOP_LIMIT: "STOP_LIMIT", BRACKET: "BRACKET"}
ENDINGS = {"gtc": "GOOD_UNTIL_CANCELLED", "gtd": "GOOD_UNTIL_DATE_TIME",
           "ioc": "IMMEDIATE_OR_CANCEL", "fok": "FILL_OR_KILL"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """What an edit makes of an order: its new total size and its prices."""

    size: Decimal
    price: Decimal
    stop: Decimal | None


@dataclass(slots=True)
class Ticket:
    """What the venue keeps of an order beside the order: the request, and what is under way."""

    order: Order
    account: Account
    number: int
    configuration: dict[str, dict[str, Any]]
    quote_size: Decimal | None = None
    queued: str = ""  # CANCEL_QUEUED, EDIT_QUEUED
    wanted: Terms | None = None  # by the edit that is queued
    edits: list[dict[str, Any]] = field(default_factory=list)

    @property
    def style(self) -> str:
        """The one key of the configuration."""
        return next(iter(self.configuration))

    @property
    def status(self) -> str:
        """The venue's word."""
        return (self.queued if self.order.is_open else "") or STATUSES[self.order.status]

    @property
    def kind(self) -> str:
        """The order type's word."""
        return TYPES.get(self.order.kind, "LIMIT")

    @property
    def ending(self) -> str:
        """The time in force's word."""
        return ENDINGS[self.style.rsplit("_", 1)[1]]

    @property
    def trigger_status(self) -> str:
        """Whether its stop was reached."""
        if self.order.stop is None:
            return "INVALID_ORDER_TYPE"
        return "STOP_TRIGGERED" if self.order.is_triggered else "STOP_PENDING"

    @property
    def average(self) -> Decimal:
        """Price of what was filled; 0 before."""
        order = self.order
        return order.cost / order.filled if order.filled else Decimal(0)

    @property
    def done(self) -> Decimal:
        """Percent of the order, to eight digits."""
        return (self.order.filled / self.order.quantity * 100).quantize(Decimal("0.00000001"))

    @property
    def after_fees(self) -> Decimal:
        """What a purchase cost, or a sale brought, fees included."""
        sign = 1 if self.order.side == "buy" else -1
        return self.order.cost + sign * self.order.fee

    @property
    def hold(self) -> Decimal:
        """What it keeps of the balance."""
        order = self.order
        if not order.is_open or order.price is None:
            return Decimal(0)
        fee = 1 + self.account.tariff.taker
        return order.left if order.side == "sell" else order.left * order.price * fee


def user_id(account: Account) -> str:
    """The customer's identifier."""
    return str(uuid5(NAMESPACE_URL, account.key))


def portfolio_id(account: Account) -> str:
    """The one portfolio a key is bound to."""
    return str(uuid5(NAMESPACE_URL, account.key + "/portfolio"))


def order_row(ticket: Ticket) -> dict[str, Any]:
    """An order as ``/orders/historical`` tells it."""
    one, account = ticket.order, ticket.account
    return {
        "order_id": one.order_id,
        "product_id": product_of(one.symbol),
        "user_id": user_id(account),
        "order_configuration": ticket.configuration,
        "side": one.side.upper(),
        "client_order_id": one.client_id,
        "status": ticket.status,
        "time_in_force": ticket.ending,
        "created_time": stamp(one.opened_ns),
        **_progress(ticket),
        "pending_cancel": ticket.status == "CANCEL_QUEUED",
        "trigger_status": ticket.trigger_status,
        "order_type": ticket.kind,
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "reject_message": "",
        "cancel_message": one.reason,
        "settled": one.status == CLOSED,
        "product_type": "SPOT",
        "order_placement_source": "RETAIL_ADVANCED",
        "is_liquidation": False,
        "edit_history": ticket.edits,
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
        "retail_portfolio_id": portfolio_id(account),
        "originating_order_id": "",
        "attached_order_id": "",
        "attached_order_configuration": None,
    }


def _progress(ticket: Ticket) -> dict[str, Any]:
    """How much of an order was done, and what it cost."""
    one, in_quote = ticket.order, ticket.quote_size is not None
    return {
        "completion_percentage": text(ticket.done),
        "filled_size": text(one.filled),
        "average_filled_price": text(ticket.average),
        "fee": "",
        "number_of_fills": str(len(one.fills)),
        "filled_value": text(one.cost),
        "size_in_quote": in_quote,
        "total_fees": text(one.fee),
        "size_inclusive_of_fees": in_quote and one.kind == MARKET,
        "total_value_after_fees": text(ticket.after_fees),
        "outstanding_hold_amount": text(ticket.hold),
        "last_fill_time": stamp(one.fills[-1].time_ns) if one.fills else None,
    }


def entry_id(trade_id: str) -> str:
    """How a list of fills calls one of them: a trade may have several entries."""
    return str(uuid5(NAMESPACE_URL, trade_id))


def fill_row(ticket: Ticket, one: Fill) -> dict[str, Any]:
    """A fill as ``/orders/historical/fills`` tells it."""
    in_quote = ticket.quote_size is not None
    size = one.price * one.quantity if in_quote else one.quantity
    return {
        "entry_id": entry_id(one.trade_id),
        "trade_id": one.trade_id,
        "order_id": ticket.order.order_id,
        "trade_time": stamp(one.time_ns),
        "trade_type": "FILL",
        "price": text(one.price),
        "size": text(size),
        "commission": text(one.fee),
        "product_id": product_of(ticket.order.symbol),
        "sequence_timestamp": stamp(one.time_ns),
        "liquidity_indicator": "MAKER" if one.is_maker else "TAKER",
        "size_in_quote": in_quote,
        "user_id": user_id(ticket.account),
        "side": ticket.order.side.upper(),
        "retail_portfolio_id": portfolio_id(ticket.account),
    }


def user_row(ticket: Ticket, status: str = "") -> dict[str, Any]:
    """An order as the user channel tells it: cumulative, without its fills."""
    one = ticket.order
    settings = ticket.configuration[ticket.style]
    is_limit = one.price is not None
    left = one.left
    if ticket.quote_size is not None:
        left = max(ticket.quote_size - one.cost, Decimal(0)) if one.is_open else Decimal(0)
    return {
        "order_id": one.order_id,
        "client_order_id": one.client_id,
        "product_id": product_of(one.symbol),
        "product_type": "SPOT",
        "order_side": one.side.upper(),
        "order_type": ticket.kind.replace("_", " ").title(),
        "status": status or ticket.status,
        "time_in_force": ticket.ending,
        "limit_price": text(one.price) if one.price is not None else "",
        "stop_price": text(one.stop) if one.stop is not None else "",
        "avg_price": text(ticket.average),
        "cumulative_quantity": text(one.filled),
        "leaves_quantity": text(left),
        "filled_value": text(one.cost),
        "total_fees": text(one.fee),
        "total_value_after_fees": text(ticket.after_fees),
        "number_of_fills": str(len(one.fills)),
        "completion_percentage": text(ticket.done),
        "outstanding_hold_amount": text(ticket.hold),
        "post_only": "true" if is_limit and one.post_only else "false",
        "creation_time": stamp(one.opened_ns),
        "end_time": str(settings.get("end_time") or NO_TIME),
        "start_time": NO_TIME,
        "cancel_reason": one.reason,
        "reject_Reason": "",
        "trigger_status": ticket.trigger_status,
        "retail_portfolio_id": portfolio_id(ticket.account),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
    }
