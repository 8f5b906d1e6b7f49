"""Order books in integers: prices and quantities as units of the venue's last decimal, no floats."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

Level = tuple[int, int]  # price, quantity; a quantity of 0 takes the price out
NO_CUT = 1 << 62
CHECKED = 10  # levels of a side that a checksum covers


class BadBook(ValueError):
    """What a venue told does not make a book."""


def to_units(text: str | int, decimals: int) -> int:
    """A number's text as an integer: ``64000.1`` with two decimals is 6400010.

    Raises:
        BadBook: it is no number >= 0, or it is finer than that.
    """
    whole, _, part = str(text).partition(".")
    if len(part) != decimals:
        if part[decimals:].strip("0"):
            raise BadBook(f"{text!r} has more than {decimals} decimals")
        part = part[:decimals].ljust(decimals, "0")
    digits = whole + part
    if not (whole and digits.isdigit() and digits.isascii()):
        raise BadBook(f"{text!r} is no number >= 0")
    return int(digits)


price_units = lru_cache(maxsize=1 << 14)(to_units)  # the same prices come again and again


def decimals_of(step: Decimal) -> int:
    """Decimals of the multiples of a step."""
    return max(0, -int(step.as_tuple().exponent))


class Side:
    """The levels of one side, best first, no more than its depth."""

    __slots__ = ("_depth", "_digits", "_head", "_keys", "_quantities", "_sign")

    def __init__(self, *, is_bid: bool, depth: int) -> None:
        self._sign = -1 if is_bid else 1  # keys ascend from the best
        self._depth = depth
        self._keys: list[int] = []
        self._quantities: dict[int, int] = {}
        self._digits: dict[int, str] = {}
        self._head = ""  # digits of the best levels; empty: to be put together

    def replace(self, levels: Iterable[Level]) -> None:
        """Begin again."""
        self._keys.clear()
        self._quantities.clear()
        self._digits.clear()
        self.change(levels)

    def change(self, levels: Iterable[Level]) -> None:
        """New quantities, in this order; what no longer fits the depth is forgotten at the end."""
        keys, quantities, digits = self._keys, self._quantities, self._digits
        for price, quantity in levels:
            key = self._sign * price
            if quantity:
                if key not in quantities:
                    insort(keys, key)
                quantities[key] = quantity
                digits[key] = f"{price}{quantity}"
            elif quantities.pop(key, None) is not None:
                del keys[bisect_left(keys, key)], digits[key]
        if len(keys) > self._depth:
            for key in keys[self._depth :]:
                del quantities[key], digits[key]
            del keys[self._depth :]
        self._head = ""

    def best(self, count: int) -> list[Level]:
        """The best levels."""
        sign, quantities = self._sign, self._quantities
        return [(sign * key, quantities[key]) for key in self._keys[:count]]

    def top(self) -> int | None:
        """The best price."""
        return self._sign * self._keys[0] if self._keys else None

    def head(self) -> str:
        """Digits of the best levels' prices and quantities, as a checksum takes them."""
        if not self._head:
            self._head = "".join(map(self._digits.__getitem__, self._keys[:CHECKED]))
        return self._head


@dataclass(slots=True)
class Book:
    """Both sides of one market as a venue told them, and when it last did."""

    price_decimals: int
    quantity_decimals: int
    depth: int = NO_CUT
    told_ns: int = 0
    bids: Side = field(init=False)
    asks: Side = field(init=False)

    def __post_init__(self) -> None:
        self.bids = Side(is_bid=True, depth=self.depth)
        self.asks = Side(is_bid=False, depth=self.depth)

    def levels(self, rows: Iterable[Mapping[str, Any]], price: str, quantity: str) -> list[Level]:
        """The venue's rows, which have price and quantity under these names.

        Raises:
            BadBook: a number is none. KeyError, TypeError: a row is none.
        """
        p, q = self.price_decimals, self.quantity_decimals
        return [(price_units(one[price], p), to_units(one[quantity], q)) for one in rows]

    def check(self) -> None:
        """Both sides are there and do not cross.

        Raises:
            BadBook: they do, or one is empty.
        """
        bid, ask = self.bids.top(), self.asks.top()
        if bid is None or ask is None:
            raise BadBook("a side is empty")
        if bid >= ask:
            raise BadBook(f"bid {bid} is not below ask {ask}")

    def prices(self, side: Side, count: int) -> tuple[tuple[float, float], ...]:
        """The best levels of a side as numbers, as the core reads them."""
        price_unit, quantity_unit = 10**self.price_decimals, 10**self.quantity_decimals
        return tuple((p / price_unit, q / quantity_unit) for p, q in side.best(count))


@dataclass(slots=True)
class Books:
    """The books of an engine's markets; one that is not valid is not there."""

    symbols: Sequence[str]
    reason: str = "not told yet"  # why the last one went
    _valid: dict[str, Book] = field(default_factory=dict)
    _wanted: int = field(init=False)

    def __post_init__(self) -> None:
        self._wanted = len(set(self.symbols))

    def find(self, symbol: str) -> Book | None:
        """The valid book of a symbol."""
        return self._valid.get(symbol)

    def put(self, symbol: str, book: Book) -> None:
        """A book that was told whole."""
        self._valid[symbol] = book

    def drop(self, symbol: str, reason: str) -> None:
        """From now on nothing is decided on it."""
        self.reason = f"{symbol}: {reason}"
        self._valid.pop(symbol, None)

    def drop_all(self, reason: str) -> None:
        """The connection is gone."""
        self.reason = reason
        self._valid.clear()

    @property
    def is_whole(self) -> bool:
        """Whether every symbol has a valid book."""
        return len(self._valid) == self._wanted
