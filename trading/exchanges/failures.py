"""How a request to a venue can fail: it said no, nothing left, or nobody knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class ApiError(Exception):
    """The venue answered with an error; carries its words."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Unreached(Exception):
    """Nothing left for the venue."""


class NoAnswer(Exception):
    """It left, and no answer of the venue's came back."""


FAILS = (ApiError, Unreached, NoAnswer)
UNREADABLE = (TypeError, KeyError, ValueError, IndexError, AttributeError, ArithmeticError)


def read_amount(told: Any) -> Decimal:
    """A number of money or coins.

    Raises:
        ValueError, ArithmeticError: it is none.
    """
    amount = Decimal(str(told))
    if not amount.is_finite():
        raise ValueError(f"an amount of {amount}")
    return amount


@contextmanager
def reading(what: str) -> Iterator[None]:
    """What a venue said is read here; a word it never used before must not end an engine.

    Raises:
        NoAnswer: it cannot be read.
    """
    try:
        yield
    except UNREADABLE as error:
        log.warning("not_read", what=what, exc_info=True)
        raise NoAnswer(f"{what} cannot be read: {error!r}") from None
