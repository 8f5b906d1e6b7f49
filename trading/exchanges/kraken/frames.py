"""Pure: what REST is asked of orders as WebSocket v2 spells it: numbers, names and words of its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

Params = dict[str, Any]


def add(params: Mapping[str, Any], *, symbol: str) -> Params:
    """``add_order`` of the parameters of AddOrder."""
    flags = str(params["oflags"]).split(",")
    told: Params = {
        "order_type": params["ordertype"],
        "side": params["type"],
        "symbol": symbol,
        "order_qty": number(params["volume"]),
        "cl_ord_id": params["cl_ord_id"],
        "fee_preference": "quote" if "fciq" in flags else "base",
    }
    if "deadline" in params:
        told["deadline"] = params["deadline"]
    if "trigger" in params:
        price = number(params["price"])
        told["triggers"] = {"reference": params["trigger"], "price": price, "price_type": "static"}
    elif "price" in params:
        told |= {"limit_price": number(params["price"]), "post_only": "post" in flags}
    if "expiretm" in params:
        until = datetime.fromtimestamp(int(params["expiretm"]), UTC)
        told |= {"time_in_force": "gtd", "expire_time": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
    return told


def amend(params: Mapping[str, Any], *, venue_id: str) -> Params:
    """``amend_order`` of the parameters of AmendOrder."""
    numbers = ("order_qty", "trigger_price")
    told = {name: number(params[name]) for name in numbers if name in params}
    rest = {name: value for name, value in params.items() if name not in numbers}
    return {"order_id": venue_id, **told, **rest}


def count_of(frame: Mapping[str, Any]) -> int:
    """The number of a private message; 0: it has none."""
    told = str(frame.get("sequence"))
    return int(told) if told.isdecimal() else 0


def number(text: str) -> Raw:
    """A number of JSON with the digits of its text; strings are refused there."""
    return Raw(text.encode())


def encode(method: str, params: Mapping[str, Any], *, number: int) -> str:
    """A request as text."""
    asked = {"method": method, "params": params, "req_id": number}
    return msgspec.json.encode(asked).decode()
