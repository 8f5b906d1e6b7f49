"""What is left of a position that no order may sell is written off: nobody waits for it any more."""

from trading.core import holding, patience
from trading.core.jit import kernel

NO_CHANCE = (
    0.5  # of the least notional: below, a price would have to double before it could be sold
)


@kernel
def is_too_little(instrument, lots, price):
    """Whether the venue takes no order of so few lots, and no likely price changes that."""
    if lots < instrument.min_quantity_lots:
        return True
    return lots * instrument.lot_size * price < NO_CHANCE * instrument.min_notional


@kernel
def is_dust(market):
    """Whether the last order for what is held came to nothing, and none will come to anything.

    What is owed (a short position) is never dust: somebody else waits for it.
    """
    position = market.position
    works = position.entry_seq > 0 or position.exit_seq > 0 or position.stop_seq > 0
    failures = position.exit_failures + position.stop_failures
    if position.quantity_lots <= 0 or works or failures == 0:
        return False
    return is_too_little(market.instrument, position.quantity_lots, patience.best_price(market))


@kernel
def write_off(market, account, p, now_ns):
    """Close a position of dust; the lots written off.

    What they cost is lost to the account. The trade is learned from as if they had been sold at
    their cost: how little a venue takes says nothing about the decision.
    """
    position = market.position
    lots = position.quantity_lots
    account.realized -= lots * market.instrument.lot_size * position.entry_price
    position.quantity_lots = 0
    holding.end(market, account, p, now_ns)
    return lots
