"""Order books in integers: prices and quantities as units of the venue's last decimal, no floats."""

import re
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import msgspec

from trading.exchanges.venue_clock import read_stamp

NO_CUT = 1 << 62
CHECKED = 10  # levels of a side that a checksum covers
WITH_EXPONENT = re.compile(r"[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]{1,2}")


class BadBook(ValueError):
    """What a venue told does not make a book."""


def to_digits(text: str | int, decimals: int) -> str:
    """A number in units of its last decimal: ``0.10`` with two of them is ``10``, zero is empty.

    Raises:
        BadBook: it is no number >= 0, or it is finer than that.
    """
    told = str(text)
    if told[~decimals:-decimals] == "." != told[0]:  # the usual: as many decimals as there are
        digits = told.replace(".", "", 1)
    else:
        digits = _fit(told, decimals)
    if not (digits.isdigit() and digits.isascii()):
        digits = _fit(_plain(told), decimals)
    return digits.lstrip("0")


def _fit(text: str, decimals: int) -> str:
    """Digits of a number that was told with more or fewer decimals, or with an exponent."""
    if "e" in text or "E" in text:
        text = _plain(text)
    whole, _, part = text.partition(".")
    if part[decimals:].strip("0"):
        raise BadBook(f"{text!r} has more than {decimals} decimals")
    return whole and whole + part[:decimals].ljust(decimals, "0")


def _plain(text: str) -> str:
    """The same number without its exponent.

    Raises:
        BadBook: it has none, or is no number >= 0.
    """
    if not WITH_EXPONENT.fullmatch(text):
        raise BadBook(f"{text!r} is no number >= 0")
    return f"{Decimal(text):f}"


@cache
def key_reader(decimals: int, sign: int) -> Callable[[str | int], tuple[int, str]]:
    """Reads a price in units of its last decimal: as a number with this sign, and as its digits."""

    @lru_cache(maxsize=1 << 14)  # the same prices come again and again
    def read(text: str | int) -> tuple[int, str]:
        price = int(to_digits(text, decimals) or 0)
        return sign * price, str(price)

    return read


def decimals_of(step: Decimal) -> int:
    """Decimals of the multiples of a step."""
    return max(0, -int(step.as_tuple().exponent))


class Level(msgspec.Struct, gc=False):
    """A price and what stands there now; a quantity of 0 takes it out."""

    price: Any  # text or whole number, as the venue wrote it
    quantity: Any


class Side:
    """The levels of one side, best first, no more than its depth."""

    __slots__ = ("_decimals", "_depth", "_digits", "_head", "_keys", "_read_key", "_sign")

    def __init__(
        self, *, is_bid: bool, price_decimals: int, quantity_decimals: int, depth: int
    ) -> None:
        self._sign = -1 if is_bid else 1  # keys ascend from the best
        self._read_key = key_reader(price_decimals, self._sign)
        self._decimals = quantity_decimals
        self._depth = depth
        self._keys: list[int] = []
        self._digits: list[str] = []  # of price and quantity, as a checksum takes them
        self._head = b""  # those of the best levels; empty: to be put together

    def replace(self, levels: Iterable[Level]) -> None:
        """Begin again.

        Raises:
            BadBook: a number is none.
        """
        self._keys.clear()
        self._digits.clear()
        self._head = b""
        self.change(levels)

    def change(self, levels: Iterable[Level]) -> None:
        """New quantities, in this order; what no longer fits the depth is forgotten at the end.

        Raises:
            BadBook: a number is none.
        """
        keys, digits, read_key, decimals = self._keys, self._digits, self._read_key, self._decimals
        for level in levels:
            key, price_digits = read_key(level.price)
            quantity_digits = to_digits(level.quantity, decimals)
            at = bisect_left(keys, key)
            if at < CHECKED:
                self._head = b""
            if at < len(keys) and keys[at] == key:
                if quantity_digits:
                    digits[at] = price_digits + quantity_digits
                else:
                    del keys[at], digits[at]
            elif quantity_digits:
                keys.insert(at, key)
                digits.insert(at, price_digits + quantity_digits)
        if len(keys) > self._depth:
            del keys[self._depth :], digits[self._depth :]

    def best(self, count: int) -> list[tuple[int, int]]:
        """Prices and quantities of the best levels."""
        prices = [self._sign * key for key in self._keys[:count]]
        pairs = zip(prices, self._digits, strict=False)
        return [(price, int(digits[len(str(price)) :])) for price, digits in pairs]

    def top(self) -> int | None:
        """The best price."""
        return self._sign * self._keys[0] if self._keys else None

    def head(self) -> bytes:
        """Digits of the best levels' prices and quantities, as a checksum takes them."""
        if not self._head:
            self._head = "".join(self._digits[:CHECKED]).encode()
        return self._head


@dataclass(slots=True)
class Book:
    """Both sides of one market as a venue told them, and when it last did."""

    price_decimals: int
    quantity_decimals: int
    depth: int = NO_CUT
    told: str | int = 0  # the venue's stamp as it stands, or the time it means
    bids: Side = field(init=False)
    asks: Side = field(init=False)

    def __post_init__(self) -> None:
        self.bids, self.asks = self._side(is_bid=True), self._side(is_bid=False)

    def _side(self, *, is_bid: bool) -> Side:
        return Side(
            is_bid=is_bid,
            price_decimals=self.price_decimals,
            quantity_decimals=self.quantity_decimals,
            depth=self.depth,
        )

    @property
    def told_ns(self) -> int:
        """When the venue last told of it; 0 where its stamp is none. Read only when somebody asks."""
        if isinstance(self.told, str):
            try:
                self.told = read_stamp(self.told)
            except ValueError:
                self.told = 0
        return self.told

    @property
    def lacks(self) -> str:
        """What is not there, of a market that is halted or new; empty: both sides have levels."""
        sides = (("bid", self.bids), ("ask", self.asks))
        empty = [name for name, side in sides if side.top() is None]
        return f"no {' and no '.join(empty)}" if empty else ""

    def check(self) -> bool:
        """Whether both sides are there.

        Raises:
            BadBook: they cross.
        """
        bid, ask = self.bids.top(), self.asks.top()
        if bid is None or ask is None:
            return False
        if bid >= ask:
            raise BadBook(f"bid {bid} is not below ask {ask}")
        return True

    def prices(self, side: Side, count: int) -> tuple[tuple[float, float], ...]:
        """The best levels of a side as numbers, as the core reads them."""
        price_unit, quantity_unit = 10**self.price_decimals, 10**self.quantity_decimals
        return tuple((p / price_unit, q / quantity_unit) for p, q in side.best(count))


@dataclass(slots=True)
class Books:
    """The books of an engine's markets; one that is not valid is not there.

    A market that lacks a side keeps its book, which nothing is decided on; the others go on.
    """

    symbols: Sequence[str]
    reason: str = "not told yet"  # why the last one went
    is_whole: bool = field(init=False)  # every symbol has a valid book, or is known to have none
    lacking: dict[str, str] = field(default_factory=dict)  # symbol -> what its market lacks now
    absent: frozenset[str] = frozenset()  # symbols of which the venue has no book
    _valid: dict[str, Book] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._count()

    def _count(self) -> None:
        self.is_whole = set(self.symbols) <= self._valid.keys() | self.absent

    def find(self, symbol: str) -> Book | None:
        """The valid book of a symbol."""
        return self._valid.get(symbol)

    def leave_out(self, listed: Container[str]) -> list[str]:
        """Only what the venue lists has a book: the symbols to ask for."""
        again = [one for one in self.absent if one in listed]
        self.absent = self.absent.difference(again)
        for symbol in self.symbols:
            if symbol not in listed:
                self.leave(symbol, "not listed")
        self._count()
        return [one for one in self.symbols if one not in self.absent]

    def leave(self, symbol: str, why: str) -> None:
        """The venue has no book of it; the others do not wait for one."""
        self.absent |= {symbol}
        self.lacking[symbol] = why
        self.drop(symbol, why)

    def note_sides(self, symbol: str, *, has_both: bool) -> bool:
        """Whether its market lacks another thing now than was noted last."""
        book = None if has_both else self._valid.get(symbol)
        lacks = book.lacks if book else ""
        if lacks == self.lacking.get(symbol, ""):
            return False
        if lacks:
            self.lacking[symbol] = lacks
        else:
            del self.lacking[symbol]
        return True

    def put(self, symbol: str, book: Book) -> None:
        """A book that was told whole."""
        self._valid[symbol] = book
        self._count()

    def drop(self, symbol: str, reason: str) -> None:
        """From now on nothing is decided on it."""
        self.reason = f"{symbol}: {reason}"
        self._valid.pop(symbol, None)
        self._count()

    def drop_all(self, reason: str) -> None:
        """The connection is gone."""
        self.reason = reason
        self._valid.clear()
        self._count()
