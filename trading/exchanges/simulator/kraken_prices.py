"""What orders of the simulated Kraken say of prices: triggers, limits, distances from the last trade."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.exchanges.simulator import trailing
from trading.exchanges.simulator.accounts import (
    LIMIT,
    LIMITED,
    MARKET,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING,
)
from trading.exchanges.simulator.kraken_words import number
from trading.exchanges.simulator.market import PairMarket
from trading.exchanges.simulator.rules import Rejected

DISTANCE = re.compile(r"\+\d+(\.\d+)?%?")
PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Levels:
    """The prices of an order."""

    price: Decimal | None = None  # the limit, or the trigger where there is none
    stop: Decimal | None = None  # the trigger beside a limit
    is_stop_up: bool = False
    trail: str = ""


def read(market: PairMarket, asked: Mapping[str, Any]) -> Levels:
    """The prices of an order from ``kind``, ``side``, ``price`` and ``price2``.

    Raises:
        Rejected: one that its kind takes is missing, or none.
    """
    kind, side = asked["kind"], asked["side"]
    if asked.get("trigger") not in (None, "", "last"):
        raise Rejected("EGeneral:Invalid arguments:Index unavailable")
    if kind == MARKET:
        return Levels()
    first = _told(asked, "price")
    if kind == TRAILING:
        if not DISTANCE.fullmatch(first) or not number(first.rstrip("%"), "price"):
            raise Rejected("EGeneral:Invalid arguments:price")
        last, tick = market.last_price(), market.grid.tick_size
        return Levels(trailing.trigger(side, first, last, tick), trail=first)
    is_low = (side == "buy") == (kind in (LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT))
    price = _level(market, first, "price", sign="-" if is_low else "+")
    if kind not in LIMITED:
        return Levels(price)
    limit = _level(market, _told(asked, "price2"), "price2", sign="")
    return Levels(limit, stop=price, is_stop_up=not is_low)


def _told(asked: Mapping[str, Any], field: str) -> str:
    value = asked.get(field)
    if value in (None, ""):
        raise Rejected(f"EGeneral:Invalid arguments:{field}")
    return str(value)


def _level(market: PairMarket, told: str, field: str, *, sign: str) -> Decimal:
    """A price, or one so far from the last trade: ``+10``, ``-2%``, ``#10`` with the kind's own sign."""
    if told[0] not in "+-#":
        return number(told, field)
    direction = sign if told[0] == "#" else told[0]
    if not direction:
        raise Rejected(f"EGeneral:Invalid arguments:{field}")
    last, tick = market.last_price(), market.grid.tick_size
    distance = number(told[1:].removesuffix("%"), field)
    if told.endswith("%"):
        distance *= last / PERCENT
    level = last + distance if direction == "+" else last - distance
    return (level / tick).to_integral_value() * tick
