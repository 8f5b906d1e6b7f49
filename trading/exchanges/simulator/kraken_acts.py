"""Trading requests over the socket of the simulated venue."""

from typing import Any

from trading.exchanges.simulator import kraken_asked, kraken_batches
from trading.exchanges.simulator import kraken_orders as orders
from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.accounts import Order
from trading.exchanges.simulator.kraken_outlet import Outlet
from trading.exchanges.simulator.rules import Rejected

MODIFY, CLOSE = "modify-trades", "close-trades"
Params = dict[str, Any]
NUMBERS = ("order_qty", "cash_order_qty", "limit_price", "trigger_price")


def add(outlet: Outlet, params: Params, base: Params) -> None:
    """Place an order."""
    account = outlet.account_of(params, right=MODIFY)
    _check_numbers(params)
    order = orders.add(outlet.exchange, account, kraken_asked.of_socket(params))
    outlet.ack(base, _named(params, order))


def add_batch(outlet: Outlet, params: Params, base: Params) -> None:
    """Place several of one pair; those that are refused leave the others standing."""
    account, told = outlet.account_of(params, right=MODIFY), params.get("orders")
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        raise Rejected("EGeneral:Invalid arguments:orders")
    shared = {name: params.get(name) for name in ("symbol", "deadline", "validate")}
    for one in told:
        _check_numbers(one)
    asked = [kraken_asked.of_socket({**one, **shared}) for one in told]
    done = kraken_batches.add(outlet.exchange, account, asked)
    outlet.ack(base, [
        {"error": str(became)} if isinstance(became, Rejected) else _named(one, became)
        for one, (_, became) in zip(told, done, strict=True)
    ])  # fmt: skip


def _named(params: Params, order: Order | None) -> Params:
    """The answer for one order: its names."""
    same = {name: params[name] for name in ("cl_ord_id", "order_userref") if params.get(name)}
    return {"order_id": order.order_id if order else "", **same}


def amend(outlet: Outlet, params: Params, base: Params) -> None:
    """Change a working order."""
    account = outlet.account_of(params, right=MODIFY)
    _check_numbers(params)
    names = {"order_id": "order_id", "client_id": "cl_ord_id", "quantity": "order_qty",
             "limit": "limit_price", "trigger": "trigger_price", "deadline": "deadline",
             "display": "display_qty"}  # fmt: skip
    told = {ours: params.get(theirs) for ours, theirs in names.items()}
    name = orders.amend(outlet.exchange, account, told)
    outlet.ack(base, {"amend_id": name, "order_id": params.get("order_id", "")})


def edit(outlet: Outlet, params: Params, base: Params) -> None:
    """Put another order in the place of one."""
    account = outlet.account_of(params, right=MODIFY)
    _check_numbers(params)
    names = {"order_id": "order_id", "quantity": "order_qty", "userref": "order_userref",
             "symbol": "symbol", "post_only": "post_only", "deadline": "deadline",
             "validate": "validate", "display": "display_qty"}  # fmt: skip
    told = {ours: params.get(theirs) for ours, theirs in names.items()}
    levels = kraken_asked.prices(params)
    old, _, new = kraken_batches.edit(outlet.exchange, account, told | levels)
    outlet.ack(base, {"order_id": new.order_id if new else "", "original_order_id": old.order_id})


def cancel(outlet: Outlet, params: Params, base: Params) -> None:
    """Cancel orders; one answer each."""
    account = outlet.account_of(params, right=CLOSE)
    wanted = [("order_id", one) for one in params.get("order_id") or []]
    wanted += [("cl_ord_id", one) for one in params.get("cl_ord_id") or []]
    wanted += [("order_userref", one) for one in params.get("order_userref") or []]
    for field_, name in wanted:  # one answer each
        key = "client_id" if field_ == "cl_ord_id" else "order_id"
        try:
            orders.cancel(outlet.exchange, account, {key: name})
        except Rejected as error:
            outlet.refuse(base, str(error))
        else:
            outlet.ack(base, {field_: name})


def cancel_batch(outlet: Outlet, params: Params, base: Params) -> None:
    """Cancel up to fifty orders; one answer for all."""
    account = outlet.account_of(params, right=CLOSE)
    told = {"orders": params.get("orders"), "cl_ord_ids": params.get("cl_ord_id")}
    outlet.ack(base, {"count": orders.cancel_batch(outlet.exchange, account, told)})


def cancel_all(outlet: Outlet, params: Params, base: Params) -> None:
    """Cancel every working order."""
    account = outlet.account_of(params, right=CLOSE)
    outlet.ack(base, {"count": outlet.exchange.cancel_all(account, reason="User requested")})


def dead_man(outlet: Outlet, params: Params, base: Params) -> None:
    """Arm or disarm the dead-man switch."""
    account = outlet.account_of(params, right=CLOSE)
    fires_ns = outlet.exchange.set_dead_man(account, words.timeout(params.get("timeout")))
    outlet.ack(base, words.switch(now_ns=outlet.exchange.clock.now_ns(), fires_ns=fires_ns))


def _check_numbers(params: Params) -> None:
    triggers = params.get("triggers")
    trigger = triggers.get("price") if isinstance(triggers, dict) else params.get("trigger_price")
    for name, told in {**params, "trigger_price": trigger}.items():
        if name in NUMBERS and isinstance(told, str):
            raise Rejected(f"{name.capitalize()} field must be a number_float")
