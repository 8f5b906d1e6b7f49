"""Of several markets one may be delisted or changed: the others go on without it."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

from trading.engine.errors import CannotTrade

log = structlog.get_logger(__name__)

Asked = TypeVar("Asked")
Found = TypeVar("Found")


def keep_tradable(asked: Iterable[Asked], find: Callable[[Asked], Found]) -> list[Found]:
    """What ``find`` finds of those that can be traded.

    Raises:
        CannotTrade: none can; the sentence of the first.
    """
    found, problems = list[Found](), list[CannotTrade]()
    for one in asked:
        try:
            found.append(find(one))
        except CannotTrade as problem:
            problems.append(problem)
    if problems and not found:
        raise problems[0]
    for why in map(str, problems):
        log.warning("market_left_out", why=why)
    return found
