"""Pure: our books beside a look at the account; what differs, each with both numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from trading.core.records import FEE_UNITS_PER_QUOTE
from trading.engine.messages import MarketSpec
from trading.engine.sights import Holding, Sight

CLOCK, DRIFT, UNKNOWN_ORDER = "clock", "drift:", "unknown order"
MOST_SKEW_SECONDS = 2.0
QUOTE_TOLERANCE = Decimal("0.0001")  # of the cash: each venue rounds what a trade costs its own way
NOTHING = Holding(Decimal(0), Decimal(0))


def needs(
    *, specs: Sequence[MarketSpec], markets: np.ndarray, account: np.ndarray
) -> dict[str, Decimal]:
    """What the books say the account has, by asset: the cash, and what was bought and not sold."""
    needed: dict[str, Decimal] = defaultdict(Decimal)
    units = round(float(account[0]["cash"]) * FEE_UNITS_PER_QUOTE)
    needed[specs[0].quote] = max(Decimal(0), Decimal(units) / FEE_UNITS_PER_QUOTE)
    for spec in specs:
        lots = int(markets[spec.index]["position"]["quantity_lots"])
        needed[spec.base] += spec.lot_size * max(0, lots)
    return dict(needed)


def find_drift(
    needed: Mapping[str, Decimal], holdings: Mapping[str, Holding], *, quote: str
) -> dict[str, str]:
    """A sentence by cause for each asset of which the account has less than the books need.

    More is nobody's business: the customer may own other coins.
    """
    found = {}
    for asset, quantity in needed.items():
        there = holdings.get(asset, NOTHING).total
        if there < quantity * (1 - QUOTE_TOLERANCE if asset == quote else 1):
            found[f"{DRIFT}{asset}"] = (
                f"{asset}: our books need {quantity.normalize():f}, "
                f"the account has {there.normalize():f}"
            )
    return found


def find_skew(sight: Sight) -> dict[str, str]:
    """A sentence when this machine's clock is too far from the venue's."""
    ahead = sight.ahead_seconds
    if abs(ahead) <= MOST_SKEW_SECONDS:
        return {}
    where = "ahead of" if ahead > 0 else "behind"
    words = f"this machine's clock is {abs(ahead):.1f} s {where} the venue's; at most"
    return {CLOCK: f"{words} {MOST_SKEW_SECONDS:g} s are accepted"}


def in_words(needed: Mapping[str, Decimal], sight: Sight, found: Mapping[str, str]) -> str:
    """What a look found, for the person who asked for it."""
    if found:
        return "; ".join(found.values())
    covered = ", ".join(f"{quantity.normalize():f} {asset}" for asset, quantity in needed.items())
    others = f"; {len(sight.strangers)} foreign orders" if sight.strangers else ""
    return f"the account covers our books: {covered}{others}"
