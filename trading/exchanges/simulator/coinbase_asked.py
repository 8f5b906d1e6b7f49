"""What a request to the simulated Coinbase carries, and the ways in which the venue says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.coinbase_words import read_stamp

UNKNOWN = "UNKNOWN_FAILURE_REASON"
LEAST, MOST = Decimal("1e-16"), Decimal("1e16")


class HttpRefusal(Exception):
    """An answer that is not 200, in one of the venue's shapes."""

    def __init__(self, status: int, told: dict[str, Any]) -> None:
        super().__init__(str(told.get("message", status)))
        self.status, self.told = status, told


class OrderRefusal(Exception):
    """The order is refused inside an answer that is 200."""

    def __init__(self, preview: str, message: str, *, reason: str = UNKNOWN) -> None:
        super().__init__(message)
        self.preview, self.reason = preview, reason


def bad_argument(message: str) -> HttpRefusal:
    """A request that cannot be understood."""
    return HttpRefusal(
        400, {"error": "INVALID_ARGUMENT", "code": 3, "message": message, "details": []}
    )


def unknown_order() -> HttpRefusal:
    """An order nobody placed."""
    words = "order with this orderID was not found"
    return HttpRefusal(404, {"error": "unknown", "error_details": words, "message": words})


def missing_scope() -> HttpRefusal:
    """A key without the right."""
    words = "Missing required scopes"
    return HttpRefusal(403, {"error": "PERMISSION_DENIED", "error_details": words,
                             "message": words})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who asks, the path's names, the query, the body."""

    account: Account
    named: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: Mapping[str, Any]

    def many(self, *names: str) -> list[str]:
        """Every value given under one of these names."""
        return [value for name in names for value in self.query.get(name, ())]

    def one(self, name: str, default: str = "") -> str:
        """The last value of a name."""
        return (self.query.get(name) or [default])[-1]

    def integer(self, name: str, default: int, *, most: int) -> int:
        """A count or a moment in seconds.

        Raises:
            HttpRefusal: it is none.
        """
        value = self.one(name)
        if not value:
            return default
        if not is_count(value) or int(value) > most:
            raise bad_argument(f"{name} {value!r}: accepted is 0 to {most}")
        return int(value)

    def moment(self, name: str, default: int) -> int:
        """Nanoseconds of a time.

        Raises:
            HttpRefusal: it is none.
        """
        value = self.one(name)
        read = read_stamp(value) if value else default
        if read is None:
            raise bad_argument(f"{name} {value!r}: accepted is a time such as 2026-01-31T00:00:00Z")
        return read


def is_count(value: str) -> bool:
    """Whether a text is a number of ASCII digits of a bearable length."""
    return value.isascii() and value.isdigit() and len(value) < 20


def word(told: Mapping[str, Any], name: str) -> str:
    """A text of a body; empty where there is none.

    Raises:
        HttpRefusal: it is not a text.
    """
    value = told.get(name, "")
    if not isinstance(value, str):
        raise bad_argument(f"{name}: invalid value for string field: {value}")
    return value


def number(told: Mapping[str, Any], name: str) -> Decimal | None:
    """A number written as text; None where there is none.

    Raises:
        HttpRefusal: it is not a number in a text.
    """
    value = word(told, name)
    if not value:
        return None
    try:
        read = Decimal(value)
    except InvalidOperation:
        read = Decimal("nan")
    if not read.is_finite() or not (read == 0 or LEAST <= abs(read) <= MOST):
        raise bad_argument(f"{name} {value!r}: accepted is a decimal number")
    return read


def read_object(text: str | bytes) -> dict[str, Any] | None:
    """A JSON object; None where it is none."""
    try:
        told = msgspec.json.decode(text)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or too deep
        return None
    return told if isinstance(told, dict) else None
