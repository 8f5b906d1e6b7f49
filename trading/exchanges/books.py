"""Order books in integers: prices and quantities as units of the venue's last decimal, no floats."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

Level = tuple[int, int]  # price, quantity; a quantity of 0 takes the price out
NO_CUT = 1 << 62


class BadBook(ValueError):
    """What a venue told does not make a book."""


def to_units(text: str, decimals: int) -> int:
    """A number's text as an integer: ``64000.1`` with two decimals is 6400010.

    Raises:
        BadBook: it is no number >= 0, or it is finer than that.
    """
    whole, _, part = text.partition(".")
    if len(part) != decimals:
        if part[decimals:].strip("0"):
            raise BadBook(f"{text!r} has more than {decimals} decimals")
        part = part[:decimals].ljust(decimals, "0")
    digits = whole + part
    if not (whole and digits.isdigit() and digits.isascii()):
        raise BadBook(f"{text!r} is no number >= 0")
    return int(digits)


def decimals_of(step: Decimal) -> int:
    """Decimals of the multiples of a step."""
    return max(0, -int(step.as_tuple().exponent))


class Side:
    """The levels of one side, best first, no more than its depth."""

    __slots__ = ("_depth", "_keys", "_quantities", "_sign")

    def __init__(self, *, is_bid: bool, depth: int) -> None:
        self._sign = -1 if is_bid else 1  # keys ascend from the best
        self._depth = depth
        self._keys: list[int] = []
        self._quantities: dict[int, int] = {}

    def replace(self, levels: Iterable[Level]) -> None:
        """Begin again."""
        self._keys.clear()
        self._quantities.clear()
        self.change(levels)

    def change(self, levels: Iterable[Level]) -> None:
        """New quantities, in this order; what no longer fits the depth is forgotten at the end."""
        keys, quantities = self._keys, self._quantities
        for price, quantity in levels:
            key = self._sign * price
            if quantity:
                if key not in quantities:
                    insort(keys, key)
                quantities[key] = quantity
            elif quantities.pop(key, None) is not None:
                del keys[bisect_left(keys, key)]
        if len(keys) > self._depth:
            for key in keys[self._depth :]:
                del quantities[key]
            del keys[self._depth :]

    def best(self, count: int) -> list[Level]:
        """The best levels."""
        sign, quantities = self._sign, self._quantities
        return [(sign * key, quantities[key]) for key in self._keys[:count]]


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

    def level(self, price: str, quantity: str) -> Level:
        """A level from the venue's text.

        Raises:
            BadBook: it is none.
        """
        return to_units(price, self.price_decimals), to_units(quantity, self.quantity_decimals)

    def check(self) -> None:
        """Both sides are there and do not cross.

        Raises:
            BadBook: they do, or one is empty.
        """
        bid, ask = self.bids.best(1), self.asks.best(1)
        if not bid or not ask:
            raise BadBook("a side is empty")
        if bid[0][0] >= ask[0][0]:
            raise BadBook(f"bid {bid[0][0]} is not below ask {ask[0][0]}")

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
        return all(symbol in self._valid for symbol in self.symbols)
