"""Pure: our orders as Kraken's parameters, and Kraken's trades as ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.core.codes import Purpose, Side
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.messages import MarketSpec, OrderRequest
from trading.engine.sights import VenueOrder
from trading.exchanges.known_orders import STOPS, Execution
from trading.exchanges.venue_clock import read_stamp

NS = 1_000_000_000


def stamp(time_ns: int) -> str:
    """A time as Kraken reads it."""
    at = datetime.fromtimestamp(time_ns // NS, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % NS // 1_000_000:03d}Z"


def volume(order: OrderRequest, spec: MarketSpec) -> str:
    """The quantity in base units."""
    return plain(spec.lot_size * order.quantity_lots)


def plain(value: Decimal) -> str:
    """A number without digits beyond its grid: the venue counts decimals, zeros too."""
    return f"{value.normalize():f}"


def level(order: OrderRequest, spec: MarketSpec) -> str:
    """The trigger or limit."""
    return plain(spec.tick_size * order.price_ticks)


def add_params(
    order: OrderRequest, spec: MarketSpec, *, pair: str, deadline_ns: int
) -> dict[str, Any]:
    """AddOrder: known by our client order id, refused by the venue after the deadline, fee in quote."""
    params: dict[str, Any] = {
        "pair": pair,
        "type": "buy" if order.side is Side.BUY else "sell",
        "volume": volume(order, spec),
        "cl_ord_id": order.client_order_id,
        "deadline": stamp(deadline_ns),
        "oflags": "fciq",
        "ordertype": "market",
    }
    if order.purpose in STOPS:
        params |= {"ordertype": "stop-loss", "price": level(order, spec), "trigger": "last"}
    elif order.price_ticks:
        params |= {"ordertype": "limit", "price": level(order, spec), "oflags": "post,fciq"}
        if order.expires_ns:
            params |= {"timeinforce": "GTD", "expiretm": -(-order.expires_ns // NS)}
    return params


def amend_params(order: OrderRequest, spec: MarketSpec, *, deadline_ns: int) -> dict[str, Any]:
    """AmendOrder of a resting stop to what an intent asks for."""
    return {
        "order_qty": volume(order, spec),
        "trigger_price": level(order, spec),
        "deadline": stamp(deadline_ns),
    }


def is_as_asked(told: Mapping[str, Any], order: OrderRequest, spec: MarketSpec) -> bool:
    """Whether an order of the venue's stands as this intent asks for."""
    trigger = Decimal(str(told.get("stopprice") or "0"))
    quantity = Decimal(str(told.get("vol", "0")))
    return trigger == spec.tick_size * order.price_ticks and quantity == (
        spec.lot_size * order.quantity_lots
    )


def is_told_as_asked(told: Mapping[str, Any], order: OrderRequest, spec: MarketSpec) -> bool:
    """The same of the executions channel's word on an amendment; what it does not tell was not changed."""
    asked, trigger = spec.lot_size * order.quantity_lots, told.get("triggers") or {}
    quantity = Decimal(str(told.get("order_qty", asked)))
    price = spec.tick_size * order.price_ticks
    level = Decimal(str(trigger.get("price", told.get("limit_price", price))))
    return (quantity, level) == (asked, price)


def executed_lots(told: Mapping[str, Any], spec: MarketSpec) -> int:
    """How much of an order was executed, as REST or the executions channel says; 0 where it does not."""
    quantity = told.get("vol_exec") or told.get("cum_qty") or "0"
    return int(Decimal(str(quantity)) / spec.lot_size)


def rest_execution(trade_id: str, told: Mapping[str, Any], spec: MarketSpec) -> Execution:
    """A trade of QueryTrades; its fee is in the quote currency there."""
    return _execution(
        spec,
        trade_id=trade_id,
        quantity=str(told["vol"]),
        price=str(told["price"]),
        fee=str(told["fee"]),
        fee_currency=spec.quote,
        is_maker=bool(told.get("maker", False)),
        time_ns=int(Decimal(str(told["time"])) * NS),
    )


def ws_execution(told: Mapping[str, Any], spec: MarketSpec) -> Execution:
    """A trade of the executions channel; the fee in whatever asset it says.

    Raises:
        TypeError, KeyError, ValueError, ArithmeticError: it cannot be read, or its fee is of two assets.
    """
    fees = told["fees"]
    (asset,) = {str(one["asset"]) for one in fees} or {spec.quote}
    return _execution(
        spec,
        trade_id=str(told["exec_id"]),
        quantity=str(told["last_qty"]),
        price=str(told["last_price"]),
        fee=f"{sum((Decimal(str(one['qty'])) for one in fees), Decimal(0)):f}",
        fee_currency=asset,
        is_maker=told.get("liquidity_ind") == "m",
        time_ns=read_stamp(str(told["timestamp"])),
    )


def _execution(
    spec: MarketSpec,
    *,
    trade_id: str,
    quantity: str,
    price: str,
    fee: str,
    fee_currency: str,
    is_maker: bool,
    time_ns: int,
) -> Execution:
    paid, met = Decimal(fee), Decimal(price)
    worth = {spec.quote: Decimal(1), spec.base: met}.get(fee_currency, Decimal(0))
    return Execution(
        trade_id=trade_id,
        lots=int(Decimal(quantity) / spec.lot_size),
        ticks=int((met / spec.tick_size).to_integral_value()),
        fee_units=int((paid * worth * FEE_UNITS_PER_QUOTE).to_integral_value()),
        fee=fee,
        fee_currency=fee_currency,
        is_maker=is_maker,
        time_ns=time_ns,
        price=price,
        fee_lots=paid / spec.lot_size if fee_currency == spec.base else Decimal(0),
        lot_value=met * spec.lot_size,
    )


def is_market(order: OrderRequest) -> bool:
    """Whether it leaves a position at the market."""
    return order.purpose in (Purpose.EXIT, Purpose.REDUCE)


def any_order(venue_id: str, row: Mapping[str, Any]) -> VenueOrder:
    """An order of anybody's, as REST lists it."""
    described = row["descr"]
    is_stop = described["ordertype"] == "stop-loss"
    level = str((row.get("stopprice") if is_stop else described.get("price")) or "0")
    is_plain = level[0].isdigit() and level[-1].isdigit()  # +5%, #10: a customer's own, never ours
    return VenueOrder(
        client_order_id=str(row.get("cl_ord_id") or ""),
        venue_order_id=venue_id,
        side=str(described["type"]).upper(),
        is_stop=is_stop,
        quantity=Decimal(str(row["vol"])),
        level=Decimal(level if is_plain else 0),
    )
