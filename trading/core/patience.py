"""What came to nothing is asked for again, later and later, until something of the position changes.

A rest below the venue's least order would else be asked for, refused and journaled at every price.
"""

from trading.core import sizing
from trading.core.jit import kernel

SECOND_NS = 1_000_000_000
EXIT_AGAIN_NS = SECOND_NS  # from the second refusal on; the first is answered at the next price
PROTECT_AGAIN_NS = 5 * SECOND_NS  # a venue that refuses a stop is not asked with every price
LONGEST_NS = 60 * SECOND_NS  # while what is held could be sold
LONGEST_OF_LITTLE_NS = 3600 * SECOND_NS  # while it could not
RESTED_NS = 60 * SECOND_NS  # a stop lost after so long had not been refused
MOST_DOUBLINGS = 20


@kernel
def best_price(market):
    """The higher of what was paid and the last close: neither a fall nor a rise alone makes dust."""
    return max(market.last_close, market.position.entry_price)


@kernel
def wait_ns(market, failures, first_ns):
    """How long after so many failures in a row, one at least."""
    lots = abs(market.position.quantity_lots)
    could_sell = sizing.is_large_enough(market.instrument, lots, best_price(market))
    longest = LONGEST_NS if could_sell else LONGEST_OF_LITTLE_NS
    return min(first_ns << min(failures - 1, MOST_DOUBLINGS), longest)


@kernel
def put_off_exit(market, at_ns):
    """An exit ended, and something is left."""
    position = market.position
    if position.exit_failures > 0:
        position.exit_after_ns = at_ns + wait_ns(market, position.exit_failures, EXIT_AGAIN_NS)
    position.exit_failures += 1


@kernel
def put_off_stop(market, at_ns):
    """A stop was refused or lost."""
    position = market.position
    if at_ns - position.protect_after_ns > RESTED_NS:
        position.stop_failures = 0
    position.stop_failures += 1
    position.protect_after_ns = at_ns + wait_ns(market, position.stop_failures, PROTECT_AGAIN_NS)


@kernel
def begin_anew(position):
    """Something was bought or sold: what was refused before may be taken now."""
    position.exit_failures = 0
    position.stop_failures = 0
    position.exit_after_ns = 0
    position.protect_after_ns = 0
