"""Trailing stops of the simulated venue: how far behind the market their trigger follows."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


def trigger(side: str, trail: str, price: Decimal, tick: Decimal) -> Decimal:
    """The trigger this far from a price, rounded away from it: below to sell, above to buy."""
    told = Decimal(trail.rstrip("%"))
    distance = price * told / 100 if trail.endswith("%") else told
    sign, rounding = (-1, ROUND_FLOOR) if side == "sell" else (1, ROUND_CEILING)
    return ((price + sign * distance) / tick).to_integral_value(rounding) * tick


def follows(side: str, now: Decimal, then: Decimal) -> bool:
    """Whether a trigger moves on: up to sell, down to buy, and never back."""
    return then > now if side == "sell" else then < now
