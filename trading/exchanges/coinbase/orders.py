"""Pure: our orders as Coinbase's bodies, and Coinbase's orders and fills as ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

import structlog

from trading.core.codes import Side
from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.messages import MarketSpec, OrderRequest
from trading.engine.sights import VenueOrder
from trading.exchanges.failures import NoAnswer
from trading.exchanges.known_orders import STOPS, Execution
from trading.exchanges.venue_clock import read_stamp

log = structlog.get_logger(__name__)

NS = 1_000_000_000
STOP_ROOM = Decimal("0.05")  # of the trigger: a triggered stop is a limit order, and must fill
OVER = frozenset({"FILLED", "CANCELLED", "EXPIRED", "FAILED"})
WORKING = frozenset({"PENDING", "OPEN", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"})
TAKEN_BACK = frozenset({"REVERSAL", "CORRECTION"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How an order stands at the venue."""

    order_id: str
    client_id: str
    status: str
    filled: Decimal  # in base
    is_triggered: bool  # a stop that is a limit order by now

    @property
    def is_over(self) -> bool:
        """Whether nothing of it can fill any more; a status nobody knows is not that."""
        return self.status in OVER

    def filled_lots(self, spec: MarketSpec) -> int:
        """What was executed."""
        return nearest(self.filled / spec.lot_size)


def read_order(told: Mapping[str, Any]) -> Standing:
    """An order of REST, or of the channel ``user``, which names what was executed otherwise.

    Raises:
        NoAnswer: it cannot be read.
    """
    try:
        status = str(told["status"])
        if status not in OVER | WORKING:
            log.warning("status_unknown", order=told["order_id"], status=status)
        filled = Decimal(str(told.get("filled_size") or told.get("cumulative_quantity") or "0"))
        if not filled.is_finite():
            raise ValueError(f"filled: {filled}")
        return Standing(
            order_id=str(told["order_id"]),
            client_id=str(told.get("client_order_id") or ""),
            status=status,
            filled=filled,
            is_triggered=told.get("trigger_status") == "STOP_TRIGGERED",
        )
    except (KeyError, TypeError, AttributeError, ValueError, InvalidOperation) as error:
        raise NoAnswer(f"an order of Coinbase's cannot be read: {error!r}") from None


def gone(venue_id: str) -> dict[str, str]:
    """An order that the venue had named and does not know any more."""
    return {"order_id": venue_id, "status": "CANCELLED"}


def is_true(value: Any) -> bool:
    """JSON's own, or in text."""
    return value is True or str(value).lower() == "true"


def stamp(time_ns: int) -> str:
    """A time as Coinbase reads it, whole seconds up."""
    return f"{datetime.fromtimestamp(-(-time_ns // NS), UTC):%Y-%m-%dT%H:%M:%SZ}"


def plain(value: Decimal) -> str:
    """A number without digits beyond its grid."""
    return f"{value.normalize():f}"


def nearest(value: Decimal) -> int:
    """The nearest whole number."""
    return int(value.to_integral_value())


def create_body(
    order: OrderRequest, spec: MarketSpec, *, product_id: str, step: int = 1
) -> dict[str, Any]:
    """POST /orders, known by our client order id; ``step``: of our ticks, that the venue takes."""
    return {
        "client_order_id": order.client_order_id,
        "product_id": product_id,
        "side": "BUY" if order.side is Side.BUY else "SELL",
        "order_configuration": _configuration(order, spec, step),
    }


def _configuration(order: OrderRequest, spec: MarketSpec, step: int) -> dict[str, Any]:
    size = plain(spec.lot_size * order.quantity_lots)
    if order.purpose in STOPS:
        return {"stop_limit_stop_limit_gtc": _stop(order, spec, size, step)}
    if not order.price_ticks:
        return {"market_market_ioc": {"base_size": size}}
    resting: dict[str, Any] = {
        "base_size": size,
        "limit_price": plain(spec.tick_size * order.price_ticks),
        "post_only": True,
    }
    if order.expires_ns:
        return {"limit_limit_gtd": resting | {"end_time": stamp(order.expires_ns)}}
    return {"limit_limit_gtc": resting}


def _stop(order: OrderRequest, spec: MarketSpec, size: str, step: int) -> dict[str, str]:
    """A stop with room behind it: Coinbase has no stop that sells at any price."""
    falls = order.side is Side.SELL
    rounding = ROUND_FLOOR if falls else ROUND_CEILING
    room = (1 - STOP_ROOM) if falls else (1 + STOP_ROOM)
    limit_steps = (order.price_ticks * room / step).to_integral_value(rounding)
    limit_ticks = max(1, int(limit_steps)) * step
    return {
        "base_size": size,
        "stop_price": plain(spec.tick_size * order.price_ticks),
        "limit_price": plain(spec.tick_size * limit_ticks),
        "stop_direction": f"STOP_DIRECTION_STOP_{'DOWN' if falls else 'UP'}",
    }


def rests_as_asked(
    told: Mapping[str, Any], order: OrderRequest, spec: MarketSpec, *, step: int = 1
) -> bool:
    """Whether a working order of the venue's is the stop that this intent asks for."""
    asked = _stop(order, spec, plain(spec.lot_size * order.quantity_lots), step)
    configuration = told.get("order_configuration") or {}
    stands = configuration.get("stop_limit_stop_limit_gtc") or {}
    try:
        return all(
            Decimal(str(stands[name])) == Decimal(asked[name])
            for name in ("base_size", "stop_price")
        )
    except (KeyError, InvalidOperation):
        return False


def execution(told: Mapping[str, Any], spec: MarketSpec) -> Execution | None:
    """A fill of /orders/historical/fills; None for one that takes another back.

    Raises:
        NoAnswer: it cannot be read.
    """
    if told.get("trade_type") in TAKEN_BACK:
        log.error("fill_taken_back", entry=told.get("entry_id"), kind=told.get("trade_type"))
        return None
    try:
        price, size = Decimal(str(told["price"])), Decimal(str(told["size"]))
        fee = str(told.get("commission") or "0")
        quantity = size / price if is_true(told.get("size_in_quote")) else size
        return Execution(
            trade_id=str(told["entry_id"]),
            lots=nearest(quantity / spec.lot_size),
            ticks=nearest(price / spec.tick_size),
            fee_units=nearest(Decimal(fee) * FEE_UNITS_PER_QUOTE),
            fee=fee,
            fee_currency=spec.quote,
            is_maker=told.get("liquidity_indicator") == "MAKER",
            time_ns=read_stamp(str(told["trade_time"])),
            price=str(told["price"]),
        )
    except (KeyError, ValueError, ArithmeticError) as error:
        raise NoAnswer(f"a fill of Coinbase's cannot be read: {error!r}") from None


def any_order(row: Mapping[str, Any]) -> VenueOrder:
    """An order of anybody's, as REST lists it."""
    (asked,) = list((row.get("order_configuration") or {}).values())[:1] or [{}]
    level = asked.get("stop_price") or asked.get("limit_price") or "0"
    return VenueOrder(
        client_order_id=str(row.get("client_order_id") or ""),
        venue_order_id=str(row["order_id"]),
        side=str(row.get("side")),
        is_stop="stop_price" in asked,
        quantity=Decimal(str(asked.get("base_size") or "0")),
        level=Decimal(str(level)),
    )
