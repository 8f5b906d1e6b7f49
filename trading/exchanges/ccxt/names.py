"""Spot pairs as ccxt tells them: grids and least orders, by our symbols."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.engine.errors import CannotTrade

DECIMAL_PLACES, TICK_SIZE = 2, 4  # ccxt's ways to tell a step; by significant digits is the third
FINEST = Decimal("0.00000001")


class UnknownMarket(CannotTrade):
    """The venue does not list a pair; the text names near ones."""


@dataclass(frozen=True, slots=True)
class Market:
    """What a venue says of one pair."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal


def read_markets(told: Mapping[str, Any], *, precision: int) -> dict[str, Market]:
    """Spot pairs by symbol; what cannot be read is left out."""
    found = {}
    for symbol, facts in told.items():
        try:
            if facts.get("spot"):
                found[symbol] = _read_market(symbol, facts, precision)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation):
            continue
    return found


def _read_market(symbol: str, facts: Mapping[str, Any], precision: int) -> Market:
    lot = step_of(facts["precision"]["amount"], precision)
    limits = facts["limits"]
    return Market(
        symbol=symbol,
        tick_size=step_of(facts["precision"]["price"], precision),
        lot_size=lot,
        min_quantity=Decimal(str(limits["amount"]["min"] or 0)) or lot,
        min_notional=Decimal(str(limits["cost"]["min"] or 0)),
    )


def step_of(told: Any, precision: int) -> Decimal:
    """A step of prices or quantities; the finest where only digits that count are told, or nothing.

    Raises:
        ValueError, InvalidOperation: it is no positive number.
    """
    if told is None or precision not in (TICK_SIZE, DECIMAL_PLACES):
        return FINEST
    step = Decimal(str(told)) if precision == TICK_SIZE else Decimal(1).scaleb(-int(told))
    if not (step.is_finite() and step > 0):
        raise ValueError(f"step {told!r} is not positive")
    return step


def choose(markets: Mapping[str, Market], symbol: str, *, venue: str) -> Market:
    """One pair of the list.

    Raises:
        UnknownMarket: it is not listed.
    """
    if symbol in markets:
        return markets[symbol]
    base = symbol.split("/")[0]
    near = sorted(name for name in markets if name.startswith(f"{base}/"))[:5]
    hint = f"; it lists {', '.join(near)}" if near else ""
    raise UnknownMarket(f"{venue} does not list {symbol}{hint}")
