"""Trading requests over the socket of the simulated venue."""

from typing import Any

from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.kraken_outlet import Outlet
from trading.exchanges.simulator.rules import Rejected

MODIFY, CLOSE = "modify-trades", "close-trades"
NUMBERS = ("order_qty", "cash_order_qty", "limit_price", "trigger_price")


def add(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Place an order."""
    account = outlet.account_of(params, right=MODIFY)
    triggers = params.get("triggers") or {}
    _check_numbers({**params, "trigger_price": triggers.get("price")})
    kind = params.get("order_type")
    order = orders.add(
        outlet.exchange,
        account,
        {
            "symbol": params.get("symbol"),
            "side": params.get("side"),
            "kind": kind,
            "quantity": params.get("cash_order_qty") or params.get("order_qty"),
            "in_quote": params.get("cash_order_qty") is not None,
            "time_in_force": params.get("time_in_force"),
            "leverage": "margin" if params.get("margin") else None,
            "reduce_only": params.get("reduce_only"),
            "close": params.get("conditional"),
            "starttm": params.get("effective_time"),
            "price": triggers.get("price") if triggers else params.get("limit_price"),
            "client_id": params.get("cl_ord_id"),
            "post_only": params.get("post_only"),
            "expires_ns": words.read_stamp(params["expire_time"], "expire_time")
            if params.get("expire_time")
            else 0,
            "deadline": params.get("deadline"),
            "validate": params.get("validate"),
        },
    )
    result = {"order_id": order.order_id if order else ""}
    if params.get("cl_ord_id"):
        result["cl_ord_id"] = params["cl_ord_id"]
    outlet.ack(base, result)


def amend(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Change a working order."""
    account = outlet.account_of(params, right=MODIFY)
    _check_numbers(params)
    name = orders.amend(
        outlet.exchange,
        account,
        {
            "order_id": params.get("order_id"),
            "client_id": params.get("cl_ord_id"),
            "quantity": params.get("order_qty"),
            "price": params.get("trigger_price") or params.get("limit_price"),
            "deadline": params.get("deadline"),
        },
    )
    outlet.ack(base, {"amend_id": name, "order_id": params.get("order_id", "")})


def cancel(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Cancel orders; one answer each."""
    account = outlet.account_of(params, right=CLOSE)
    wanted = [("order_id", one) for one in params.get("order_id") or []]
    wanted += [("cl_ord_id", one) for one in params.get("cl_ord_id") or []]
    for field_, name in wanted:  # one answer each
        key = "order_id" if field_ == "order_id" else "client_id"
        try:
            outlet.exchange.cancel(
                account, orders.named(account, {key: name}), reason="User requested"
            )
        except Rejected as error:
            outlet.refuse(base, str(error))
        else:
            outlet.ack(base, {field_: name})


def cancel_all(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Cancel every working order."""
    account = outlet.account_of(params, right=CLOSE)
    outlet.ack(base, {"count": outlet.exchange.cancel_all(account, reason="User requested")})


def dead_man(outlet: Outlet, params: dict[str, Any], base: dict[str, Any]) -> None:
    """Arm or disarm the dead-man switch."""
    account = outlet.account_of(params, right=CLOSE)
    fires_ns = outlet.exchange.set_dead_man(account, words.timeout(params.get("timeout")))
    outlet.ack(base, words.switch(now_ns=outlet.exchange.clock.now_ns(), fires_ns=fires_ns))


def _check_numbers(params: dict[str, Any]) -> None:
    for name in NUMBERS:
        if isinstance(params.get(name), str):
            raise Rejected(f"{name.capitalize()} field must be a number_float")
