"""What an order asks for in plain names, from the words of Kraken's REST and of its sockets."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import kraken_words as words
from trading.exchanges.simulator.rules import Rejected

NS = 1_000_000_000
FLAGS = frozenset({"", "post", "fcib", "fciq", "nompp", "viqc"})


def flags(asked: Mapping[str, Any]) -> set[str]:
    """``oflags``.

    Raises:
        Rejected: one nobody knows.
    """
    told = {flag.strip() for flag in str(asked.get("oflags") or "").split(",")}
    if not told <= FLAGS:
        raise Rejected("EGeneral:Invalid arguments:oflags")
    return told


def of_rest(asked: Mapping[str, Any], symbol: str, *, now_ns: int) -> dict[str, Any]:
    """An order of AddOrder or AddOrderBatch."""
    told = flags(asked)
    names = {"side": "type", "kind": "ordertype", "quantity": "volume", "client_id": "cl_ord_id",
             "time_in_force": "timeinforce", "display": "displayvol", "stp": "stptype"}  # fmt: skip
    same = ("price", "price2", "trigger", "leverage", "reduce_only", "starttm", "deadline",
            "userref")  # fmt: skip
    return {
        "symbol": symbol,
        **{ours: asked.get(theirs) for ours, theirs in names.items()},
        **{name: asked.get(name) for name in same},
        "post_only": "post" in told,
        "in_quote": "viqc" in told,
        "expires_ns": _expiry(asked, now_ns=now_ns),
        "close": asked.get("close") or asked.get("close[ordertype]"),
        "validate": words.is_true(asked.get("validate")),
    }


def of_socket(params: Mapping[str, Any]) -> dict[str, Any]:
    """An order of ``add_order`` or ``batch_add``."""
    names = {"side": "side", "kind": "order_type", "client_id": "cl_ord_id",
             "userref": "order_userref", "display": "display_qty", "stp": "stp_type",
             "close": "conditional", "starttm": "effective_time"}  # fmt: skip
    same = ("symbol", "time_in_force", "reduce_only", "post_only", "deadline", "validate")
    expires = params.get("expire_time")
    return {
        **{ours: params.get(theirs) for ours, theirs in names.items()},
        **{name: params.get(name) for name in same},
        **prices(params),
        "quantity": params.get("cash_order_qty") or params.get("order_qty"),
        "in_quote": params.get("cash_order_qty") is not None,
        "leverage": "margin" if params.get("margin") else None,
        "expires_ns": words.read_stamp(expires, "expire_time") if expires else 0,
    }


def prices(params: Mapping[str, Any]) -> dict[str, Any]:
    """``price``, ``price2`` and ``trigger`` as REST would say what a socket's order tells.

    Raises:
        Rejected: a limit so far from something, or a trigger of no known kind.
    """
    triggers, limit = params.get("triggers"), params.get("limit_price")
    if params.get("limit_price_type") not in (None, "static"):
        raise Rejected("EGeneral:Invalid arguments:limit_price_type")
    if not isinstance(triggers, Mapping):
        return {"price": limit}
    price, kind = triggers.get("price"), triggers.get("price_type") or "static"
    if price is not None and kind in ("pct", "quote"):
        price = f"{Decimal(price):+f}" + ("%" if kind == "pct" else "")
    elif kind != "static":
        raise Rejected("EGeneral:Invalid arguments:price_type")
    return {"price": price, "price2": limit, "trigger": triggers.get("reference")}


def _expiry(asked: Mapping[str, Any], *, now_ns: int) -> int:
    """A moment, or so many seconds from now; 0: never.

    Raises:
        Rejected: it is neither.
    """
    value = str(asked.get("expiretm") or "0")
    seconds = int(words.number(value, "expiretm"))
    return now_ns + seconds * NS if value.startswith("+") else seconds * NS
